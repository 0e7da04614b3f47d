"""Skin, mouth, nose, wrinkles, freckles and beard: painted in the head's own coordinates, then lit."""

import torch
from torch import Tensor

from stylegan.data.portraits import palette
from stylegan.data.portraits.attributes import PortraitAttributes
from stylegan.data.portraits.head import EYE_X, EYE_Y, MOUTH_Y
from stylegan.data.portraits.shading import Grain, blend, bump, column, step

Points = tuple[Tensor, Tensor, Tensor]


def skin_albedo(a: PortraitAttributes, grain: Grain, own: Points) -> Tensor:
    """Skin with blush, linear light `[N, 3, P]`."""
    x, y, z = own
    base = palette.ramp(palette.SKIN, a.skin_tone)[..., None]
    colour = base.expand(-1, -1, x.shape[1])
    mottle = grain.one(x + 5.0, y + 5.0, 3.0, 2)
    colour = colour * (1.0 + 0.035 * mottle)[:, None]
    front = step(0.05, 0.35, z)
    ax = x.abs()
    cheeks = bump((ax - 0.36) / 0.17, (y + 0.23) / 0.13) * front
    nose = bump(x / 0.13, (y + 0.20) / 0.09) * front
    ears = step(0.68, 0.76, ax)
    rosy = (cheeks * column(0.12 + 0.42 * a.blush) + 0.22 * nose + 0.25 * ears).clamp(0.0, 1.0)
    red = torch.tensor([1.02, 0.62, 0.58], device=x.device)[None, :, None]
    return colour * torch.lerp(torch.ones_like(colour), red.expand_as(colour), rosy[:, None])


def draw_marks(colour: Tensor, a: PortraitAttributes, grain: Grain, own: Points) -> Tensor:
    """Freckles, wrinkles and nostrils."""
    front = step(0.05, 0.35, own[2])
    colour = _wrinkles(_freckles(colour, a, grain, own, front), a, grain, own, front)
    return _nostrils(colour, a, own)


def _freckles(colour: Tensor, a: PortraitAttributes, grain: Grain, own: Points, front: Tensor) -> Tensor:
    if not grain.visible(36.0):
        return colour
    x, y, _ = own
    fine, spots = grain.at(x + 4.0, y + 4.0, 36.0, 0, 3)
    where = bump((x.abs() - 0.22) / 0.30, (y + 0.17) / 0.17) * front
    mask = step(0.42, 0.62, spots + 0.25 * fine) * where
    tint = torch.tensor([0.72, 0.50, 0.38], device=x.device)[None, :, None]
    return blend(colour, colour * tint, mask * column(a.freckles.clamp(max=1.0)) * 0.9)


def _wrinkles(colour: Tensor, a: PortraitAttributes, grain: Grain, own: Points, front: Tensor) -> Tensor:
    """Forehead lines, crow's feet and the fold from nose to mouth; where exactly, the noise decides."""
    x, y, _ = own
    ax = x.abs()
    wobble = grain.at(x + 7.0, y + 2.0, 3.0, 0, 1, 2, 3)
    old = column(step(0.25, 0.85, a.age))
    rows = torch.cos((y + 0.03 * wobble[0] + 0.10 * x * x) * 58.0 + 6.0 * wobble[3].mean(1, keepdim=True))
    forehead = step(0.55, 1.0, rows) * bump(x / 0.34, (y - 0.50) / 0.13)
    dx, dy = ax - EYE_X - 0.14, y - EYE_Y - 0.02
    feet = step(0.3, 1.0, torch.cos(torch.atan2(dy, dx + 0.02) * 9.0 + 2.0 * wobble[1]))
    feet = feet * bump((dx - 0.10) / 0.06, dy / 0.10)
    bend = 0.125 + 0.13 * step(-0.17, -0.50, y) + 0.012 * wobble[2]
    fold = torch.exp(-((ax - bend) / 0.022).square()) * step(-0.60, -0.45, y) * step(-0.17, -0.28, y)
    smile = column(a.smile.clamp(min=0.0))
    sag = torch.exp(-((ax - 0.24 - 0.10 * (MOUTH_Y - y) - 0.01 * wobble[3]) / 0.024).square())
    sag = sag * step(-0.74, -0.62, y) * step(-0.44, -0.54, y)
    bags = bump((ax - EYE_X + 0.02) / 0.13, (y - EYE_Y + 0.20 - 0.8 * (ax - EYE_X).square()) / 0.030)
    depth = (0.42 * forehead + 0.45 * feet + 0.26 * sag + 0.30 * bags) * old + fold * (0.10 * smile + 0.36 * old)
    tint = torch.tensor([0.75, 1.0, 1.05], device=x.device)[None, :, None]  # creases are reddish
    return colour * (1.0 - (depth * front)[:, None] * tint).clamp(0.0, 1.0)


def _nostrils(colour: Tensor, a: PortraitAttributes, own: Points) -> Tensor:
    """Two dark hollows under the tip of the nose."""
    x, y, z = own
    wide = 0.96 + 0.20 * a.nose_width
    nose_y = column(-0.19 - 0.04 * a.nose_length - 0.01 * a.age)
    hole = bump((x.abs() - column(0.060 * wide)) / 0.034, (y - nose_y + 0.074) / 0.019) * step(0.4, 0.55, z)
    return colour * (1.0 - 0.62 * hole)[:, None]


def draw_mouth(colour: Tensor, a: PortraitAttributes, grain: Grain, own: Points) -> Tensor:
    """Lips, teeth, tongue and the dark behind them."""
    x, y, z = own
    smile, grin = column(a.smile), column(a.smile.clamp(min=0.0))
    half = 0.195 + 0.060 * smile.clamp(min=-0.5) + 0.02 * column(a.face_width) - 0.02 * column(a.mouth_open)
    t = (x / half).clamp(-1.0, 1.0)
    arch = (1.0 - t * t).clamp(min=0.0)
    seam = MOUTH_Y + (0.012 + 0.085 * smile) * (t * t - 0.40) + 0.006 * (1.0 - torch.exp(-(t / 0.25).square())) * arch
    gap = column(0.155 * a.mouth_open + 0.02 * a.smile.clamp(min=0.0) * (a.mouth_open * 8.0).clamp(max=1.0))
    top = seam + 0.22 * gap * arch.pow(0.6)
    bottom = seam - 0.80 * gap * arch.pow(0.6 + 0.25 * grin)
    full = column(1.0 + 0.32 * a.lip_fullness)
    bow = 1.0 - 0.30 * torch.exp(-(t / 0.16).square())
    upper_edge = top + 0.060 * full * (1.0 - 0.35 * grin) * arch.pow(0.75) * bow
    lower_edge = bottom - 0.072 * full * (1.0 - 0.25 * grin) * arch.pow(0.85)
    soft = 0.006 + 0.6 * grain.pixel
    front = step(0.25, 0.4, z)
    lips = step(-soft, soft, torch.minimum(upper_edge - y, y - lower_edge)) * step(1.02, 0.94, (x / half).abs()) * front

    made_up = column(a.makeup)[..., None]
    base = palette.ramp(palette.SKIN, a.skin_tone)[..., None]
    natural = base * torch.tensor([0.88, 0.46, 0.46], device=x.device)[None, :, None]
    stick = palette.ramp(((176, 42, 56), (196, 74, 92), (150, 44, 72)), a.clothes_hue / 360.0)[..., None]
    lip = torch.lerp(natural, stick * (0.35 + 0.65 * base.amax(1, keepdim=True)), 0.75 * made_up)
    plump = step(0.0, 0.03, bottom - y) * bump(t / 0.5, (y - 0.5 * (bottom + lower_edge)) / 0.022)
    creases = grain.one(x * 3.0 + 2.0, y * 0.6 + 6.0, 14.0, 0)
    tone = 0.80 + 0.30 * step(0.0, -0.02, y - bottom) + 0.40 * plump + 0.10 * creases
    colour = blend(colour, lip * tone[:, None], lips * (0.80 + 0.2 * column(a.makeup)))
    return _inside_mouth(colour, grain, (x, y), (top, bottom), front, gap, (half, arch, t))


def _inside_mouth(
    colour: Tensor, grain: Grain, at: tuple[Tensor, Tensor], edges: tuple[Tensor, Tensor], front: Tensor, gap: Tensor,
    shape: tuple[Tensor, Tensor, Tensor],
) -> Tensor:  # fmt: skip
    x, y = at
    top, bottom = edges
    half, arch, t = shape
    soft = 0.004 + 0.5 * grain.pixel
    inside = torch.minimum(top - y, y - bottom)
    ends = step(1.0, 0.90, (x / half).abs())
    mouth = step(-soft, soft, inside) * ends * front * step(0.0, 0.03, gap)
    seam = torch.exp(-((y - top) / (0.010 + 0.45 * grain.pixel)).square()) * ends * front
    colour = blend(colour, colour * 0.30, seam * 0.85 * (1.0 - mouth))
    dark = palette.constant((62, 18, 22), x)
    tongue = bump(t / 0.65, (y - bottom) / (0.42 * gap + 1e-3))
    deep = blend(dark.expand_as(colour), palette.constant((196, 92, 92), x), 0.85 * tongue)
    teeth = step(-soft, soft, y - top + 0.52 * gap * arch.pow(0.4)) * step(1.0, 0.7, t.abs())
    white = palette.constant((244, 238, 228), x) * (0.95 - 0.25 * t * t)[:, None]
    deep = blend(deep, white, teeth)
    return blend(colour, deep * (0.55 + 0.45 * step(-0.01, 0.045, top - y))[:, None], mouth)


def draw_beard(colour: Tensor, a: PortraitAttributes, grain: Grain, own: Points) -> Tensor:
    """Stubble, then strands that flow down and outwards, on chin, jaw and upper lip."""
    x, y, z = own
    side = torch.atan2(x.abs(), z + 0.1)
    wave = grain.one(x * 2.0 + 9.0, y + 9.0, 5.0, 1)
    line = -0.56 + 0.15 * step(0.24, 0.40, side) + 0.47 * step(0.50, 1.10, side)
    jaw = step(-0.045, 0.055, line - y + 0.04 * wave) * step(1.50, 1.32, side)
    jaw = jaw * step(-1.04, -0.90, y + 0.35 * (0.2 - z).clamp(min=0.0)) * step(-0.12, 0.05, z)
    smile = column(a.smile)
    half = 0.26 + 0.04 * smile
    droop = y - MOUTH_Y - 0.120 + 1.1 * x * x - 0.02 * smile
    lip = step(0.066, 0.030, droop.abs() - 0.01 * wave) * step(half, half - 0.07, x.abs()) * step(0.3, 0.45, z)
    lip = lip * column(a.moustache > 0.25)
    where = torch.maximum(jaw, lip)
    flow = x * (1.0 + 0.25 * y) + 0.03 * wave
    strands = grain.one(flow + 6.0, y * 0.22 + 6.0, 16.0, 0) * 0.6 + grain.one(flow + 3.0, y * 0.2 + 3.0, 44.0, 1)
    dots = grain.one(x + 3.0, y + 3.0, 52.0, 2)
    amount = column(a.beard)
    grown = step(0.26, 0.55, amount + 0.05 * strands)
    hair = palette.hair_colour(a.hair_hue, a.hair_lightness * 0.8, a.hair_grey)[..., None]
    cover = where * (grown * 0.93 + (1.0 - grown) * step(0.02, 0.35, amount) * (0.42 + 0.25 * dots))
    return blend(colour, hair * (0.85 + 0.55 * strands)[:, None].clamp(min=0.2), cover)
