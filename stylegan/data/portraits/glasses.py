"""Glasses: frames in a plane before the eyes, lenses with a faint reflection, and arms to the ears."""

import torch
from torch import Tensor

from stylegan.data.portraits import palette
from stylegan.data.portraits.attributes import PortraitAttributes
from stylegan.data.portraits.head import EYE_X, EYE_Y, Frame
from stylegan.data.portraits.shading import Grain, blend, column, step

_PLANE_Z, _CURVE = 0.80, 0.42
# half width, half height, corner radius, rim, drop of the inner lower corner; one row per shape
_SHAPES = ((0.205, 0.205, 0.200, 0.017, 0.0), (0.235, 0.150, 0.060, 0.018, 0.0), (0.235, 0.175, 0.100, 0.025, -0.10),
           (0.230, 0.200, 0.150, 0.013, -0.22))  # fmt: skip
_FRAMES = ((30, 26, 26), (74, 46, 32), (42, 34, 32), (46, 52, 70), (96, 34, 38))


def draw_glasses(
    picture: Tensor, a: PortraitAttributes, f: Frame, grain: Grain, at: tuple[Tensor, Tensor], ear_free: Tensor
) -> Tensor:
    """Glasses on the picture `[N, 3, P]`; ear_free `[N, P]` is 0 where hair hides the arms."""
    table = torch.tensor(_SHAPES, device=picture.device)[a.glasses_shape.long()]
    half_w, half_h, corner, rim, taper = (table[:, i : i + 1] for i in range(5))
    r = f.rotation[..., None]
    u, v = at
    # The ray's point on the sheet z = _PLANE_Z − _CURVE x² of the head's frame, by three damped steps.
    ox, oy, oz = f.to_head(u, v, torch.zeros_like(u))
    x = ox
    for _ in range(3):
        depth = (_PLANE_Z - _CURVE * x.square().clamp(max=0.5) - oz) / r[:, 2, 2].clamp(min=0.3)
        x = 0.5 * (x + ox + depth * r[:, 2, 0])
    x, y = ox + depth * r[:, 2, 0], oy + depth * r[:, 2, 1]
    soft = 0.004 + 0.55 * grain.pixel
    thick = rim + 0.25 * grain.pixel
    cx, cy = x.abs() - EYE_X - 0.01, y - EYE_Y - 0.005
    width = half_w * (1.0 + taper * (-cy / half_h) * 0.5)
    dx, dy = cx.abs() - (width - corner), cy.abs() - (half_h - corner)
    outside = (dx.clamp(min=0.0).square() + dy.clamp(min=0.0).square() + 1e-9).sqrt()
    edge = outside + torch.maximum(dx, dy).clamp(max=0.0) - corner
    ring = step(soft, -soft, edge.abs() - thick)
    bridge_y = cy - 0.25 * half_h - 0.05 * (1.0 - (x / 0.09).square())
    bridge = step(soft, -soft, bridge_y.abs() - 0.8 * thick) * step(0.0, -soft, x.abs() - (EYE_X + 0.01 - half_w))
    worn = column(a.glasses)
    frame = palette.ramp(_FRAMES, a.clothes_hue / 360.0)[..., None]
    arms = _arms(f, (u, v), half_w, thick, soft) * ear_free
    picture = blend(picture, frame * 0.8, arms * worn)
    lens = step(soft, -soft, edge)
    streak = step(0.06, 0.0, (cx + 0.55 * cy - 0.04).abs() - 0.03) + 0.6 * step(
        0.03, 0.0, (cx + 0.55 * cy + 0.10).abs()
    )
    glare = lens * (0.012 + 0.05 * streak) * step(-0.2, 0.15, cy)
    picture = picture + (glare * worn)[:, None]
    lightness = (0.75 + 0.5 * step(-half_h, half_h, cy))[:, None]
    return blend(picture, frame * lightness, torch.maximum(ring, bridge) * worn)


def _arms(f: Frame, at: tuple[Tensor, Tensor], half_w: Tensor, thick: Tensor, soft: float) -> Tensor:
    """Each arm runs from the outer rim to above the ear; only the near one is seen past the temple."""
    cover = torch.zeros_like(at[0])
    for side in (-1.0, 1.0):
        x0, y0 = side * (EYE_X + 0.01 + half_w), torch.full_like(half_w, EYE_Y + 0.06)
        ax, ay, _ = f.to_view(x0, y0, _PLANE_Z - _CURVE * x0.square())
        bx, by, _ = f.to_view(
            torch.full_like(half_w, side * 0.765), torch.full_like(half_w, EYE_Y + 0.08), torch.full_like(half_w, -0.02)
        )
        dx, dy = bx - ax, by - ay
        length = (dx * dx + dy * dy).clamp(min=1e-4)
        t = (((at[0] - ax) * dx + (at[1] - ay) * dy) / length).clamp(0.0, 1.0)
        distance = ((at[0] - ax - t * dx).square() + (at[1] - ay - t * dy).square() + 1e-9).sqrt()
        near = step(0.02, 0.12, side * dx)  # the arm points outwards in the picture: its side faces us
        cover = torch.maximum(cover, step(soft, -soft, distance - 0.9 * thick) * near)
    return cover
