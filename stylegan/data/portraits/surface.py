"""Smooth solids as sums of ellipsoids, and their intersection with parallel rays.

A solid is the set F ≥ 1 of F(p) = Σ exp(sₖ (1 − Qₖ(p))) with Qₖ the quadratic form of ellipsoid k: a smooth union
(Blinn 1982, "A generalization of algebraic surface drawing"), sharper with larger sₖ. Carved ellipsoids divide F by
1 + Σ exp(…). With sₖ Qₖ = p² + q² + h (z − τ)² (Cholesky), where p, q and τ are linear in x and y, each Qₖ is a
parabola along a ray, so log F, its slope and its curvature are cheap, and three or four steps of a second-order root
finder reach the surface. Units: 1 is half of a head's height; x right, y up, z towards the viewer.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor

Number = Tensor | float
Triple = tuple[Number, Number, Number]
_FLOOR = 1e-20
_FAINT = 16.0  # an ellipsoid whose exponent lies so far below what matters adds less than 1e-7


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
    """K ellipsoids per picture in view space, `[N, K]` each; the last `carved` of them are taken away.

    p = p_u u + p_v v + p_0, q = q_v v + q_0, τ = tau_0 − a u − b v.
    """

    sharp: Tensor
    height: Tensor  # h
    p_u: Tensor
    p_v: Tensor
    p_0: Tensor
    q_v: Tensor
    q_0: Tensor
    tau_0: Tensor
    a: Tensor
    b: Tensor
    thinnest: Tensor  # the smallest radius
    carved: int

    def only(self, kept: Tensor) -> "Solid":
        """The ellipsoids with these numbers, ascending."""
        k = self.sharp.shape[1] - self.carved
        parts = {f.name: getattr(self, f.name)[:, kept] for f in fields(self) if f.name != "carved"}
        return Solid(**parts, carved=int((kept >= k).sum()))


@dataclass(frozen=True)
class Rays:
    """Rays among the ellipsoids of a solid: p, q, τ and s − p² − q², the exponent where they meet most of it."""

    p: Tensor  # [N, K, P] each
    q: Tensor
    tau: Tensor
    gain: Tensor


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
    cx, cy, cz = torch.matmul(centre, rotation.transpose(1, 2)).unbind(2)
    height = form[:, :, 2, 2]
    a, b = form[:, :, 0, 2] / height, form[:, :, 1, 2] / height
    p_u = (form[:, :, 0, 0] - a * a * height).sqrt()
    p_v = (form[:, :, 0, 1] - a * b * height) / p_u
    q_v = (form[:, :, 1, 1] - b * b * height - p_v * p_v).sqrt()
    return Solid(
        sharp.expand(n, -1), height, p_u, p_v, -p_u * cx - p_v * cy, q_v, -q_v * cy,
        cz + a * cx + b * cy, a, b, radii.amin(2), len(carved),
    )  # fmt: skip


def passes_near(s: Solid, u: Tensor, v: Tensor, reach: float) -> Tensor:
    """Which of the rays (u, v), `[N, P]` each, may have a margin of −`reach` or more: bool `[N, P]`, never too few."""
    keep = s.sharp.shape[1] - s.carved
    # With x² = Q the margin is (1 − Q) / |∇Q| ≤ (1/x − x) r / 2, r the smallest radius: −reach is at x = m + √(m² + 1)
    # with m = reach / r. A union swells a little beyond its parts.
    m = reach / s.thinnest
    least = s.sharp * (1.0 - (m + (m * m + 1.0).sqrt()).square()) - 2.0
    return (_rays(s, u, v).gain > least[..., None])[:, :keep].any(1)


def trace(s: Solid, u: Tensor, v: Tensor, steps: int = 4) -> Hit:
    """First meeting of the rays (u, v, z → −∞), `[N, P]` each, with the solid."""
    s, r = _that_matter(s, _rays(s, u, v))
    z = _first_guess(s, r)
    inside, outside = torch.full_like(z, -1e3), z + 0.6  # the surface is known to lie between these
    for _ in range(steps):
        level, slope, bend = _along_ray(s, r, z)
        within = level >= 0.0
        inside = torch.where(within, torch.maximum(inside, z), inside)
        outside = torch.where(within | (z < inside), outside, torch.minimum(outside, z))
        root = (slope * slope - 2.0 * level * bend).clamp(min=0.0).sqrt()
        stride = torch.where(within, 0.10, 0.60)
        move = -(slope + root) / bend  # to the front root of the parabola, or to its top
        ahead = z + torch.minimum(torch.maximum(move, -stride), stride)
        lost = (inside > -1e2) & ((ahead <= inside) | (ahead >= outside)) & (level.abs() > 1e-3)
        z = torch.where(lost, 0.5 * (inside + outside), ahead)
    hit = _surface_at(s, r, z)
    return Hit(z, hit.normal, torch.where(inside > -1e2, 0.0, hit.margin))


def log_density(s: Solid, x: Tensor, y: Tensor, z: Tensor) -> Tensor:
    """log F at the points (x, y, z), `[N, P]` each: positive inside, falling outside."""
    r = _rays(s, x, y)
    depth = z[:, None] - r.tau
    weight = _weights(r.gain, s.height[..., None] * depth, depth)
    keep = s.sharp.shape[1] - s.carved
    return weight[:, :keep].sum(1).clamp(min=_FLOOR).log() - torch.log1p(weight[:, keep:].sum(1))


def _rays(s: Solid, u: Tensor, v: Tensor) -> Rays:
    u, v = u[:, None], v[:, None]

    def line(start: Tensor, by_u: Tensor | None, by_v: Tensor) -> Tensor:
        along = torch.addcmul(start[..., None], by_v[..., None], v)
        return along if by_u is None else along.addcmul_(by_u[..., None], u)

    p, q, tau = line(s.p_0, s.p_u, s.p_v), line(s.q_0, None, s.q_v), line(s.tau_0, -s.a, -s.b)
    gain = torch.addcmul(s.sharp[..., None], p, p, value=-1.0).addcmul_(q, q, value=-1.0)
    return Rays(p, q, tau, gain)


def _that_matter(s: Solid, r: Rays) -> tuple[Solid, Rays]:
    """Without the ellipsoids that these rays hardly notice: in a part of the picture that is about a third."""
    keep = s.sharp.shape[1] - s.carved
    most = r.gain[:, :keep].amax(1).amin().clamp(-12.0, 0.0)  # log F on a surface is 0, and rays that miss have less
    top = r.gain.amax((0, 2))
    kept = (top > most - _FAINT).index_fill(0, top[:keep].argmax(), True).nonzero()[:, 0]
    if len(kept) == len(top):
        return s, r
    return s.only(kept), Rays(*(part.index_select(1, kept) for part in (r.p, r.q, r.tau, r.gain)))


def _first_guess(s: Solid, r: Rays) -> Tensor:
    """The nearest root of any single ellipsoid; where a ray misses them all, the depth closest to one."""
    keep = s.sharp.shape[1] - s.carved
    gain, tau, height = r.gain[:, :keep], r.tau[:, :keep], s.height[:, :keep, None]
    root = tau + (gain.clamp(min=0.0) / height).sqrt()
    nearest = torch.where(gain > 0.0, root, -1e3).amax(dim=1)
    best, k = gain.max(dim=1)
    return torch.where(best > 0.0, nearest, tau.gather(1, k[:, None])[:, 0])


def _along_ray(s: Solid, r: Rays, z: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """log F at depth z and its first and second derivative there; the latter kept below −4, as in a convex solid."""
    height = s.height[..., None]
    x = z[:, None] - r.tau
    hx = height * x
    weight = _weights(r.gain, hx, x)
    pull = weight * hx
    curve = hx.mul_(pull).addcmul_(weight, height, value=-0.5)
    keep = weight.shape[1] - s.carved

    def moments(part: slice, extra: float) -> tuple[Tensor, Tensor, Tensor]:
        w = weight[:, part].sum(1).clamp(min=_FLOOR) + extra
        first = pull[:, part].sum(1) * (-2.0 / w)
        second = curve[:, part].sum(1) * (4.0 / w) - first * first
        return w.log(), first, second

    level, slope, bend = moments(slice(0, keep), 0.0)
    if s.carved:
        less, less_slope, less_bend = moments(slice(keep, None), 1.0)
        level, slope, bend = level - less, slope - less_slope, bend - less_bend
    return level, slope, bend.clamp(max=-4.0)


def _weights(gain: Tensor, hx: Tensor, x: Tensor) -> Tensor:
    """exp(gain − h x²); the floor keeps the numbers normal, subnormal ones are slow."""
    return torch.addcmul(gain, hx, x, value=-1.0).clamp_(min=-50.0).exp_()


def _surface_at(s: Solid, r: Rays, z: Tensor) -> Hit:
    """The normal −∇F/|∇F| and the distance at depth z, from the closed form of the gradient."""
    x = z[:, None] - r.tau
    hx = s.height[..., None] * x
    weight = _weights(r.gain, hx, x)
    keep = weight.shape[1] - s.carved
    total = weight[:, :keep].sum(1).clamp(min=_FLOOR)
    share = weight[:, :keep] / total[:, None]
    level = total.log()
    if s.carved:
        less = 1.0 + weight[:, keep:].sum(1)
        share = torch.cat((share, -weight[:, keep:] / less[:, None]), dim=1)
        level = level - less.log()
    p, q, pull = share * r.p, share * r.q, hx.mul_(share)
    gx = 2.0 * (p * s.p_u[..., None]).addcmul_(pull, s.a[..., None]).sum(1)
    gy = 2.0 * p.mul_(s.p_v[..., None]).addcmul_(q, s.q_v[..., None]).addcmul_(pull, s.b[..., None]).sum(1)
    gz = 2.0 * pull.sum(1)
    size = (gx * gx + gy * gy + gz * gz + 1e-12).sqrt()
    normal = torch.stack((gx, gy, gz), dim=1) / size[:, None]
    return Hit(z, normal, (level / size).clamp(max=0.0))
