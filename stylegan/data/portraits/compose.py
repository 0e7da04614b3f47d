"""Attributes and noise → pictures: solids are traced per pixel, materials painted at several points a pixel."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate

from stylegan.data.portraits import palette
from stylegan.data.portraits.attributes import PortraitAttributes
from stylegan.data.portraits.clothes import cloth, torso_solid
from stylegan.data.portraits.eyes import draw_brows, draw_eyes
from stylegan.data.portraits.face import draw_beard, draw_marks, draw_mouth, skin_albedo
from stylegan.data.portraits.glasses import draw_glasses
from stylegan.data.portraits.hair import Style, back_solid, colour, front_solid, hairline, pattern, strands, style_of
from stylegan.data.portraits.head import SCALE, Frame, frame, head_solid
from stylegan.data.portraits.noise import noise_table
from stylegan.data.portraits.regions import Chosen, Window
from stylegan.data.portraits.shading import Grain, Lamp, blend, column, halfway, lit, rim, step
from stylegan.data.portraits.surface import Hit, Solid, log_density, passes_near, trace

_TRACE_POINTS = 4096  # on the CPU: what K ellipsoids need for so many points stays in the cache
_FRAYED = 0.15  # how far beyond its solid hair may be drawn; wrinkles take a mean over as much around the head


_WHOLE = Window(-9.0, 9.0, -9.0, 9.0)  # beyond any edge
_HEAD = Window(-1.22, 1.22, -9.0, 1.47)
_TORSO = Window(-9.0, 9.0, -9.0, -0.45)
_FACE = Window(-0.9, 0.9, -1.28, 1.02)
_BEARD = Window(-0.99, 0.99, -1.28, 0.38)
_MOUTH = Window(-0.64, 0.64, -0.8, -0.03)
_BROWS = Window(-0.77, 0.77, 0.03, 0.8)
_EYES = Window(-0.74, 0.74, -0.26, 0.54)
_GLASSES = Window(-1.06, 1.06, -0.35, 0.67)


@dataclass(frozen=True)
class Scene:
    """What every material of one batch of pictures needs."""

    a: PortraitAttributes
    f: Frame
    style: Style
    lamp: Lamp
    grain: Grain
    at: tuple[Tensor, Tensor]  # sample points in head units, view space
    screen: tuple[Tensor, Tensor]  # the same in [−1, 1]
    sample: float  # distance between sample points, head units

    def only(self, chosen: Chosen) -> "Scene":
        """The same at some of the points; `screen` stays as it is."""
        return replace(self, at=(chosen.take(self.at[0]), chosen.take(self.at[1])))


def draw(a: PortraitAttributes, noise_ids: Tensor, resolution: int, supersample: int) -> Tensor:
    """One batch, float32 `[N, 3, R, R]` in [−1, 1]."""
    f, style = frame(a), style_of(a)
    device = a.yaw.device
    coarse = _points(f, resolution, device)
    head, torso = head_solid(a, f.rotation), torso_solid(a, f.body)
    front, back = front_solid(a, style, f.rotation), back_solid(a, style, f.rotation)
    layers = [_upsample(part, resolution, supersample) for part in (
        _layered(head, coarse, _HEAD, 4, _FRAYED, f.light), _layered(torso, coarse, _TORSO, 3, 0.0),
        _layered(front, coarse, _WHOLE, 3, _FRAYED), _layered(back, coarse, _WHOLE, 3, _FRAYED))]  # fmt: skip
    fine = resolution * supersample
    screen = _grid(fine, device)
    grain = Grain(noise_table(noise_ids), 2.0 / (resolution * SCALE))
    scene = Scene(a, f, style, _lamp(a, f), grain, _points(f, fine, device), screen, 2.0 / (fine * SCALE))
    picture = _paint(scene, *layers)
    picture = palette.to_srgb(picture).reshape(-1, 3, fine, fine)
    return avg_pool2d(picture, supersample) * 2.0 - 1.0


def _grid(resolution: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Pixel centres in [−1, 1], x to the right, y up, `[1, R²]` each."""
    line = (torch.arange(resolution, device=device, dtype=torch.float32) + 0.5) * (2.0 / resolution) - 1.0
    x = line[None, :].expand(resolution, resolution).reshape(1, -1)
    y = -line[:, None].expand(resolution, resolution).reshape(1, -1)
    return x, y


def _points(f: Frame, resolution: int, device: torch.device) -> tuple[Tensor, Tensor]:
    x, y = _grid(resolution, device)
    return x / SCALE - f.shift[:, 0:1], y / SCALE - f.shift[:, 1:2]


def _layered(
    s: Solid, at: tuple[Tensor, Tensor], window: Window, steps: int, frayed: float, shadows: Tensor | None = None
) -> Tensor:
    """Trace in pieces what lies in the window: z, margin, normal (and sun, open sky) stacked, `[N, 5 or 7, P]`.

    Where the solid, with what is drawn up to `frayed` beyond it, cannot be seen, depth and margin are −9, the rest 0.
    """
    whole = torch.zeros(len(s.sharp), 5 if shadows is None else 7, at[0].shape[1], device=at[0].device)
    whole[:, :2] = -9.0
    reach = frayed + 2.0 * (2.0 / (SCALE * math.isqrt(at[0].shape[1])))  # two pixels more, for interpolation
    at = (window.crop(at[0]), window.crop(at[1]))
    chosen = Chosen.where(torch.cat([passes_near(s, u, v, reach) for u, v in _pieces(at)], dim=1))
    out = []
    for u, v in _pieces((chosen.take(at[0]), chosen.take(at[1]))):
        hit = trace(s, u, v, steps)
        columns = [hit.z[:, None], hit.margin[:, None], hit.normal]
        if shadows is not None:
            columns.append(_occlusion(s, hit, (u, v), shadows))
        out.append(torch.cat(columns, dim=1))
    part = window.crop(whole)
    chosen.put(part, torch.cat(out, dim=2))
    window.paste(whole, part)
    return whole


def _pieces(at: tuple[Tensor, Tensor]) -> Iterator[tuple[Tensor, Tensor]]:
    """Points, some at a time."""
    n, points = at[0].shape
    size = points if at[0].is_cuda else max(256, _TRACE_POINTS // n)
    return zip(torch.split(at[0], size, 1), torch.split(at[1], size, 1), strict=True)


def _occlusion(s: Solid, hit: Hit, at: tuple[Tensor, Tensor], light: Tensor) -> Tensor:
    """How much main light and how much sky reaches the surface: `[N, 2, P]` in [0, 1], from the field near it."""
    u, v = at
    nx, ny, nz = hit.normal.unbind(1)
    lx, ly, lz = light[:, 0:1], light[:, 1:2], light[:, 2:3]
    sun = torch.ones_like(u)
    for reach, bias in ((0.10, 0.03), (0.26, 0.03), (0.50, 0.04)):
        level = log_density(s, u + reach * lx + bias * nx, v + reach * ly + bias * ny, hit.z + reach * lz + bias * nz)
        sun = torch.minimum(sun, 1.0 - step(-0.9, 0.9, level))
    level = log_density(s, u + 0.13 * nx, v + 0.13 * (ny + 0.25), hit.z + 0.13 * nz)
    return torch.stack((sun, 1.0 - 0.75 * step(-3.0, 0.4, level)), dim=1)


def _upsample(part: Tensor, resolution: int, supersample: int) -> Tensor:
    image = part.reshape(len(part), part.shape[1], resolution, resolution)
    if supersample > 1:
        image = interpolate(image, scale_factor=float(supersample), mode="bilinear", align_corners=False)
    return image.flatten(2)


def _lamp(a: PortraitAttributes, f: Frame) -> Lamp:
    """Warm main light; sky and bounce take some of the background's colour."""
    room = palette.hsv(a.background_hue, torch.full_like(a.yaw, 0.13), 0.66 + 0.25 * a.background_lightness)
    key = torch.tensor([1.06, 0.95, 0.86], device=room.device).expand(len(room), 3) * 0.82
    sky = 0.55 * room + torch.tensor([0.16, 0.16, 0.19], device=room.device)
    ground = 0.25 * room + torch.tensor([0.16, 0.11, 0.09], device=room.device)
    return Lamp(f.light, key, sky, ground)


def _paint(s: Scene, head: Tensor, torso: Tensor, front: Tensor, back: Tensor) -> Tensor:
    """Back to front, linear light `[N, 3, P]`."""
    picture = _background(s)
    skin, skin_cover = _skin(s, head)
    behind_cover, hair_cover = torch.zeros_like(skin_cover), torch.zeros_like(skin_cover)
    chosen, *hair = _back_hair(s, back, skin_cover)
    chosen.put(picture, blend(chosen.take(picture), *hair))
    chosen.put(behind_cover, hair[1])
    picture = blend(picture, skin, skin_cover)
    dressed = _clothes(s, _TORSO.crop(torso), _TORSO.crop(head[:, 0]), _TORSO.crop(skin_cover))
    _TORSO.paste(picture, blend(_TORSO.crop(picture), *dressed))
    chosen, *hair = _front_hair(s, front, head[:, 0], skin_cover, behind_cover)
    chosen.put(picture, blend(chosen.take(picture), *hair))
    chosen.put(hair_cover, hair[1])
    at = (_GLASSES.crop(s.at[0]), _GLASSES.crop(s.at[1]))
    bare = 1.0 - _GLASSES.crop(hair_cover)
    _GLASSES.paste(picture, draw_glasses(_GLASSES.crop(picture), s.a, s.f, s.grain, at, bare))
    return picture


def _background(s: Scene) -> Tensor:
    """A soft gradient, brighter behind the head on the lit side, darker towards the corners."""
    a, (x, y) = s.a, s.screen
    light = a.background_lightness
    high = palette.hsv(a.background_hue, 0.30 - 0.12 * light, 0.66 + 0.30 * light)
    low = palette.hsv(a.background_hue + 28.0, 0.37 - 0.13 * light, 0.52 + 0.36 * light)
    mix = step(-1.15, 1.15, y - 0.25 * x * s.f.light[:, 0:1].sign())
    base = torch.lerp(
        low[..., None].expand(-1, -1, x.shape[1]), high[..., None].expand(-1, -1, x.shape[1]), mix[:, None]
    )
    glow = torch.exp(-((x - 0.5 * s.f.light[:, 0:1]).square() + (y - 0.15).square()) / 0.7)
    corner = step(1.7, 0.6, (x * x + y * y).sqrt())
    return base * (0.80 + 0.32 * glow)[:, None] * (0.82 + 0.18 * corner)[:, None]


def _skin(s: Scene, head: Tensor) -> tuple[Tensor, Tensor]:
    """Head and neck with all that is drawn on them, and their cover."""
    a, f, grain, lamp = s.a, s.f, s.grain, s.lamp
    z, margin, normal, sun, sky = head[:, 0], head[:, 1], _unit(head[:, 2:5]), head[:, 5], head[:, 6]
    own = f.to_head(*s.at, z)
    albedo = skin_albedo(a, grain, own)
    for window, paint in ((_FACE, draw_marks), (_BEARD, draw_beard), (_MOUTH, draw_mouth), (_BROWS, draw_brows)):
        x, y, depth = (window.crop(part) for part in own)
        window.paste(albedo, paint(window.crop(albedo), a, grain, (x, y, depth)))
    under_hair = step(-0.17, 0.03, hairline(a, s.style, own)) * column((s.style.thick * 14.0).clamp(0.0, 1.0))
    under_hair = under_hair * step(-0.75, -0.45, own[1])
    sun, sky = sun * (1.0 - 0.45 * under_hair), sky * (1.0 - 0.40 * under_hair)
    neck = step(-0.86, -1.05, own[1]) * step(0.45, 0.1, own[2])
    sun = sun * (1.0 - 0.45 * neck)
    skin = lit(albedo, normal, lamp, sun, sky, (0.52, 0.34, 0.28))
    gloss = (normal * halfway(lamp)).sum(1).clamp(min=0.0)
    sheen = (0.05 * gloss.pow(12) + 0.06 * gloss.pow(50)) * sun + 0.10 * rim(normal, lamp) * sky
    skin = skin + sheen[:, None] * (0.5 * lamp.key + 0.3)[..., None]
    seen, at, sunlit = _EYES.crop(skin), (_EYES.crop(s.at[0]), _EYES.crop(s.at[1])), _EYES.crop(sun)
    _EYES.paste(skin, draw_eyes(seen, a, f, lamp, grain, at, sunlit))
    return skin, margin.div(s.sample).add(1.0).clamp(0.0, 1.0)


def _unit(v: Tensor) -> Tensor:
    """Unit length again after interpolation."""
    return v / (v.square().sum(1, keepdim=True) + 1e-8).sqrt()


def _clothes(s: Scene, torso: Tensor, head_z: Tensor, skin_cover: Tensor) -> tuple[Tensor, Tensor]:
    """Lit cloth and the chest in its neckline, and their cover, inside the torso's window."""
    at = (_TORSO.crop(s.at[0]), _TORSO.crop(s.at[1]))
    normal = _unit(torso[:, 2:5])
    own = torch.matmul(s.f.body.transpose(1, 2), torch.stack((*at, torso[:, 0]), dim=1))
    albedo, cover = cloth(s.a, s.grain, (own[:, 0], own[:, 1], own[:, 2]))
    skin = palette.ramp(palette.SKIN, s.a.skin_tone)[..., None]
    albedo = blend(skin.expand_as(albedo), albedo, cover)
    chin = step(0.75, 0.25, own[:, 0].abs()) * step(-1.75, -1.2, own[:, 1])
    sun = 1.0 - 0.45 * torch.maximum(chin, 1.0 - cover)
    before = step(-0.05, 0.02, torso[:, 0] - head_z)
    neck = step(-0.98, -1.02, s.f.to_head(*at, head_z)[1])  # cloth goes round it
    before = torch.maximum(before, neck)
    shown = torso[:, 1].div(s.sample).add(1.0).clamp(0.0, 1.0) * (1.0 - skin_cover * (1.0 - before))
    return lit(albedo, normal, s.lamp, sun, 0.65 + 0.35 * sun, (0.35, 0.30, 0.28)), shown


def _hair_reaches(s: Scene, layer: Tensor) -> Tensor:
    """Where strands may be seen, bool `[N, P]`."""
    return layer[:, 1] > -(1.3 * _loose(s.style) + s.sample)


def _loose(style: Style) -> Tensor:
    """How far strands stray from the silhouette, `[N, 1]`."""
    return column(0.010 + 0.008 * style.wave + 0.07 * style.curl * (style.thick > 0.05))


def _hair_layer(s: Scene, layer: Tensor, dim: Tensor) -> tuple[Tensor, Tensor, tuple[Tensor, Tensor, Tensor], Tensor]:
    """Lit hair, its cover by silhouette, its points in the head's frame, and the noise for its edges."""
    z, margin, normal = layer[:, 0], layer[:, 1], _unit(layer[:, 2:5])
    own = s.f.to_head(*s.at, z)
    back = s.f.rotation.transpose(1, 2)
    at = strands(s.a, s.style, s.grain, own, torch.matmul(back, normal))
    tone, ragged = pattern(s.style, s.grain, at)
    flow = torch.matmul(s.f.rotation, at.flow)
    shown = colour(s.a, at, tone, normal, flow, s.lamp, dim)
    cover = ((margin + _loose(s.style) * (0.5 + 0.8 * ragged)) / s.sample + 1.0).clamp(0.0, 1.0)
    return shown, cover, own, ragged


def _back_hair(s: Scene, back: Tensor, skin_cover: Tensor) -> tuple[Chosen, Tensor, Tensor]:
    """The points that it may be seen at, its colour and cover there."""
    grown = column(s.style.thick > 0.02)
    chosen = Chosen.where(_hair_reaches(s, back) & (skin_cover < 1.0) & grown)
    s, back = s.only(chosen), chosen.take(back)
    y = s.at[1]
    dim = torch.lerp(torch.full_like(y, 0.42), torch.full_like(y, 0.9), step(0.0, 0.9, y))
    shown, cover, own, ragged = _hair_layer(s, back, dim)
    tips = step(-0.05, 0.05, own[1] - column(s.style.end) * column(s.style.hangs) + 0.62 * (1.0 - column(s.style.hangs))
                + 0.10 * ragged)  # fmt: skip
    return chosen, shown, cover * tips * grown


def _front_hair(
    s: Scene, front: Tensor, head_z: Tensor, skin_cover: Tensor, behind_cover: Tensor
) -> tuple[Chosen, Tensor, Tensor]:
    """The points that it may be seen at, its colour and cover there."""
    chosen = Chosen.where(_hair_reaches(s, front) & ((front[:, 0] > head_z - 0.02) | (skin_cover < 1.0)))
    s, front = s.only(chosen), chosen.take(front)
    head_z, skin_cover, behind_cover = chosen.take(head_z), chosen.take(skin_cover), chosen.take(behind_cover)
    y = s.at[1]
    dim = torch.lerp(torch.full_like(y, 0.70), torch.ones_like(y), step(-0.9, 0.2, y))
    shown, cover, own, ragged = _hair_layer(s, front, dim)
    edge = hairline(s.a, s.style, own)
    soft = column(0.035 + 0.03 * s.style.hangs + 0.03 * (s.style.thick < 0.03)) + 0.3 * s.grain.pixel
    grown = step(-soft, soft, edge + 0.10 * ragged)
    bare = column((s.a.hair_style < 0.5).float())
    horseshoe = step(0.48, 0.30, own[1]) * step(0.95, 1.25, torch.atan2(own[0].abs(), own[2] + 0.12))
    grown = grown * torch.lerp(torch.ones_like(edge), horseshoe * column((s.a.hair_length * 80).clamp(max=1.0)), bare)
    cover = cover * grown * column(s.style.dense)
    before = step(-0.02, 0.02, front[:, 0] - head_z)
    cover = cover * torch.lerp(torch.ones_like(before), before, skin_cover)
    backed = torch.maximum(torch.maximum(skin_cover, behind_cover), column(s.style.hangs))
    return (
        chosen,
        shown,
        cover * torch.maximum(backed, step(0.05, 0.35, front[:, 4])),
    )  # no thin rim of shell in the air
