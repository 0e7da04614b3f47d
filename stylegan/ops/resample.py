"""Blur, nearest up-sampling, box down-sampling, and convolutions fused with them, in their cheap forms.

All take `[N, C, H, W]` in any memory format; channels-last is the fast one. Everything is differentiable twice.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor


def blur(x: Tensor, taps: Sequence[float] = (1, 2, 1), bias: Tensor | None = None) -> Tensor:
    """Depthwise low-pass filter: the outer product of `taps`, normalised to sum 1, zero padding (darker borders, as in
    the official code), plus `bias [C]`, which costs nothing here.
    """
    channels, size = x.shape[1], len(taps)
    row = torch.tensor(taps, dtype=x.dtype, device=x.device)
    kernel = (row[:, None] * row[None, :] / row.sum() ** 2).expand(channels, 1, size, size)
    return F.conv2d(x, kernel, bias, padding=size // 2, groups=channels)


def upsample(x: Tensor, factor: int = 2) -> Tensor:
    """Nearest-neighbour repeat: `[N, C, H·factor, W·factor]`."""
    return x if factor == 1 else F.interpolate(x, scale_factor=float(factor), mode="nearest")


def downsample(x: Tensor, factor: int = 2) -> Tensor:
    """Box mean of every `factor` × `factor` block."""
    return x if factor == 1 else F.avg_pool2d(x, factor)


def upsample_kernel(weight: Tensor) -> Tensor:
    """`[O, C, 3, 3]` → `[4·O, C, 2, 2]`: the four phases of (nearest ×2, then 3×3) as 2×2 kernels on the small picture.

    Along one axis, with taps (k₀, k₁, k₂): an odd output pixel sees (k₀+k₁) of the pixel it lies in and k₂ of the next;
    an even one sees k₀ of the previous and (k₁+k₂) of its own. Output channel 4·o + 2·p + q is phase (p, q) of channel
    o, the order of `pixel_shuffle`, with p = 0 the odd rows and p = 1 the even rows of the row below.
    """
    k0, k1, k2 = weight.unbind(2)
    rows = torch.stack([torch.stack([k0 + k1, k2], -2), torch.stack([k0, k1 + k2], -2)], 1)  # [O, p, C, 2, 3]
    c0, c1, c2 = rows.unbind(-1)
    phases = torch.stack([torch.stack([c0 + c1, c2], -1), torch.stack([c0, c1 + c2], -1)], 2)  # [O, p, q, C, 2, 2]
    return phases.flatten(0, 2).contiguous(memory_format=torch.channels_last)


def upsample_conv_prepared(x: Tensor, kernel: Tensor) -> Tensor:
    """`upsample_conv` with the kernel that `upsample_kernel` made."""
    # With padding 1 the first row of phase p = 0 and the last of p = 1 lie outside the picture: one pixel to crop.
    return F.pixel_shuffle(F.conv2d(x, kernel, padding=1), 2)[:, :, 1:-1, 1:-1]


def upsample_conv(x: Tensor, weight: Tensor) -> Tensor:
    """Nearest ×2, then 3×3 correlation with `weight [O, C, 3, 3]`, zero padding: `[N, O, 2H, 2W]`.

    Done as one 2×2 convolution to 4·O channels at the small size, which is exact and takes 4/9 of the multiplications.
    The official fused path (outputs ≥ 128²), a stride-2 transposed convolution, is this with the kernel turned by 180°.
    """
    return upsample_conv_prepared(x, upsample_kernel(weight))


def conv_downsample(x: Tensor, weight: Tensor) -> Tensor:
    """3×3 correlation with `weight [O, C, 3, 3]`, zero padding, then 2×2 mean: `[N, O, H/2, W/2]`.

    Done as one stride-2 convolution with the 4×4 kernel that is the mean of the four shifted 3×3 ones: exact, and 4/9
    of the multiplications.
    """
    padded = F.pad(weight, (1, 1, 1, 1))
    kernel = 0.25 * (padded[..., 1:, 1:] + padded[..., :-1, 1:] + padded[..., 1:, :-1] + padded[..., :-1, :-1])
    return F.conv2d(x, kernel, stride=2, padding=1)
