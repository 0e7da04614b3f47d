"""Normalisations: over channels, over pixels (with and without a style), and the discriminator's batch statistics.

All epsilons are 1e-8 and stand inside the root, as in the official code.
"""

import math
from typing import Any

import torch
from torch import Tensor

from stylegan.ops.bands import band_rows, needs_grad

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

    The mean is taken off before the variance is, so that nothing cancels in maps that hardly vary. Computed in float32
    where `x` is of lower precision, and returned in the dtype of `x`.
    """
    if needs_grad(x, scale, shift) and not torch.compiler.is_compiling():
        styled: Tensor = _AdaIN.apply(x, scale, shift)  # type: ignore[no-untyped-call]
        return styled
    return _adain(x, scale, shift)


def _adain(x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    return _styled(*_centred(x), scale, shift, x)


def _styled(centred: Tensor, root: Tensor, scale: Tensor, shift: Tensor, like: Tensor) -> Tensor:
    gain = scale.to(root.dtype)[:, None] * root
    return _picture(torch.addcmul(shift.to(root.dtype)[:, None], centred, gain), like)


def _centred(x: Tensor) -> tuple[Tensor, Tensor]:
    """x − μ as `[N, H·W, C]`, and 1/σ `[N, 1, C]`."""
    pixels = _pixels(x)
    centred = pixels - pixels.mean(dim=1, keepdim=True)
    return centred, torch.rsqrt(centred.square().mean(dim=1, keepdim=True) + EPS)


def _pixels(x: Tensor) -> Tensor:
    """`[N, C, H, W]` → `[N, H·W, C]`, float32 at least: a view where `x` is that, and channels-last."""
    pixels = x.permute(0, 2, 3, 1).flatten(1, 2)
    return pixels.float() if x.dtype in (torch.bfloat16, torch.float16) else pixels


def _picture(pixels: Tensor, like: Tensor) -> Tensor:
    """The inverse of `_pixels`."""
    n, c, height, width = like.shape
    return pixels.reshape(n, height, width, c).permute(0, 3, 1, 2).to(like.dtype)


class _AdaIN(torch.autograd.Function):
    """`_adain` with its gradient in three passes over the features rather than autograd's ten."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        centred, root = _centred(x)
        ctx.save_for_backward(x, scale, shift, centred, root)
        return _styled(centred, root, scale, shift, x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, scale, shift, centred, root = ctx.saved_tensors
        if torch.is_grad_enabled():  # it is to be differentiated again
            inputs = [tensor for tensor in (x, scale, shift) if tensor.requires_grad]
            found = iter(torch.autograd.grad(_adain(x, scale, shift), inputs, grad, create_graph=True))
            return tuple(next(found) if needed else None for needed in ctx.needs_input_grad)
        pixels = _pixels(grad)
        mean, slope = pixels.mean(dim=1, keepdim=True), (pixels * centred).mean(dim=1, keepdim=True)
        # With x̂ = (x − μ)/σ and g the gradient by the result: ∂x = s/σ·(g − mean g − x̂·mean(g·x̂)).
        gain = scale.to(root.dtype)[:, None] * root
        by_x = torch.addcmul(-gain * mean, pixels, gain).addcmul_(centred, gain * root.square() * slope, value=-1)
        count = pixels.shape[1]
        by_scale, by_shift = (slope * root)[:, 0] * count, mean[:, 0] * count
        return _picture(by_x, x), by_scale.to(scale.dtype), by_shift.to(shift.dtype)


def adain_(x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """`adain` for a caller that made `x` and needs it no more: overwrites it, unless autograd needs it (or a compiler,
    which plans memory itself).
    """
    if needs_grad(x, scale, shift) or x.dtype in (torch.bfloat16, torch.float16) or torch.compiler.is_compiling():
        return adain(x, scale, shift)
    # Not a batch norm with the style as its weights: on the CPU it sums a channels-last map one pixel after the other
    # in float32, which is 1e-4 off at 1024².
    scale, shift = scale[:, :, None, None].to(x.dtype), shift[:, :, None, None].to(x.dtype)
    bands = torch.split(x, band_rows(x.shape[2], x.nbytes, x.device), dim=2)
    mean = x.mean(dim=(2, 3), keepdim=True)
    squares = [band.sub_(mean).square().sum(dim=(2, 3), keepdim=True) for band in bands]
    variance = sum(squares[1:], squares[0]).div_(math.prod(x.shape[2:]))
    return torch.addcmul(shift, x, variance.add_(EPS).rsqrt_().mul_(scale), out=x)


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
