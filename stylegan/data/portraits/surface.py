"""Smooth solids as sums of ellipsoids, and their intersection with parallel rays.

A solid is the set F ≥ 1 of F(p) = Σ exp(sₖ (1 − Qₖ(p))) with Qₖ the quadratic form of ellipsoid k: a smooth union
(Blinn 1982, "A generalization of algebraic surface drawing"), sharper with larger sₖ. Carved ellipsoids divide F by
1 + Σ exp(…). Along a ray each Qₖ is a parabola, so log F, its slope and its curvature are cheap, and three steps of a
second-order root finder reach the surface. Units: 1 is half of a head's height; x right, y up, z towards the viewer.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

Number = Tensor | float
Triple = tuple[Number, Number, Number]
_FLOOR = 1e-20


@dataclass(frozen=True)
class Blob:
    """One ellipsoid: centre, radii, sharpness, and a turn about z (radians, +x towards +y). Numbers or tensors [N]."""

    centre: Triple
    radii: Triple
    sharp: float = 8.0
    turn: Number = 0.0

    def mirrored(self) -> "tuple[Blob, Blob]":
        """This one and its mirror image in the plane x = 0."""
        x, y, z = self.centre
        return self, Blob((-x, y, z), self.radii, self.sharp, -self.turn)


@dataclass(frozen=True)
class Solid:
    """K ellipsoids per picture in view space; the last `carved` of them are taken away."""

    centre: Tensor  # [N, K, 3]
    form: Tensor  # [N, K, 3, 3], symmetric, times the sharpness
    sharp: Tensor  # [K]
    carved: int


@dataclass(frozen=True)
class Hit:
    """Where rays meet a solid, or pass closest. All `[N, P]`, normal `[N, 3, P]`."""

    z: Tensor  # depth of the point, larger is nearer
    normal: Tensor
    margin: Tensor  # 0 on the surface, minus the distance where the ray misses


def solid(parts: Sequence[Blob], carved: Sequence[Blob], rotation: Tensor) -> Solid:
    """Turn `parts` minus `carved` from their own frame into view space by `rotation` `[N, 3, 3]`."""
    blobs = [*parts, *carved]
    n, like = len(rotation), rotation[:, 0, 0]

    def column(values: Sequence[Number]) -> Tensor:
        return torch.stack([v if isinstance(v, Tensor) else torch.full_like(like, v) for v in values], dim=1)

    centre = torch.stack([column([b.centre[i] for b in blobs]) for i in range(3)], dim=2)  # [N, K, 3]
    radii = torch.stack([column([b.radii[i] for b in blobs]) for i in range(3)], dim=2)
    turn = column([b.turn for b in blobs])
    cos, sin, zero, one = turn.cos(), turn.sin(), torch.zeros_like(turn), torch.ones_like(turn)
    own = torch.stack((cos, -sin, zero, sin, cos, zero, zero, zero, one), dim=2).reshape(n, -1, 3, 3)
    axes = torch.matmul(rotation[:, None], own)
    sharp = torch.tensor([b.sharp for b in blobs], dtype=torch.float32, device=rotation.device)
    form = torch.matmul(axes * (sharp[None, :, None] / radii.square())[:, :, None], axes.transpose(2, 3))
    return Solid(torch.matmul(centre, rotation.transpose(1, 2)), form, sharp, len(carved))


def trace(s: Solid, u: Tensor, v: Tensor, steps: int = 4) -> Hit:
    """First meeting of the rays (u, v, z → −∞), `[N, P]` each, with the solid."""
    m = s.form[..., None]
    du, dv = u[:, None] - s.centre[:, :, 0, None], v[:, None] - s.centre[:, :, 1, None]  # [N, K, P]
    height = m[:, :, 2, 2]
    a, b = m[:, :, 0, 2] / height, m[:, :, 1, 2] / height
    tau = s.centre[:, :, 2, None] - a * du - b * dv  # the depth where ellipsoid k is thickest
    e, f = m[:, :, 0, 0] - a * a * height, m[:, :, 0, 1] - a * b * height
    g = m[:, :, 1, 1] - b * b * height
    gain = s.sharp[None, :, None] - (e * du * du + 2.0 * f * du * dv + g * dv * dv)
    z = _first_guess(s, gain, tau, height)
    inside, outside = torch.full_like(z, -1e3), z + 0.6  # the surface is known to lie between these
    for _ in range(steps):
        level, slope, bend = _along_ray(s, gain, tau, height, z)
        within = level >= 0.0
        inside = torch.where(within, torch.maximum(inside, z), inside)
        outside = torch.where(within | (z < inside), outside, torch.minimum(outside, z))
        root = (slope * slope - 2.0 * level * bend).clamp(min=0.0).sqrt()
        stride = torch.where(within, 0.10, 0.60)
        move = -(slope + root) / bend  # to the front root of the parabola, or to its top
        ahead = z + torch.minimum(torch.maximum(move, -stride), stride)
        lost = (inside > -1e2) & ((ahead <= inside) | (ahead >= outside)) & (level.abs() > 1e-3)
        z = torch.where(lost, 0.5 * (inside + outside), ahead)
    hit = _surface_at(s, gain, tau, height, (a, b, e, f, g), (du, dv), z)
    return Hit(z, hit.normal, torch.where(inside > -1e2, 0.0, hit.margin))


def _first_guess(s: Solid, gain: Tensor, tau: Tensor, height: Tensor) -> Tensor:
    """The nearest root of any single ellipsoid; where a ray misses them all, the depth closest to one."""
    solid_gain = gain[:, : gain.shape[1] - s.carved]
    tau, height = tau[:, : solid_gain.shape[1]], height[:, : solid_gain.shape[1]]
    root = tau + (solid_gain.clamp(min=0.0) / height).sqrt()
    nearest = torch.where(solid_gain > 0.0, root, -1e3).amax(dim=1)
    best, k = solid_gain.max(dim=1)
    return torch.where(best > 0.0, nearest, tau.gather(1, k[:, None])[:, 0])


def _along_ray(s: Solid, gain: Tensor, tau: Tensor, height: Tensor, z: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """log F at depth z and its first and second derivative there; the latter kept below −4, as in a convex solid."""
    x = z[:, None] - tau
    hx = height * x
    weight = _weights(gain, hx, x)
    pull = weight * hx
    curve = 4.0 * hx.mul_(pull).sub_(weight * (0.5 * height))
    keep = gain.shape[1] - s.carved

    def moments(part: slice, extra: float) -> tuple[Tensor, Tensor, Tensor]:
        w = weight[:, part].sum(1).clamp(min=_FLOOR) + extra
        first = pull[:, part].sum(1) * (-2.0 / w)
        second = curve[:, part].sum(1) / w - first * first
        return w.log(), first, second

    level, slope, bend = moments(slice(0, keep), 0.0)
    if s.carved:
        less, less_slope, less_bend = moments(slice(keep, None), 1.0)
        level, slope, bend = level - less, slope - less_slope, bend - less_bend
    return level, slope, bend.clamp(max=-4.0)


def _weights(gain: Tensor, hx: Tensor, x: Tensor) -> Tensor:
    """exp(gain − h x²); the floor keeps the numbers normal, subnormal ones are slow."""
    return torch.addcmul(gain, hx, x, value=-1.0).clamp_(min=-50.0).exp_()


def _surface_at(
    s: Solid,
    gain: Tensor,
    tau: Tensor,
    height: Tensor,
    ray: tuple[Tensor, Tensor, Tensor, Tensor, Tensor],
    offset: tuple[Tensor, Tensor],
    z: Tensor,
) -> Hit:
    """The normal −∇F/|∇F| and the distance at depth z, from the closed form of the gradient."""
    (a, b, e, f, g), (du, dv) = ray, offset
    x = z[:, None] - tau
    hx = height * x
    weight = _weights(gain, hx, x)
    keep = gain.shape[1] - s.carved
    total = weight[:, :keep].sum(1).clamp(min=_FLOOR)
    share = weight[:, :keep] / total[:, None]
    level = total.log()
    if s.carved:
        less = 1.0 + weight[:, keep:].sum(1)
        share = torch.cat((share, -weight[:, keep:] / less[:, None]), dim=1)
        level = level - less.log()
    pull = share * hx
    gz = 2.0 * pull.sum(1)
    gx = 2.0 * (share * (e * du + f * dv) + pull * a).sum(1)
    gy = 2.0 * (share * (f * du + g * dv) + pull * b).sum(1)
    size = (gx * gx + gy * gy + gz * gz + 1e-12).sqrt()
    normal = torch.stack((gx, gy, gz), dim=1) / size[:, None]
    return Hit(z, normal, (level / size).clamp(max=0.0))


def log_density(s: Solid, x: Tensor, y: Tensor, z: Tensor) -> Tensor:
    """log F at the points (x, y, z), `[N, P]` each: positive inside, falling outside."""
    d = torch.stack((x, y, z), dim=1)[:, None] - s.centre[..., None]  # [N, K, 3, P]
    q = (torch.matmul(s.form, d) * d).sum(2)
    weight = (s.sharp[None, :, None] - q).clamp_(min=-50.0).exp_()
    keep = q.shape[1] - s.carved
    return weight[:, :keep].sum(1).clamp(min=_FLOOR).log() - torch.log1p(weight[:, keep:].sum(1))
