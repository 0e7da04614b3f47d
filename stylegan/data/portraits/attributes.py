# ruff: noqa: RUF009 - the defaults of PortraitAttributes are dataclass fields, made once
"""What is known about a portrait: its attributes, their ranges, and how they hang together.

Every attribute of portrait `index` is a function of (seed, index) alone. Most are independent; these are correlated on
purpose, because real portraits are, and telling such attributes apart is what disentanglement is about (others
follow from these, as softness and age each move several):

| attributes                   | how                                           | sign |
|------------------------------|-----------------------------------------------|------|
| softness, hair_length        | long styles are likelier on soft features     | +    |
| softness, beard              | beards grow on angular features only          | −    |
| beard, hair_length           | from the two above; long hair shortens beards | −    |
| softness, makeup             | made-up lips and lashes on soft features      | +    |
| softness, jaw                | angular faces have wide jaws                  | −    |
| softness, brow_thickness     | ... and strong brows                          | −    |
| softness, lip_fullness       | soft features have full lips                  | +    |
| skin_tone, lip_fullness      | ... as dark skin has                          | +    |
| age, hair_grey               | grey from about the middle of the range on    | +    |
| age, glasses                 | a sixth of the young, half of the old         | +    |
| age, hair_style              | bald heads are old, and angular               |      |
| hair_style, hair_length      | each style has its lengths                    |      |
| hair_hue, hair_lightness     | dyed hair (any hue) is neither dark nor blond |      |
| skin_tone, hair_lightness    | dark skin goes with dark hair                 | −    |
| skin_tone, iris_colour       | light eyes on light skin                      | −    |
| skin_tone, freckles          | freckles on light skin                        | −    |
| yaw, gaze_x                  | people look back at the camera                | −    |
| pitch, gaze_y                | ... up and down as well                       | −    |
| smile, mouth_open            | the mouth opens with a grin                   | +    |
"""

from dataclasses import dataclass, field, fields
from typing import Any

import torch
from torch import Tensor

from stylegan.data.portraits.noise import hash_ids, normal, uniform

_STREAM = 0xA77  # attribute draws; the renderer's noise uses another stream
_DRAWS = 64

HAIR_STYLES = (
    "bald", "buzz", "short", "side part", "swept back", "afro", "bob", "long straight", "long wavy", "bun", "curly",
)  # fmt: skip
GLASSES_SHAPES = ("round", "rectangular", "wayfarer", "aviator")
NECKLINES = ("crew", "v-neck", "shirt", "turtleneck")


@dataclass(frozen=True)
class AttributeSpec:
    """One row of `ATTRIBUTES`: kind is "continuous", "binary" or "categorical" (whole numbers low … high)."""

    name: str
    kind: str
    low: float
    high: float
    meaning: str


def _spec(kind: str, low: float, high: float, meaning: str) -> Any:
    return field(metadata={"kind": kind, "low": low, "high": high, "meaning": meaning})


def _unit(meaning: str) -> Any:
    return _spec("continuous", 0.0, 1.0, meaning)


def _signed(meaning: str) -> Any:
    return _spec("continuous", -1.0, 1.0, meaning)


def _category(names: tuple[str, ...], what: str) -> Any:
    return _spec("categorical", 0, len(names) - 1, f"{what}: {', '.join(names)}")


@dataclass(frozen=True)
class PortraitAttributes:
    """The attributes of N portraits, each a float32 tensor `[N]`."""

    yaw: Tensor = _spec("continuous", -40, 40, "degrees, head turned to the right of the picture")
    pitch: Tensor = _spec("continuous", -14, 14, "degrees, head raised")
    smile: Tensor = _signed("sad to grinning")
    mouth_open: Tensor = _unit("lips closed to mouth wide open")
    eye_openness: Tensor = _unit("nearly closed to wide open")
    gaze_x: Tensor = _signed("eyes to the left or right of where the head points")
    gaze_y: Tensor = _signed("eyes lowered or raised")
    age: Tensor = _unit("young adult to very old: wrinkles, bags")
    softness: Tensor = _unit("angular to soft features")
    skin_tone: Tensor = _unit("very light to very dark")
    freckles: Tensor = _unit("none to many")
    blush: Tensor = _unit("pale to rosy cheeks")
    makeup: Tensor = _unit("none to full: lips, lashes, lids")
    face_width: Tensor = _signed("narrow to wide")
    jaw: Tensor = _signed("pointed to square")
    chin: Tensor = _signed("short to long")
    cheeks: Tensor = _signed("hollow to full")
    nose_length: Tensor = _signed("short to long")
    nose_width: Tensor = _signed("thin to wide")
    eye_size: Tensor = _signed("small to large")
    eye_tilt: Tensor = _signed("outer corners lowered to raised")
    iris_colour: Tensor = _unit("dark brown, hazel, green, blue, grey")
    lip_fullness: Tensor = _signed("thin to full")
    brow_thickness: Tensor = _signed("thin to bushy")
    brow_raise: Tensor = _signed("lowered to raised")
    ear_size: Tensor = _signed("small to large")
    hair_style: Tensor = _category(HAIR_STYLES, "hair style")
    hair_length: Tensor = _unit("bald to below the shoulders")
    hair_volume: Tensor = _unit("flat to full")
    fringe: Tensor = _unit("free forehead to hair down to the brows")
    parting: Tensor = _signed("parting on the left or right of the picture")
    hair_hue: Tensor = _spec("continuous", 0, 360, "degrees; natural ones are 12 to 45")
    hair_lightness: Tensor = _unit("black to platinum")
    hair_grey: Tensor = _unit("own colour to white")
    beard: Tensor = _unit("shaven, stubble, full beard")
    moustache: Tensor = _unit("share of the beard that grows on the upper lip")
    glasses: Tensor = _spec("binary", 0, 1, "wears glasses")
    glasses_shape: Tensor = _category(GLASSES_SHAPES, "shape of the glasses, worn or not")
    neckline: Tensor = _category(NECKLINES, "clothes")
    clothes_hue: Tensor = _spec("continuous", 0, 360, "degrees")
    clothes_lightness: Tensor = _unit("dark to light clothes")
    light_direction: Tensor = _spec("continuous", -60, 60, "degrees, main light from the left or right")
    background_hue: Tensor = _spec("continuous", 0, 360, "degrees")
    background_lightness: Tensor = _unit("dark to light background")

    def __len__(self) -> int:
        return len(self.yaw)

    def __getitem__(self, rows: slice) -> "PortraitAttributes":
        return PortraitAttributes(*(getattr(self, f.name)[rows] for f in fields(self)))


ATTRIBUTES = tuple(AttributeSpec(f.name, **f.metadata) for f in fields(PortraitAttributes))


def attribute_names() -> tuple[str, ...]:
    """The columns of `attribute_matrix`, in order."""
    return tuple(spec.name for spec in ATTRIBUTES)


def attribute_matrix(attributes: PortraitAttributes) -> Tensor:
    """float32 `[N, A]`, one column per row of `ATTRIBUTES`, in its units; for training scorers."""
    return torch.stack([getattr(attributes, name) for name in attribute_names()], dim=1)


def from_matrix(values: Tensor) -> PortraitAttributes:
    """The inverse of `attribute_matrix`; values outside an attribute's range are clamped to it, categories rounded."""
    columns = []
    for spec, column in zip(ATTRIBUTES, values.to(torch.float32).unbind(1), strict=True):
        inside = column.clamp(spec.low, spec.high)
        columns.append(inside if spec.kind == "continuous" else inside.round())
    return PortraitAttributes(*columns)


def sample(seed: int, indices: Tensor) -> PortraitAttributes:
    """Attributes of the portraits `indices` (int64 `[N]`) of data set `seed`, on the device of `indices`."""
    u = uniform(hash_ids(seed, indices, _STREAM), _DRAWS)
    draw = {name: u[:, i] for i, name in enumerate(attribute_names())}
    extra = list(u[:, len(draw) :].unbind(1))
    g = {name: normal(column) for name, column in draw.items()}
    out = {spec.name: draw[spec.name] * (spec.high - spec.low) + spec.low for spec in ATTRIBUTES}
    for name in ("face_width", "jaw", "chin", "cheeks", "nose_length", "nose_width", "eye_size", "eye_tilt",
                 "lip_fullness", "brow_thickness", "brow_raise", "ear_size"):  # fmt: skip
        out[name] = 0.4 * g[name]
    for spec in ATTRIBUTES:
        if spec.kind != "continuous":
            out[spec.name] = (draw[spec.name] * (spec.high + 1)).floor()
    _pose(out, g)
    _features(out, draw, g)
    _hair(out, draw, g, extra)
    _surroundings(out, draw, g)
    return from_matrix(torch.stack([out[name] for name in attribute_names()], dim=1))


def _pose(out: dict[str, Tensor], g: dict[str, Tensor]) -> None:
    """Head, eyes and mouth. Gaze makes up for about half of the yaw: people look back at the camera."""
    out["yaw"] = 14.0 * g["yaw"]
    out["pitch"] = 4.5 * g["pitch"]
    out["gaze_x"] = -0.012 * out["yaw"] + 0.22 * g["gaze_x"]
    out["gaze_y"] = -0.008 * out["pitch"] + 0.14 * g["gaze_y"]
    out["smile"] = (0.45 + 0.42 * g["smile"]).clamp(-1.0, 1.0)
    out["mouth_open"] = (0.40 * g["mouth_open"] + 0.35 * out["smile"] - 0.05).clamp(0.0, 1.0)
    out["eye_openness"] = 0.72 + 0.15 * g["eye_openness"]


def _features(out: dict[str, Tensor], u: dict[str, Tensor], g: dict[str, Tensor]) -> None:
    """Age, skin and what hangs on them; `softness` is bimodal, most faces lie near one of its ends."""
    age = u["age"].square() * 0.7 + u["age"] * 0.3
    soft = (u["softness"] > 0.5).float() * 0.56 + 0.22 + 0.12 * g["softness"]
    soft = soft.clamp(0.0, 1.0)
    tone = u["skin_tone"].pow(1.25)
    out["age"], out["softness"], out["skin_tone"] = age, soft, tone
    out["glasses"] = (u["glasses"] < 0.16 + 0.40 * age).float()
    out["jaw"] = 0.4 * g["jaw"] + 0.8 * (0.5 - soft)
    out["brow_thickness"] = 0.35 * g["brow_thickness"] + 0.9 * (0.5 - soft)
    out["lip_fullness"] = 0.35 * g["lip_fullness"] + 0.5 * (soft - 0.5) + 0.25 * (tone - 0.4)
    out["makeup"] = ((soft - 0.55) * 2.2).clamp(0.0, 1.0) * u["makeup"]
    out["freckles"] = (1.4 * u["freckles"] - 0.9).clamp(min=0.0) * (1.6 - 2.2 * tone).clamp(0.0, 2.0)
    out["iris_colour"] = u["iris_colour"] * (1.15 - 1.4 * tone).clamp(0.12, 1.0)
    grow = (1.5 * u["beard"] - 0.55).clamp(0.0, 1.0)
    out["beard"] = grow * ((0.55 - soft) * 5.0).clamp(0.0, 1.0)


def _hair(out: dict[str, Tensor], u: dict[str, Tensor], g: dict[str, Tensor], extra: list[Tensor]) -> None:
    """Style by softness and age, length by style, colour by skin and age."""
    soft, age = out["softness"], out["age"]
    short = torch.tensor([0.05, 0.12, 0.26, 0.20, 0.14, 0.07, 0.01, 0.02, 0.03, 0.02, 0.08], device=soft.device)
    long = torch.tensor([0.00, 0.02, 0.06, 0.04, 0.03, 0.08, 0.20, 0.22, 0.17, 0.12, 0.06], device=soft.device)
    lean = ((soft - 0.3) / 0.4).clamp(0.0, 1.0)[:, None]
    odds = short * (1.0 - lean) + long * lean
    bald = 0.25 * (age - 0.45).clamp(min=0.0) * (1.0 - lean[:, 0])
    odds = torch.cat((odds[:, :1] + bald[:, None], odds[:, 1:]), dim=1)
    steps = (odds / odds.sum(1, keepdim=True)).cumsum(1)[:, :-1]
    style = (u["hair_style"][:, None] > steps).sum(1)
    low = torch.tensor([0.00, 0.05, 0.15, 0.20, 0.18, 0.25, 0.45, 0.70, 0.68, 0.30, 0.28], device=soft.device)
    high = torch.tensor([0.02, 0.09, 0.32, 0.36, 0.30, 0.48, 0.60, 1.00, 0.98, 0.36, 0.44], device=soft.device)
    out["hair_style"] = style.float()
    out["hair_length"] = low[style] + (high - low)[style] * u["hair_length"]
    out["beard"] = out["beard"] * (1.6 - 1.6 * out["hair_length"]).clamp(0.0, 1.0)
    out["fringe"] = (1.8 * u["fringe"] - 0.8).clamp(0.0, 1.0)
    grey = (age - 0.55 + 0.14 * g["hair_grey"]) * 2.4
    out["hair_grey"] = grey.clamp(0.0, 1.0)
    dark = 0.55 * (out["skin_tone"] - 0.2).clamp(min=0.0)
    lightness = 0.04 + 0.85 * u["hair_lightness"].pow(1.7) - dark
    dyed = extra[0] < 0.07
    out["hair_hue"] = torch.where(dyed, u["hair_hue"] * 360.0, 24.0 + 7.0 * g["hair_hue"])
    out["hair_hue"] = torch.where(dyed, out["hair_hue"], out["hair_hue"].clamp(10.0, 45.0))
    out["hair_lightness"] = torch.where(dyed, 0.35 + 0.3 * u["hair_lightness"], lightness)


def _surroundings(out: dict[str, Tensor], u: dict[str, Tensor], g: dict[str, Tensor]) -> None:
    """Light mostly from one side, rooms mostly light; blues and warm tones oftener than greens and magentas."""
    stops = torch.tensor([0.0, 14.0, 24.0, 34.0, 46.0, 80.0, 140.0, 172.0, 192.0, 206.0, 218.0, 232.0, 250.0, 270.0,
                          310.0, 340.0, 360.0], device=u["yaw"].device)  # fmt: skip
    x = u["background_hue"] * (len(stops) - 1)
    low = x.floor().clamp(max=len(stops) - 2).long()
    out["background_hue"] = torch.lerp(stops[low], stops[low + 1], x - low)
    out["background_lightness"] = 0.62 + 0.22 * g["background_lightness"]
    out["light_direction"] = 28.0 * g["light_direction"]
