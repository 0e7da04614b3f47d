"""Discriminator (Karras et al. 2018, table 2, with the blur of 2019), grown through the same continuous lod."""

from typing import Any

import torch
from torch import Tensor, nn

from stylegan import ops
from stylegan.config import DiscriminatorConfig
from stylegan.errors import InputError
from stylegan.networks import checks
from stylegan.networks.layers import (
    SQRT2,
    DownConv,
    EqualizedConv,
    EqualizedLinear,
    EqualizedWeight,
    FromRGB,
    activate,
)
from stylegan.seeds import check_seed


class DiscriminatorBlock(nn.Module):
    """`[N, C, H, W]` → `[N, C', H/2, W/2]`: convolution, blur, convolution with down-sampling."""

    def __init__(self, config: DiscriminatorConfig, log2_size: int) -> None:
        super().__init__()
        self.config = config
        channels, fewer = config.fmaps(log2_size - 1), config.fmaps(log2_size - 2)
        self.conv0 = EqualizedConv(channels, channels, 3)
        self.bias0 = nn.Parameter(torch.zeros(channels))
        self.conv1 = DownConv(channels, fewer)
        self.bias1 = nn.Parameter(torch.zeros(fewer))

    def forward(self, x: Tensor) -> Tensor:
        """Bias and activation of the second convolution come after the down-sampling."""
        x = activate(self.conv0(x, self.bias0), self.config.nonlinearity)
        if self.config.blur_filter:
            x = ops.blur(x, self.config.blur_filter)
        return activate(self.conv1(x, self.bias1), self.config.nonlinearity)


class Discriminator(nn.Module):
    """Scores how real a picture looks, higher is more real; with labels, how real for its class."""

    @torch.inference_mode(False)  # as the generator
    def __init__(self, config: DiscriminatorConfig, seed: int | None = 0) -> None:
        super().__init__()
        if not isinstance(config, DiscriminatorConfig):
            raise InputError(f"A Discriminator is made from a DiscriminatorConfig, not from {type(config).__name__}.")
        self.config = config
        self.lod = 0.0  # how far progressive growing had come when this was saved
        self.digest = ""  # identity of what was loaded; empty for a network that was not
        self.about: Any = None  # what the model file says of itself (model_file.About)
        sizes = range(3, config.log2_resolution + 1)
        self.from_rgb = nn.ModuleList(  # index i works at 2^(i+2)
            FromRGB(config.image_channels, config.fmaps(r - 1), config.nonlinearity) for r in (2, *sizes)
        )
        self.blocks = nn.ModuleList(DiscriminatorBlock(config, r) for r in sizes)  # index i takes 2^(i+3)
        channels, hidden = config.fmaps(1), config.fmaps(0)
        extra = config.mbstd_features if config.mbstd_group_size > 1 else 0
        self.conv = EqualizedConv(channels + extra, channels, 3)
        self.bias = nn.Parameter(torch.zeros(channels))
        self.dense0 = EqualizedLinear(channels * 16, hidden, gain=SQRT2)
        self.dense1 = EqualizedLinear(hidden, max(config.label_dim, 1))
        if seed is not None:
            self.reset(seed)

    def reset(self, seed: int) -> None:
        """Draw all weights anew from `seed`, 0 … 2³²−1."""
        rng = torch.Generator().manual_seed(check_seed(seed))
        for module in self.modules():
            if isinstance(module, EqualizedWeight):
                module.reset(rng)

    def forward(self, images: Tensor, labels: Tensor | None = None, lod: float = 0.0) -> Tensor:
        """Scores `[N, 1]` of `images [N, C, R, R]` in [−1, 1]; `labels` float `[N, label_dim]`, None = zeros.

        At lod ≥ 1 the images may also come at the size that is looked at, R / 2^⌊lod⌋.

        Raises:
            InputError: wrong shape or dtype, lod out of range, a batch that minibatch std cannot group.
        """
        config = self.config
        lod = checks.lod(lod, config.max_lod)
        whole = int(lod)
        size = config.resolution >> whole
        x = checks.images(images, config.image_channels, (config.resolution, size), self.bias)
        labels = checks.labels(labels, config.label_dim, len(x), self.bias)
        group = min(config.mbstd_group_size, len(x))
        if group > 1 and len(x) % group:
            raise InputError(
                f"The discriminator compares groups of {group} pictures: {len(x)} is not a multiple of it."
            )
        x = x.contiguous(memory_format=torch.channels_last)
        if x.shape[-1] != size:
            x = ops.downsample(x, 2**whole)
        scores = self.dense1(self._features(x, lod - whole, config.log2_resolution - 2 - whole))
        if labels is not None:
            scores = (scores * labels).sum(dim=1, keepdim=True)
        return scores  # type: ignore[no-any-return]

    def _features(self, image: Tensor, fade: float, finest: int) -> Tensor:
        """`[N, hidden]`, the last layer but one, of pictures of size 2^(finest + 2)."""
        x = self.from_rgb[finest](image)
        for i in range(finest - 1, -1, -1):
            x = self.blocks[i](x)
            if fade and i == finest - 1:
                x = torch.lerp(x, self.from_rgb[i](ops.downsample(image)), fade)
        if self.config.mbstd_group_size > 1:
            x = ops.minibatch_std(x, self.config.mbstd_group_size, self.config.mbstd_features)
        x = activate(self.conv(x, self.bias), self.config.nonlinearity)
        return activate(self.dense0(x.flatten(1)), self.config.nonlinearity)
