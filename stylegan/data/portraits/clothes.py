"""Shoulders, neckline and cloth."""

import torch
from torch import Tensor

from stylegan.data.portraits import palette
from stylegan.data.portraits.attributes import PortraitAttributes
from stylegan.data.portraits.shading import Grain, blend, column, step
from stylegan.data.portraits.surface import Blob, Solid, solid

Points = tuple[Tensor, Tensor, Tensor]


def torso_solid(a: PortraitAttributes, rotation: Tensor) -> Solid:
    """Shoulders and chest, and the roll of a turtleneck where there is one, in view space."""
    broad = 1.0 - 0.16 * (a.softness - 0.5)
    roll = (a.neckline > 2.5).float()
    parts = [
        Blob((0.0, -2.05, -0.22), (1.32 * broad, 0.72, 0.60), 5.0),
        *Blob((0.40, -1.47, -0.28), (0.44 * broad, 0.20, 0.28), 2.5, -0.35).mirrored(),
        Blob((0.0, -1.22 - 0.6 * (1.0 - roll), -0.19), (0.40 - 0.02 * a.softness, 0.24, 0.40), 5.0),
    ]
    return solid(parts, [], rotation)


def cloth(a: PortraitAttributes, grain: Grain, own: Points) -> tuple[Tensor, Tensor]:
    """Albedo `[N, 3, P]`, and how much of each point the cloth covers `[N, P]`; own = torso coordinates."""
    x, y, z = own
    soft = 0.01 + 0.5 * grain.pixel
    kind = column(a.neckline)
    ring = (x.square() + (z + 0.2).square()).sqrt()
    front = step(-0.2, 0.0, z)
    crew = ring - 0.44
    vee = torch.minimum(ring - 0.43, x.abs() - 0.60 * (y + 1.88).clamp(min=0.0) + 1.0 - front)
    shirt = torch.minimum(ring - 0.41, x.abs() - 0.42 * (y + 1.66).clamp(min=0.0) + 1.0 - front)
    margin = torch.where(kind < 0.5, crew, torch.where(kind < 1.5, vee, torch.where(kind < 2.5, shirt, ring + 1.0)))
    cover = step(-soft, soft, margin)
    colour = _dye(a)
    folds = grain.one(x + 3.0, y * 0.6 + z + 3.0, 2.2, 0)
    knit = grain.one(x + 2.0, y + 2.0, 40.0, 1)
    ribs = torch.sin(torch.atan2(x, z + 0.2) * 60.0) * (kind > 2.5) * grain.visible(20.0) * step(0.55, 0.42, ring)
    albedo = colour[..., None] * (1.0 + 0.10 * folds + 0.10 * knit + 0.12 * ribs)[:, None]
    hem = step(0.055, 0.055 - soft, margin) * step(0.0, soft, margin)
    trim = torch.where(kind > 2.5, torch.zeros_like(hem), hem * torch.where(kind > 1.5, 0.0, 0.8))
    albedo = blend(albedo, albedo * 0.72, trim)
    flap = step(-soft, soft, 0.20 - margin - 0.10 * (y + 1.5)) * ((kind > 1.5) & (kind < 2.5))
    pale = 0.5 + 0.5 * colour[..., None]
    seam = step(0.03, 0.0, (0.20 - margin - 0.10 * (y + 1.5)).abs()) * ((kind > 1.5) & (kind < 2.5))
    albedo = blend(albedo, pale.expand_as(albedo), flap * 0.85)
    return blend(albedo, albedo * 0.5, seam * 0.6), cover


def _dye(a: PortraitAttributes) -> Tensor:
    light = a.clothes_lightness
    return palette.hsv(a.clothes_hue, 0.30 + 0.28 * (1.0 - light), 0.26 + 0.60 * light)
