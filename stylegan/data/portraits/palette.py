"""Colours: ramps for skin, iris and hair, and the step between sRGB and linear light. Shading works in linear light."""

import torch
from torch import Tensor

Rgb = tuple[float, float, float]

SKIN = (
    (255, 228, 212),
    (248, 213, 190),
    (236, 192, 162),
    (214, 164, 130),
    (180, 130, 100),
    (138, 95, 73),
    (98, 67, 54),
)
IRIS = ((58, 34, 22), (104, 62, 30), (126, 104, 46), (92, 128, 82), (84, 136, 176), (128, 148, 164))


def linear(rgb: Rgb | tuple[int, int, int]) -> Rgb:
    """sRGB 0 … 255 → linear light 0 … 1 (gamma 2.2)."""
    r, g, b = ((c / 255.0) ** 2.2 for c in rgb)
    return r, g, b


def constant(rgb: tuple[int, int, int], like: Tensor) -> Tensor:
    """An sRGB colour as linear light `[1, 3, 1]` on the device of `like`."""
    return torch.tensor(linear(rgb), dtype=torch.float32, device=like.device).reshape(1, 3, 1)


def ramp(stops: tuple[tuple[int, int, int], ...], position: Tensor) -> Tensor:
    """Linear-light colour `[N, 3]` at `position` `[N]` in [0, 1] along evenly spaced sRGB `stops`."""
    table = torch.tensor(stops, dtype=torch.float32, device=position.device)
    x = position.clamp(0.0, 1.0) * (len(stops) - 1)
    low = x.floor().clamp(max=len(stops) - 2)
    mixed = torch.lerp(table[low.long()], table[low.long() + 1], (x - low)[:, None])
    return (mixed / 255.0).pow(2.2)


def hsv(hue_deg: Tensor, saturation: Tensor, value: Tensor) -> Tensor:
    """Hue in degrees, saturation and value in [0, 1] → linear light `[N, 3]`."""
    offsets = torch.tensor([5.0, 3.0, 1.0], device=hue_deg.device)
    k = (hue_deg[:, None] / 60.0 + offsets) % 6.0
    share = torch.minimum(k, 4.0 - k).clamp(0.0, 1.0)
    rgb = value[:, None] * (1.0 - saturation[:, None] * share)
    return rgb.clamp(0.0, 1.0).pow(2.2)


def hair_colour(hue_deg: Tensor, lightness: Tensor, grey: Tensor) -> Tensor:
    """Linear light `[N, 3]`: browns and blonds lose saturation towards both ends; grey tends to a cool white."""
    warm = (hue_deg > 5.0) & (hue_deg < 50.0)
    hue = torch.where(warm, (hue_deg + 9.0 * lightness).clamp(max=46.0), hue_deg)
    natural = 0.38 + 0.75 * lightness * (1.0 - lightness) + 0.012 * (26.0 - hue_deg).clamp(min=0.0)
    saturation = torch.where(warm, natural.clamp(0.0, 0.85), torch.full_like(hue, 0.62))
    own = hsv(hue, saturation, 0.13 + 0.80 * lightness)
    white = hsv(torch.full_like(hue, 220.0), torch.full_like(hue, 0.05), 0.52 + 0.36 * grey)
    return torch.lerp(own, white, (grey * 0.92)[:, None])


def to_srgb(x: Tensor) -> Tensor:
    """Linear light ≥ 0 → sRGB in [0, 1], with a soft shoulder instead of a clipped highlight."""
    x = x.clamp(min=0.0)
    bright = 0.7 + 0.26 * torch.tanh((x - 0.7) / 0.26)
    return torch.where(x > 0.7, bright, x).clamp(1e-6, 1.0).pow(1.0 / 2.2)
