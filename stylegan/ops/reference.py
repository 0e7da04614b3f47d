"""The same operations as their papers' sentences say them: slow, obvious, in plain indexing. Tests hold the fast ones
against these. All take and return `[N, C, H, W]` unless they say otherwise.
"""

from collections.abc import Sequence

import torch
from torch import Tensor


def blur(x: Tensor, taps: Sequence[float] = (1, 2, 1)) -> Tensor:
    """Correlate each channel with the outer product of `taps`, normalised to sum 1, zeros outside the picture."""
    kernel = torch.tensor(taps, dtype=x.dtype, device=x.device)
    kernel = kernel[:, None] * kernel[None, :] / kernel.sum() ** 2
    half, (height, width) = len(taps) // 2, x.shape[2:]
    padded = x.new_zeros(*x.shape[:2], height + 2 * half, width + 2 * half)
    padded[:, :, half : half + height, half : half + width] = x
    out = torch.zeros_like(x)
    for i in range(len(taps)):
        for j in range(len(taps)):
            out = out + kernel[i, j] * padded[:, :, i : i + height, j : j + width]
    return out


def upsample(x: Tensor, factor: int = 2) -> Tensor:
    """Repeat every pixel `factor` × `factor` times."""
    return x.repeat_interleave(factor, dim=2).repeat_interleave(factor, dim=3)


def downsample(x: Tensor, factor: int = 2) -> Tensor:
    """Mean of every `factor` × `factor` block."""
    n, c, height, width = x.shape
    return x.reshape(n, c, height // factor, factor, width // factor, factor).mean(dim=(3, 5))


def conv(x: Tensor, weight: Tensor) -> Tensor:
    """3×3 correlation with zeros outside; `weight [O, C, 3, 3]`."""
    height, width = x.shape[2:]
    padded = torch.nn.functional.pad(x, (1, 1, 1, 1))
    out = x.new_zeros(x.shape[0], weight.shape[0], height, width)
    for i in range(3):
        for j in range(3):
            out = out + torch.einsum("nchw,oc->nohw", padded[:, :, i : i + height, j : j + width], weight[:, :, i, j])
    return out


def upsample_conv(x: Tensor, weight: Tensor) -> Tensor:
    """Nearest ×2, then the 3×3 correlation."""
    return conv(upsample(x), weight)


def conv_downsample(x: Tensor, weight: Tensor) -> Tensor:
    """The 3×3 correlation, then the mean of every 2×2 block."""
    return downsample(conv(x, weight))


def pixel_norm(x: Tensor) -> Tensor:
    """x / √(mean over channels of x² + 1e-8); also for `[N, C]`."""
    return x / torch.sqrt((x * x).sum(dim=1, keepdim=True) / x.shape[1] + 1e-8)


def instance_norm(x: Tensor) -> Tensor:
    """Every feature map minus its mean, over √(biased variance + 1e-8)."""
    centred = x - x.mean(dim=(2, 3), keepdim=True)
    return centred / torch.sqrt((centred * centred).mean(dim=(2, 3), keepdim=True) + 1e-8)


def adain(x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """Equation 1 of the paper: instance norm, times `scale [N, C]`, plus `shift [N, C]`."""
    return instance_norm(x) * scale[:, :, None, None] + shift[:, :, None, None]


def minibatch_std(x: Tensor, group_size: int = 4, features: int = 1) -> Tensor:
    """Append `features` maps: the standard deviation over a group, averaged over pixels and a share of the channels.

    Sample i is grouped with i + N/G, i + 2N/G, …; the share of feature f is channels f·C/F to (f+1)·C/F.
    """
    n, c, height, width = x.shape
    group = min(group_size, n)
    step, share = n // group, c // features
    extra = x.new_zeros(n, features, height, width)
    for i in range(n):
        members = x[i % step :: step]
        std = torch.sqrt(((members - members.mean(dim=0)) ** 2).mean(dim=0) + 1e-8)
        for f in range(features):
            extra[i, f] = std[f * share : (f + 1) * share].mean()
    return torch.cat([x, extra], dim=1)
