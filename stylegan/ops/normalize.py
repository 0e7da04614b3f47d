"""Normalisations: over channels, over pixels (with and without a style), and the discriminator's batch statistics.

All epsilons are 1e-8 and stand inside the root, as in the official code.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

EPS = 1e-8


def pixel_norm(x: Tensor) -> Tensor:
    """x · rsqrt(mean over dim 1 of x² + 1e-8), for `[N, C]` or `[N, C, H, W]` (Karras et al. 2018, §4.2)."""
    return x * torch.rsqrt(x.square().mean(dim=1, keepdim=True) + EPS)


def instance_norm(x: Tensor) -> Tensor:
    """Every feature map of `[N, C, H, W]` to mean 0 and biased variance 1."""
    unit = x.new_ones(x.shape[:2])
    return adain(x, unit, torch.zeros_like(unit))


def adain(x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """AdaIN (equation 1): instance norm of `x [N, C, H, W]`, times `scale [N, C]`, plus `shift [N, C]`.

    Computed in float32 where `x` is of lower precision, and returned in the dtype of `x`.
    """
    if x.dtype in (torch.bfloat16, torch.float16):
        return adain(x.float(), scale.float(), shift.float()).to(x.dtype)
    scale, shift = scale.to(x.dtype), shift.to(x.dtype)
    if torch.is_grad_enabled() and (x.requires_grad or scale.requires_grad):
        return _adain_batched(x, scale, shift)
    # A batch norm over one picture is its instance norm with the style as weights: one kernel instead of five passes.
    styled = [F.batch_norm(x[i : i + 1], None, None, scale[i], shift[i], training=True, eps=EPS) for i in range(len(x))]
    return styled[0] if len(styled) == 1 else torch.cat(styled)


def _adain_batched(x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """The same for training: few passes both ways, and the mean taken off first so that nothing cancels."""
    n, c, height, width = x.shape
    pixels = x.permute(0, 2, 3, 1).reshape(n, height * width, c)  # a view when x is channels-last
    centred = pixels - pixels.mean(dim=1, keepdim=True)
    gain = scale * torch.rsqrt(centred.square().mean(dim=1) + EPS)
    styled = torch.addcmul(shift[:, None], centred, gain[:, None])
    return styled.reshape(n, height, width, c).permute(0, 3, 1, 2)


def minibatch_std(x: Tensor, group_size: int = 4, features: int = 1) -> Tensor:
    """Minibatch standard deviation (Karras et al. 2018, §3): `[N, C, H, W]` → `[N, C + features, H, W]`.

    The batch is G = min(group_size, N) rows of N/G samples: sample i is compared with i + N/G, i + 2N/G, … N must be
    divisible by G, which the caller checks.
    """
    n, c, height, width = x.shape
    group = min(group_size, n)
    grouped = x.reshape(group, n // group, features, c // features, height, width)
    std = (grouped - grouped.mean(dim=0)).square().mean(dim=0).add(EPS).sqrt()  # [N/G, F, C/F, H, W]
    extra = std.mean(dim=(2, 3, 4))[:, :, None, None].repeat(group, 1, height, width)  # [N, F, H, W]
    return torch.cat([x, extra], dim=1)
