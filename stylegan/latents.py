"""Free functions on latents: truncation, mixing, interpolation, bands of layers."""

import math

import torch
from torch import Tensor

from stylegan.errors import InputError


def truncate(w: Tensor, w_mean: Tensor, psi: float, cutoff: int) -> Tensor:
    """w' = w̄ + ψ·(w − w̄) for the first `cutoff` layers of `w [N, L, w_dim]` (Karras et al. 2019, appendix B)."""
    if psi == 1 or cutoff == 0:
        return w
    drawn = torch.lerp(w_mean.to(w.dtype), w[:, :cutoff], psi)
    return torch.cat([drawn, w[:, cutoff:]], dim=1)


def mix(w: Tensor, source: Tensor, layers: list[int], amount: float = 1.0) -> Tensor:
    """Style mixing (§3.1): `layers` of `w [N, L, w_dim]` come from `source [1 or N, L, w_dim]` by `amount`.

    0 leaves w, 1 takes the source, other finite amounts lie on the line through both.
    """
    if w.ndim != 3 or source.shape[1:] != w.shape[1:] or len(source) not in (1, len(w)):
        raise InputError(f"Both latents are [N, L, w_dim], the same, not {list(w.shape)} and {list(source.shape)}.")
    outside = [i for i in layers if isinstance(i, bool) or not isinstance(i, int) or not 0 <= i < w.shape[1]]
    if outside:
        raise InputError(f"Layers are from 0 to {w.shape[1] - 1}; {outside[0]!r} is none.")
    if isinstance(amount, bool) or not isinstance(amount, (int, float)) or not math.isfinite(amount):
        raise InputError(f"amount is a finite number, 0 for none of the source and 1 for all, not {amount!r}.")
    share = w.new_zeros(w.shape[1], 1)
    share[layers] = amount
    return torch.lerp(w, source.expand_as(w), share)


def slerp(a: Tensor, b: Tensor, t: Tensor | float) -> Tensor:
    """Spherical interpolation of `a, b [..., D]` on the unit sphere at `t` (`[..., 1]` or a number): unit vectors.

    With a, b unit, d = a·b, p = t·acos(d), c = unit(b − d·a): a·cos p + c·sin p (FACTS §8, path length in Z).
    """
    a, b = _unit(a), _unit(b)
    d = (a * b).sum(dim=-1, keepdim=True)
    p = t * torch.acos(d.clamp(-1, 1))
    c = _unit(b - d * a)
    return _unit(a * torch.cos(p) + c * torch.sin(p))


def _unit(x: Tensor) -> Tensor:
    norm = torch.linalg.vector_norm(x, dim=-1, keepdim=True)
    unit: Tensor = x / norm.clamp_min(torch.finfo(x.dtype).tiny)
    return unit


def bands(num_layers: int) -> dict[str, range]:
    """Layers of the paper's bands (§3.1): coarse 4²–8², middle 16²–32², fine 64² and up; a band may be empty."""
    return {
        "coarse": range(min(4, num_layers)),
        "middle": range(min(4, num_layers), min(8, num_layers)),
        "fine": range(min(8, num_layers), num_layers),
    }
