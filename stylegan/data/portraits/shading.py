"""What all materials share: soft steps, strokes, and one warm main light with a cool sky, a bounce and a rim."""

from dataclasses import dataclass

import torch
from torch import Tensor

from stylegan.data.portraits.noise import value_noise


@dataclass(frozen=True)
class Lamp:
    """The light of a picture: direction `[N, 3]` and colours, linear, `[N, 3]`."""

    direction: Tensor
    key: Tensor
    sky: Tensor
    ground: Tensor


@dataclass(frozen=True)
class Grain:
    """The noise of a picture: lattice tables `[N, C, S, S]` and how much of a head's half height a pixel covers."""

    table: Tensor
    pixel: float

    def at(self, x: Tensor, y: Tensor, cells: float, *channels: int) -> tuple[Tensor, ...]:
        """Independent noises `[N, P]`, one per channel (0 … C − 1), at (x, y) times `cells` per unit; they fade as
        cells shrink to a pixel.
        """
        seen = self.visible(cells)
        if not seen:
            return (torch.zeros_like(x),) * len(channels)
        table = self.table[:, min(channels) : max(channels) + 1]
        found = value_noise(table, x * cells, y * cells) * seen
        return tuple(found[:, channel - min(channels)] for channel in channels)

    def one(self, x: Tensor, y: Tensor, cells: float, channel: int) -> Tensor:
        """One of the noises of `at`."""
        return self.at(x, y, cells, channel)[0]

    def visible(self, cells: float) -> float:
        """1 where a cell covers two pixels or more, 0 from 0.8 down: what would alias averages out instead."""
        return min(1.0, max(0.0, (1.0 / (cells * self.pixel) - 0.8) / 1.2))


def step(low: Tensor | float, high: Tensor | float, x: Tensor) -> Tensor:
    """0 below `low`, 1 above `high`, 3t² − 2t³ between."""
    t = ((x - low) / (high - low)).clamp(0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)


def bump(x: Tensor, y: Tensor) -> Tensor:
    """exp(−x² − y²)."""
    return torch.exp(-(x * x) - y * y)


def blend(under: Tensor, over: Tensor, alpha: Tensor) -> Tensor:
    """`over` `[N, 3, P]` (or broadcast) on `under` with `alpha` `[N, P]`."""
    return torch.lerp(under, over.expand_as(under), alpha[:, None].expand_as(under))


def column(x: Tensor) -> Tensor:
    """`[N]` → `[N, 1]`, to stand beside `[N, P]`."""
    return x[:, None]


def lit(albedo: Tensor, normal: Tensor, lamp: Lamp, shade: Tensor, open_sky: Tensor, wrap: tuple[float, ...]) -> Tensor:
    """Diffuse light on `albedo` `[N, 3, P]`. `wrap` per channel bends light round the edge (0 is Lambert).

    shade, open_sky: `[N, P]` in [0, 1]: how much of the main light and of the sky arrives.
    """
    w = torch.tensor(wrap, device=normal.device)[None, :, None]
    facing = (normal * lamp.direction[..., None]).sum(1, keepdim=True)
    direct = ((facing + w) / (1.0 + w)).clamp(min=0.0)
    direct = direct * torch.lerp(shade[:, None].expand_as(direct), torch.ones_like(direct), 0.35 * w)
    up = 0.5 + 0.5 * normal[:, 1:2]
    ambient = torch.lerp(lamp.ground[..., None], lamp.sky[..., None], up) * open_sky[:, None]
    return albedo * (lamp.key[..., None] * direct + ambient)


def halfway(lamp: Lamp) -> Tensor:
    """Unit vector between the light and the viewer, `[N, 3, 1]`."""
    half = lamp.direction + torch.tensor([0.0, 0.0, 1.0], device=lamp.direction.device)
    return (half / half.square().sum(1, keepdim=True).sqrt())[..., None]


def rim(normal: Tensor, lamp: Lamp) -> Tensor:
    """Light that grazes the edge away from the main light, `[N, P]`."""
    side = -torch.sign(lamp.direction[:, 0:1]) * normal[:, 0]
    edge = (1.0 - normal[:, 2].clamp(0.0, 1.0)).pow(3)
    return edge * (0.35 + 0.65 * side.clamp(min=0.0)) * (0.6 + 0.4 * normal[:, 1])
