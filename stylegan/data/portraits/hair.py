"""Hair: a shell over the skull that ends at the hairline, a mass behind the head, and strands along a flow field.

A style is a row of numbers. Strands are noise stretched along the flow: across it runs a coordinate that is constant
along each strand (the angle round a pole: whorl, bun or the back of the head; or the distance along an axis, for hair
combed sideways from a parting), which turns into the angle round the vertical where the hair hangs.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from stylegan.data.portraits import palette
from stylegan.data.portraits.attributes import HAIR_STYLES, PortraitAttributes
from stylegan.data.portraits.noise import TABLE_SIZE, value_noise
from stylegan.data.portraits.shading import Grain, Lamp, column, halfway, lit, rim, step
from stylegan.data.portraits.surface import Blob, Solid, solid

Points = tuple[Tensor, Tensor, Tensor]
_CELLS = TABLE_SIZE / (2.0 * math.pi)  # of strand noise in a radian: one turn is one period of the noise

# thickness, extra top, hangs (0/1), forehead height, wave, curl, pole (y, z), length of the parting, bun, dense
_STYLES = {
    "bald": (0.005, 0.00, 0, 0.62, 0.0, 0.1, 0.9, -0.5, 0.0, 0, 0.55),
    "buzz": (0.012, 0.00, 0, 0.60, 0.0, 0.3, 0.9, -0.5, 0.0, 0, 0.80),
    "short": (0.060, 0.08, 0, 0.56, 0.2, 0.1, 0.9, -0.4, 0.1, 0, 1.0),
    "side part": (0.070, 0.07, 0, 0.58, 0.1, 0.0, 1.0, 0.2, 0.5, 0, 1.0),
    "swept back": (0.055, 0.12, 0, 0.64, 0.1, 0.0, 0.25, -1.0, 0.0, 0, 1.0),
    "afro": (0.240, 0.06, 0, 0.60, 0.0, 1.0, 0.9, -0.4, 0.0, 0, 1.0),
    "bob": (0.085, 0.02, 1, 0.56, 0.1, 0.0, 1.0, 0.2, 0.5, 0, 1.0),
    "long straight": (0.070, 0.00, 1, 0.60, 0.1, 0.0, 1.0, 0.2, 0.6, 0, 1.0),
    "long wavy": (0.090, 0.03, 1, 0.58, 1.0, 0.1, 1.0, 0.2, 0.6, 0, 1.0),
    "bun": (0.040, 0.00, 0, 0.64, 0.1, 0.0, 0.8, -0.6, 0.0, 1, 1.0),
    "curly": (0.150, 0.06, 0, 0.54, 0.5, 0.6, 0.9, -0.3, 0.0, 0, 1.0),
}


@dataclass(frozen=True)
class Style:
    """The numbers of each picture's style, `[N]` each, and how low the hair hangs (head units)."""

    thick: Tensor
    top: Tensor
    hangs: Tensor
    forehead: Tensor
    wave: Tensor
    curl: Tensor
    pole_y: Tensor
    pole_z: Tensor
    parted: Tensor
    bun: Tensor
    dense: Tensor
    end: Tensor
    recede: Tensor


def style_of(a: PortraitAttributes) -> Style:
    """The style's row, with length, volume, age and fringe worked in."""
    table = torch.tensor([_STYLES[name] for name in HAIR_STYLES], dtype=torch.float32, device=a.yaw.device)
    row = list(table[a.hair_style.long()].unbind(1))
    volume = 0.7 + 0.6 * a.hair_volume
    row[0], row[1] = row[0] * volume, row[1] * volume * (0.6 + 1.4 * a.hair_length)
    row[0] = row[0] * torch.where(row[5] > 0.5, 0.55 + 1.2 * a.hair_length, torch.ones_like(volume))
    recede = (1.3 * (a.age - 0.35) * (1.0 - a.softness) * 1.6).clamp(0.0, 1.0)
    row += [0.10 - 1.75 * a.hair_length, recede]
    return Style(*row)


def front_solid(a: PortraitAttributes, s: Style, rotation: Tensor) -> Solid:
    """The shell over the skull, and what hangs at its sides."""
    wide = 1.0 + 0.05 * a.face_width
    th, hang = s.thick, s.hangs
    lift = 0.30 * s.top * a.parting * (s.parted > 0.3)
    middle, reach = 0.5 * (0.42 + s.end), 0.5 * (0.42 - s.end) + 0.06
    body = 0.10 + 0.08 * a.hair_volume
    parts = [
        Blob((0.0, 0.30, -0.13), (0.735 * wide + th, 0.77 + th + 0.5 * s.top, 0.84 + th), 8.0),
        Blob((0.0, 0.35, 0.23), (0.575 * wide + 0.8 * th, 0.45 + th + s.top, 0.47 + th), 4.5),
        Blob((lift, 0.72, 0.12), (0.42, 0.24 + th + 1.2 * s.top, 0.36), 2.5),
        *Blob(
            (0.30 + hang * (0.36 * wide + 0.5 * th), hang * middle, -0.12),
            (0.10 + hang * (body + 0.03), 0.10 + hang * (reach - 0.10), 0.10 + hang * 0.24),
            4.0,
            -0.10 * hang,
        ).mirrored(),
    ]
    return solid(parts, [], rotation)


def back_solid(a: PortraitAttributes, s: Style, rotation: Tensor) -> Solid:
    """What is seen behind head and neck: the nape, hanging lengths, an afro's back, a bun."""
    th, hang = s.thick, s.hangs
    wide = 1.0 + 0.05 * a.face_width
    middle, reach = 0.5 * (0.5 + s.end), 0.5 * (0.5 - s.end) + 0.10
    width = 0.60 + th + 0.14 * a.hair_volume
    knot = 0.05 + s.bun * (0.25 + 0.07 * a.hair_volume)
    parts = [
        Blob((0.0, 0.30, -0.13), (0.725 * wide + th, 0.76 + th + 0.5 * s.top, 0.84 + th), 7.0),
        Blob((0.0, hang * middle, -0.42), (0.30 + hang * (width - 0.30), 0.30 + hang * (reach - 0.30), 0.34), 6.0),
        Blob((0.0, 1.02 * s.bun, -0.60 + 0.18 * s.bun), (knot * 1.1, knot, knot), 5.0),
    ]
    return solid(parts, [], rotation)


def _fringe(a: PortraitAttributes, s: Style) -> Tensor:
    """How far the hair falls over the forehead, `[N, 1]`: not where it is tied, combed back or an afro."""
    return column(a.fringe * (1.0 - s.bun) * (s.curl < 0.9).float() * (s.pole_z > -0.9).float())


def _parting(a: PortraitAttributes, s: Style) -> Tensor:
    """Where the parting runs, x in head units, `[N]`."""
    return 0.26 * a.parting * (s.parted > 0.3)


def hairline(a: PortraitAttributes, s: Style, own: Points) -> Tensor:
    """Height above the line where hair ends, `[N, P]`: positive where there is hair."""
    x, y, z = own
    side = torch.atan2(x.abs(), z + 0.12)
    fringe = _fringe(a, s)
    sweep = 0.26 * column(a.parting) * x * (0.3 + fringe)
    front = column(s.forehead) - 0.27 * fringe + sweep + column(0.16 * s.recede)
    front = front + column(0.20 * s.recede) * torch.exp(-((side - 0.62) / 0.22).square())
    from_parting = (x - column(_parting(a, s))).abs()
    curtain = 0.13 - (0.30 + 0.35 * column(s.hangs)) * from_parting  # open over the parting, falling to both sides
    peak = torch.where(column(s.parted) > 0.3, curtain, 0.10 * x.abs()) * (1.0 - fringe)
    hang = column(s.hangs)
    burn = torch.lerp(torch.full_like(hang, -0.10), column(s.end), hang)
    around_ear = torch.lerp(torch.full_like(hang, 0.15), column(s.end), hang)
    nape = torch.lerp(torch.full_like(hang, -0.60), column(s.end), hang)
    line = torch.lerp(
        (front + peak).expand_as(x), burn.expand_as(x), step(0.66 - 0.16 * hang, 1.08 - 0.02 * hang, side)
    )
    line = torch.lerp(line, around_ear.expand_as(x), step(1.30, 1.40, side))
    line = torch.lerp(line, nape.expand_as(x), step(1.70, 1.95, side))
    return y - line


@dataclass(frozen=True)
class Strands:
    """What a strand pattern needs at each point: `[N, P]`, the flow's direction `[N, 3, P]` in the head's frame."""

    across: Tensor
    along: Tensor
    flow: Tensor
    clump: Tensor


def strands(a: PortraitAttributes, s: Style, grain: Grain, own: Points, normal: Tensor) -> Strands:
    """The coordinates across and along the strands, bent by waves and curls; `normal` in the head's frame."""
    x, y, z = own
    px = x - column(_parting(a, s))
    ay, az = column(s.pole_y), column(s.pole_z)
    size = (ay * ay + az * az).sqrt()
    ay, az = ay / size, az / size
    ahead = ay * (z + 0.12) - az * (y - 0.25)  # square to the pole, towards the face
    line = column(s.parted)
    ahead_end = line * (1.0 - 0.5 * _fringe(a, s))
    along_line = torch.minimum(torch.maximum(ahead, -line), ahead_end)  # the pole drawn out into a parting
    angle = torch.atan2(px, ahead - along_line) - 1.2 * torch.sign(px) * (along_line - ahead_end)
    hanging = torch.sign(x) * (1.2 * (x.abs() - z) + 1.05)  # round the lock at either side, on from the angle there
    down = column(s.hangs) * step(0.20, -0.45, y)
    across = torch.lerp(angle, hanging, down) * _CELLS
    zero = torch.zeros_like(x)
    flow = torch.stack((zero, torch.lerp(ay.expand_as(x), zero + 1.0, down), az * (1.0 - down)), dim=1)
    flow = flow - normal * (flow * normal).sum(1, keepdim=True)
    flow = flow / (flow.square().sum(1, keepdim=True) + 1e-4).sqrt()
    along = y + 0.5 * z
    bent, shifted, clump = grain.at(x + 4.0, y + 0.7 * z + 4.0, 2.5, 0, 1, 2)
    wave, curl = column(s.wave), column(s.curl)
    bend = wave * 0.70 * torch.sin(along * 6.0 + 3.0 * bent + 2.0 * column(a.hair_volume))
    twirl = grain.at(x + 0.5 * z + 5.0, y - 0.5 * z + 5.0, 5.0, 0, 1)
    across = across + bend + 0.45 * shifted + curl * 2.8 * twirl[0]
    along = along + curl * 0.22 * twirl[1]
    return Strands(across, along, flow, clump)


def pattern(s: Style, grain: Grain, at: Strands) -> tuple[Tensor, Tensor]:
    """Brightness of the strands in about [−1, 1], and a coarser one for edges; `[N, P]` each."""
    stretch = torch.lerp(torch.full_like(s.curl, 0.9), torch.full_like(s.curl, 7.0), s.curl)[:, None]
    along = at.along * stretch

    def octave(times: int, slower: float, first: int, count: int) -> Tensor:
        """Channels of strand noise `[N, count, P]`; `times` is whole, so that the noise closes round the pole."""
        seen = grain.visible(times * _CELLS / 0.8)
        if not seen:
            return torch.zeros(len(along), count, 1, device=along.device)
        table = grain.table[:, first : first + count]
        return value_noise(table, at.across * times, along * slower + times) * seen

    locks, mid, fine = octave(1, 1.0, 0, 2), octave(2, 1.3, 0, 2), octave(5, 1.8, 2, 1)
    tone = 0.28 * at.clump + 0.46 * locks[:, 0] + 0.48 * mid[:, 1] + 0.46 * fine[:, 0]
    return tone, 0.6 * locks[:, 1] + 0.4 * mid[:, 0]


def colour(
    a: PortraitAttributes, at: Strands, tone: Tensor, normal: Tensor, flow: Tensor, lamp: Lamp, dim: Tensor
) -> Tensor:
    """Lit strands `[N, 3, P]`; `normal` and `flow` in view space, `dim` `[N, P]` darkens what lies deep.

    Two highlights as in Kajiya & Kay 1989: bright where the half vector is square to the strand.
    """
    base = palette.hair_colour(a.hair_hue, a.hair_lightness, a.hair_grey)[..., None]
    albedo = base * (1.0 + 0.75 * tone).clamp(min=0.18)[:, None]
    slant = (flow * halfway(lamp)).sum(1) + 0.10 * tone
    shine = (1.0 - slant.square()).clamp(min=0.0)
    facing = (normal * lamp.direction[..., None]).sum(1).clamp(min=0.0)
    gloss = (0.20 * shine.pow(28) * facing + 0.10 * shine.pow(8) * facing) * (0.75 + 0.9 * tone).clamp(min=0.0)
    body = lit(albedo, normal, lamp, torch.ones_like(tone), torch.ones_like(tone), (0.35, 0.35, 0.35))
    light = (0.25 + 0.75 * base.amax(1, keepdim=True)).sqrt()
    tinted = torch.lerp(torch.ones_like(base), base / base.amax(1, keepdim=True), 0.55) * light
    edge = 0.16 * rim(normal, lamp)[:, None] * tinted
    return (body + gloss[:, None] * tinted * lamp.key[..., None] + edge) * dim[:, None]
