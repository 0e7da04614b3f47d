"""Layers with equalised learning rate (Karras et al. 2018, §4.1), and the layer of the synthesis network.

A stored weight is drawn from N(0, 1/lr_mul²) and used as weight · he · lr_mul with he = gain/√fan_in; a stored bias is
used as bias · lr_mul. So every weight learns at the same speed, and lr_mul slows a whole layer down.
"""

import math
from collections.abc import Callable
from typing import Any, Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stylegan.config import Nonlinearity
from stylegan.ops.bands import needs_grad
from stylegan.ops.convolution import conv2d
from stylegan.ops.resample import downsample_kernel, upsample_conv_blur, upsample_kernel

SQRT2 = math.sqrt(2.0)  # gain of every layer that an activation follows, for leaky ReLU and ReLU alike


def activate(x: Tensor, nonlinearity: Nonlinearity) -> Tensor:
    """Leaky ReLU with slope 0.2, or ReLU; overwrites `x`, which the caller made."""
    return F.leaky_relu_(x, 0.2) if nonlinearity == "lrelu" else F.relu_(x)


class EqualizedWeight(nn.Module):
    """A weight of `shape`, its first axis the outputs, with its run-time scale."""

    def __init__(self, shape: tuple[int, ...], gain: float, lr_mul: float = 1.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(shape))
        self.scale = gain / math.sqrt(math.prod(shape[1:])) * lr_mul
        self.init_std = 1 / lr_mul
        self._prepared: tuple[Tensor, int, Tensor] | None = None

    def reset(self, rng: torch.Generator) -> None:
        """Draw the weight anew."""
        with torch.no_grad():
            self.weight.copy_(torch.randn(self.weight.shape, generator=rng) * self.init_std)

    def train(self, mode: bool = True) -> Self:
        """Switching modes forgets the prepared weight: fused optimisers change weights without counting versions."""
        self._prepared = None
        return super().train(mode)

    def __getstate__(self) -> dict[str, Any]:
        """A copy starts without the prepared weight: its own weight counts versions anew."""
        return {**self.__dict__, "_prepared": None}

    def prepared(self, prepare: Callable[[Tensor], Tensor]) -> Tensor:
        """`prepare(weight · scale)`; in eval mode kept between calls for as long as the weight is unchanged.

        Changes through `weight.data` are not counted, and not seen until the mode is switched.
        """
        if self.training or self.weight.is_inference() or needs_grad(self.weight):  # inference tensors have no version
            return prepare(self.weight * self.scale)
        if self._prepared is not None:
            source, version, kernel = self._prepared
            if source.data_ptr() == self.weight.data_ptr() and version == self.weight._version:
                return kernel
        with torch.inference_mode(False), torch.no_grad():
            kernel = prepare(self.weight * self.scale)
        self._prepared = (self.weight.detach(), self.weight._version, kernel)  # the alias keeps the address taken
        return kernel


def _channels_last(weight: Tensor) -> Tensor:
    return weight.contiguous(memory_format=torch.channels_last)


class EqualizedLinear(EqualizedWeight):
    """`[N, in_features]` → `[N, out_features]`."""

    def __init__(
        self, in_features: int, out_features: int, gain: float = 1.0, lr_mul: float = 1.0, bias: bool = True
    ) -> None:
        super().__init__((out_features, in_features), gain, lr_mul)
        self.lr_mul = lr_mul
        self.bias = nn.Parameter(torch.zeros(out_features)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        """x·Wᵀ + b."""
        bias = self.bias if self.bias is None or self.lr_mul == 1 else self.bias * self.lr_mul
        return F.linear(x, self.prepared(_same), bias)


class EqualizedConv(EqualizedWeight):
    """Stride-1 convolution with zero padding, kernel 1×1 or 3×3: `[N, C, H, W]` → `[N, O, H, W]`; no bias."""

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int, gain: float = SQRT2) -> None:
        super().__init__((out_channels, in_channels, kernel_size, kernel_size), gain)

    def forward(self, x: Tensor, bias: Tensor | None = None) -> Tensor:
        """Correlation plus `bias [O]`."""
        return conv2d(x, self.prepared(_channels_last), bias, padding=self.weight.shape[-1] // 2)


class UpConv(EqualizedWeight):
    """Nearest ×2, then the 3×3 convolution, then the blur: `[N, O, 2H, 2W]`."""

    def __init__(self, in_channels: int, out_channels: int, blur_filter: tuple[float, ...]) -> None:
        super().__init__((out_channels, in_channels, 3, 3), SQRT2)
        self.blur_filter = blur_filter

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        """Correlation, blur, plus `bias [O]`."""
        return upsample_conv_blur(x, self.prepared(upsample_kernel), self.blur_filter, bias)


class DownConv(EqualizedWeight):
    """The 3×3 convolution, then 2×2 means: `[N, O, H/2, W/2]`."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__((out_channels, in_channels, 3, 3), SQRT2)

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        """Correlation, mean, plus `bias [O]`."""
        return conv2d(x, self.prepared(downsample_kernel), bias, stride=2, padding=1)


class ToRGB(nn.Module):
    """Features to colours: 1×1 convolution with gain 1 and a bias, no style, no activation."""

    def __init__(self, in_channels: int, image_channels: int) -> None:
        super().__init__()
        self.conv = EqualizedConv(in_channels, image_channels, 1, gain=1.0)
        self.bias = nn.Parameter(torch.zeros(image_channels))

    def forward(self, x: Tensor) -> Tensor:
        """`[N, C, H, W]` → `[N, image_channels, H, W]`."""
        return self.conv(x, self.bias)  # type: ignore[no-any-return]


class FromRGB(nn.Module):
    """Colours to features: 1×1 convolution, bias, activation."""

    def __init__(self, image_channels: int, out_channels: int, nonlinearity: Nonlinearity) -> None:
        super().__init__()
        self.conv = EqualizedConv(image_channels, out_channels, 1)
        self.bias = nn.Parameter(torch.zeros(out_channels))
        self.nonlinearity = nonlinearity

    def forward(self, x: Tensor) -> Tensor:
        """`[N, image_channels, H, W]` → `[N, C, H, W]`."""
        return activate(self.conv(x, self.bias), self.nonlinearity)


def _same(weight: Tensor) -> Tensor:
    return weight
