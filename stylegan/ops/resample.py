"""Blur, nearest up-sampling, box down-sampling, and convolutions fused with them, in their cheap forms.

All take `[N, C, H, W]` in any memory format; channels-last is the fast one. Everything is differentiable twice.
"""

import math
from collections.abc import Sequence
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

from stylegan.ops.bands import band_rows, needs_grad
from stylegan.ops.convolution import conv2d


def blur(x: Tensor, taps: Sequence[float] = (1, 2, 1), bias: Tensor | None = None) -> Tensor:
    """Depthwise low-pass filter: the outer product of `taps`, normalised to sum 1, zero padding (darker borders, as in
    the official code), plus `bias [C]`, which costs nothing here.
    """
    channels, size = x.shape[1], len(taps)
    kept = x.is_cuda and type(x) is Tensor and not torch.compiler.is_compiling()  # else another's tensors would mix in
    kernel = (_kept_blur_kernel if kept else _blur_kernel)(tuple(taps), x.dtype, x.device)
    return conv2d(x, kernel.expand(channels, 1, size, size), bias, padding=size // 2, groups=channels)


def _blur_kernel(taps: tuple[float, ...], dtype: torch.dtype, device: torch.device) -> Tensor:
    """Outer product of `taps`, sum 1, `[size, size]`."""
    total = sum(taps) ** 2
    return torch.tensor([[a * b / total for a in taps] for b in taps], dtype=dtype, device=device)


@lru_cache(maxsize=64)  # a copy from the host waits for the GPU, and cannot be part of a CUDA graph
def _kept_blur_kernel(taps: tuple[float, ...], dtype: torch.dtype, device: torch.device) -> Tensor:
    with torch.inference_mode(False):  # so that it also serves where gradients are taken
        return _blur_kernel(taps, dtype, device)


def upsample(x: Tensor, factor: int = 2) -> Tensor:
    """Nearest-neighbour repeat: `[N, C, H·factor, W·factor]`."""
    return x if factor == 1 else F.interpolate(x, scale_factor=float(factor), mode="nearest")


def downsample(x: Tensor, factor: int = 2) -> Tensor:
    """Box mean of every `factor` × `factor` block."""
    return x if factor == 1 else F.avg_pool2d(x, factor)


def upsample_kernel(weight: Tensor) -> Tensor:
    """`[O, C, 3, 3]` → `[C, O, 4, 4]`: (nearest ×2, then 3×3 correlation) as one stride-2 transposed convolution.

    The kernel is turned by 180° because a transposed convolution turns it back.
    """
    return 4 * _mean_of_four_shifts(weight.flip(2, 3).transpose(0, 1))


def upsample_conv(x: Tensor, weight: Tensor) -> Tensor:
    """Nearest ×2, then 3×3 correlation with `weight [O, C, 3, 3]`, zero padding: `[N, O, 2H, 2W]`.

    As a transposed convolution this is exact and takes 4/9 of the multiplications. The official code takes one for
    outputs ≥ 128², but with the kernel not turned: there the weights of a file need turning, once, by 180°.
    """
    return _transposed(x, upsample_kernel(weight))


def upsample_conv_blur(x: Tensor, kernel: Tensor, taps: Sequence[float], bias: Tensor) -> Tensor:
    """`upsample_conv` with the kernel that `upsample_kernel` made, then `blur` with `taps` (() = none), plus `bias`."""
    if not taps:
        return F.conv_transpose2d(x, kernel, bias, stride=2, padding=1)
    (n, _, height, width), channels, half = x.shape, kernel.shape[1], len(taps) // 2
    shape = (n, channels, 2 * height, 2 * width)
    rows = band_rows(height, math.prod(shape) * x.element_size(), x.device)
    if rows >= height or needs_grad(x, kernel, bias) or torch.is_autocast_enabled(x.device.type):
        return blur(_transposed(x, kernel), taps, bias)
    out = torch.empty(shape, dtype=x.dtype, device=x.device, memory_format=torch.channels_last)
    for a in range(0, height, rows):
        b = min(a + rows, height)
        # Rows 2a … 2b−1 come from rows `first` … `last` − 1 before the blur, and those from `low` … `high` − 1 of x.
        first, last = max(2 * a - half, 0), min(2 * b + half, 2 * height)
        low, high = max((first - 1) // 2, 0), min(last // 2 + 1, height)
        wide = _transposed(x[:, :, low:high], kernel)[:, :, first - 2 * low : last - 2 * low]
        out[:, :, 2 * a : 2 * b] = blur(wide, taps, bias)[:, :, 2 * a - first : 2 * b - first]
    return out


def _transposed(x: Tensor, kernel: Tensor) -> Tensor:
    return F.conv_transpose2d(x, kernel, stride=2, padding=1)


def downsample_kernel(weight: Tensor) -> Tensor:
    """`[O, C, 3, 3]` → `[O, C, 4, 4]`: (3×3 correlation, then 2×2 mean) as one correlation with stride 2."""
    return _mean_of_four_shifts(weight)


def conv_downsample(x: Tensor, weight: Tensor) -> Tensor:
    """3×3 correlation with `weight [O, C, 3, 3]`, zero padding, then 2×2 mean: `[N, O, H/2, W/2]`, H and W even.

    As a convolution with stride 2 this is exact, and takes 4/9 of the multiplications.
    """
    return F.conv2d(x, downsample_kernel(weight), stride=2, padding=1)


def _mean_of_four_shifts(weight: Tensor) -> Tensor:
    """Mean of the four one-pixel shifts of a 3×3 kernel: 4×4, channels-last. Pooling does just that, in one pass."""
    return F.avg_pool2d(weight.contiguous(memory_format=torch.channels_last), 2, stride=1, padding=1)
