"""Eyes and brows. An eye is drawn on its ball: lids are curves in the ball's own coordinates, so they wrap round it."""

import torch
from torch import Tensor

from stylegan.data.portraits import palette
from stylegan.data.portraits.attributes import PortraitAttributes
from stylegan.data.portraits.head import EYE_X, EYE_Y, EYE_Z, Frame
from stylegan.data.portraits.shading import Grain, Lamp, blend, bump, column, lit, step

_HALF_WIDTH = 0.86  # of the opening, in radii of the ball


def draw_eyes(
    skin: Tensor, a: PortraitAttributes, f: Frame, lamp: Lamp, grain: Grain, at: tuple[Tensor, Tensor], shade: Tensor
) -> Tensor:
    """Both eyes on the lit skin `[N, 3, P]`; at = view coordinates (u, v) `[N, P]`."""
    for side in (-1.0, 1.0):
        skin = _draw_eye(skin, a, f, lamp, grain, at, shade, side)
    return skin


def _ball(a: PortraitAttributes, f: Frame, at: tuple[Tensor, Tensor], side: float) -> tuple[Tensor, ...]:
    """Directions from the ball's centre to the points seen on it: view space, then the head's frame; and a gate."""
    radius = column(0.215 * (1.0 + 0.08 * a.eye_size))
    one = torch.ones_like(a.yaw)[:, None]
    cx, cy, _cz = f.to_view(side * EYE_X * one, EYE_Y * one, EYE_Z * one)
    du, dv = (at[0] - cx) / radius, (at[1] - cy) / radius
    inside = 1.0 - du * du - dv * dv
    dz = inside.clamp(min=1e-3).sqrt()
    ex, ey, ez = f.to_head(du, dv, dz)
    return du, dv, dz, ex * side, ey, ez, step(0.02, 0.15, inside)


def _draw_eye(
    skin: Tensor, a: PortraitAttributes, f: Frame, lamp: Lamp, grain: Grain, at: tuple[Tensor, Tensor],
    shade: Tensor, side: float,
) -> Tensor:  # fmt: skip
    du, dv, dz, ex, ey, ez, gate = _ball(a, f, at, side)
    soft = grain.pixel / 0.215
    opening = column((1.15 * a.eye_openness - 0.06 * a.smile.clamp(min=0.0)).clamp(0.06, 1.2))
    level = ey + 0.04 - column(0.10 + 0.14 * a.eye_tilt) * ex
    t = (ex / _HALF_WIDTH).clamp(-1.0, 1.0)
    arch = (1.0 - t * t).clamp(min=1e-4)
    upper = (0.70 * opening - 0.06) * arch.pow(0.60) * (1.0 - 0.12 * t)
    lower = -(0.30 + 0.10 * opening - 0.08 * column(a.smile.clamp(min=0.0))) * arch.pow(0.75)
    gap = torch.minimum(upper - level, level - lower)
    inside = step(-soft, soft, gap) * gate

    dark = palette.constant((42, 26, 22), skin)
    made_up = column(a.makeup)
    # Lid: a fold above the opening, shadow colour on the lid, a soft line below.
    fold = torch.exp(-((level - upper - 0.24) / 0.07).square()) * step(1.05, 0.6, ex) * step(-0.9, -0.4, ex) * gate
    skin = skin * (1.0 - 0.28 * fold)[:, None]
    lid = step(0.0, 0.05, level - upper) * step(0.34, 0.16, level - upper) * step(1.0, 0.6, ex.abs()) * gate
    shadow = palette.ramp(((120, 72, 84), (96, 84, 120), (150, 96, 70)), a.clothes_hue / 360.0)[..., None]
    skin = blend(skin, shadow * (0.45 + skin), lid * made_up * 0.45)
    pouch = torch.exp(-((level - lower + 0.20) / 0.10).square()) * step(1.0, 0.3, ex.abs()) * gate
    skin = skin * (1.0 - (0.07 + 0.20 * column(a.age)) * pouch)[:, None]

    ball = _eyeball(a, lamp, (du, dv, dz), (ex, ey, ez), shade, side, soft, grain)
    lidded = step(-0.02, 0.42, upper - level)
    ball = ball * (0.42 + 0.58 * lidded)[:, None]
    skin = blend(skin, ball, inside)
    # Lash line: thicker outwards and with make-up, never thinner than a pixel can show.
    taper = step(1.12 + 0.10 * made_up, 0.70, ex)
    width = ((0.085 + 0.055 * made_up) * (0.75 + 0.45 * t) + 0.35 * soft) * taper + 1e-3
    wing = (0.22 + 0.30 * made_up) * (ex - 0.62).clamp(min=0.0)
    line = step(width, 0.35 * width, (level - upper - 0.02 - wing).abs())
    line = line * step(-0.92, -0.6, ex) * gate
    comb = 0.5 + 0.5 * torch.sin(ex * 34.0) * grain.visible(12.0)
    reach = (0.13 + 0.13 * made_up) * (0.35 + 0.65 * step(-0.7, 0.9, t))
    lashes = step(reach, 0.0, level - upper) * step(-0.03, 0.03, level - upper) * comb
    lashes = lashes * step(1.0, 0.8, ex.abs()) * gate * column(0.25 + 0.5 * a.softness)
    skin = blend(skin, dark, (line * column(0.72 + 0.25 * a.softness)).clamp(0.0, 1.0))
    skin = blend(skin, dark, lashes * 0.8)
    rim_below = step(0.045 + 0.5 * soft, 0.0, (level - lower + 0.01).abs()) * step(0.98, 0.7, ex.abs()) * gate
    return blend(skin, skin * 0.45, rim_below * column(0.35 + 0.4 * a.makeup))


def _eyeball(
    a: PortraitAttributes, lamp: Lamp, view: tuple[Tensor, Tensor, Tensor], own: tuple[Tensor, Tensor, Tensor],
    shade: Tensor, side: float, soft: float, grain: Grain,
) -> Tensor:  # fmt: skip
    """White, iris, pupil and highlight, lit, `[N, 3, P]`."""
    du, dv, dz = view
    ex, ey, ez = own
    gx, gy = column(0.62 * a.gaze_x) * side, column(0.45 * a.gaze_y)
    px, py = gx.sin(), gy.sin() + 0.05
    pz = (1.0 - px * px - py * py).sqrt()
    cos = ex * px + ey * py + ez * pz
    r = (2.0 - 2.0 * cos).clamp(min=1e-8).sqrt()
    white = palette.constant((246, 240, 236), du).expand(len(du), 3, du.shape[1])
    white = blend(white, palette.constant((214, 160, 150), du), 0.6 * step(0.55, 1.0, ex.abs()))
    angle = torch.atan2(ey - py, ex - px)
    streaks = grain.one(angle * 2.2, r * 2.0, 4.0, 0) * 0.6
    iris = palette.ramp(palette.IRIS, a.iris_colour)[..., None]
    glow = (0.75 + 0.9 * step(0.30, -0.45, ey - py) + 0.35 * streaks)[:, None]
    coloured = iris * glow * (1.0 - 0.72 * step(0.33, 0.47, r))[:, None]
    white = blend(white, coloured, step(0.47 + soft, 0.47 - soft, r))
    white = blend(white, palette.constant((14, 9, 9), du), step(0.215 + soft, 0.215 - soft, r))
    normal = torch.stack((du, dv, dz), dim=1)
    ball = lit(white, normal, lamp, 0.5 + 0.5 * shade, torch.full_like(shade, 0.85), (0.5, 0.5, 0.5))
    gleam_x, gleam_y = 0.16 * lamp.direction[:, 0:1] + column(0.3 * a.gaze_x), 0.22
    shift_x, shift_y = du - gleam_x - 0.30 * lamp.direction[:, 0:1], dv - gleam_y
    spot = step(0.14 + soft, 0.14 - soft, (shift_x.square() + shift_y.square()).sqrt())
    second = 0.35 * bump((shift_x + 0.30) / 0.09, (shift_y + 0.42) / 0.09)
    return ball + (spot * 0.85 + second * 0.5)[:, None]


def draw_brows(skin: Tensor, a: PortraitAttributes, grain: Grain, own: tuple[Tensor, Tensor, Tensor]) -> Tensor:
    """Brows on the skin's albedo `[N, 3, P]`; own = the head's coordinates of the points."""
    x, y, z = own
    front = step(0.15, 0.35, z)
    colour = palette.hair_colour(a.hair_hue, (a.hair_lightness * 0.55).clamp(max=0.38), 0.8 * a.hair_grey)[..., None]
    for side in (-1.0, 1.0):
        t = (x * side - 0.105) / 0.43
        sad = column((-a.smile).clamp(min=0.0))
        arc = 0.055 * torch.sin(t.clamp(0.0, 1.1) * 2.6) - 0.012 * t + sad * 0.07 * (0.5 - t)
        centre = EYE_Y + 0.262 + column(0.035 * a.brow_raise + 0.02 * a.eye_size) + arc
        half = column(0.040 + 0.018 * a.brow_thickness - 0.010 * (a.softness - 0.3)) * (1.05 - 0.62 * t.clamp(0.0, 1.0))
        hairs = grain.one(x * side - 0.55 * y + 3.0, y + 2.0, 46.0, 1)
        edge = half * (1.0 + 0.35 * hairs) - (y - centre).abs()
        softness = 0.012 + 0.4 * grain.pixel
        mask = step(-softness, softness, edge) * step(-0.05, 0.12, t) * step(1.08, 0.9, t) * front
        skin = blend(skin, colour * (0.85 + 0.5 * hairs)[:, None], mask * 0.88)
    return skin
