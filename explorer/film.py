"""A film as an immutable value: key pictures or a sweep of one control, and how time runs through them.

`explorer.film_path` says which recipe each frame is, `explorer.film_render` makes the frames a file. A film is plain
values only, so it is a JSON file, and the same film gives the same frames anywhere that has its model.

Time: a step from one stop to the next has `step_sec · fps` frames, a hold `hold_sec · fps`, rounded. Films that end
where they began (`end` "loop", "back") show no frame twice: behind their last frame comes their first.
"""

import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

from explorer import plain, values
from explorer.parts import MAX_STRENGTH_SD, SPACES, Direction, set_normal
from explorer.recipe import MAX_PSI, Recipe
from stylegan.errors import InputError
from stylegan.seeds import MAX_SEED

VERSION = 1
EASINGS = ("linear", "smooth", "even")
ENDS = ("stop", "loop", "back")
MAX_KEYS = 100
MAX_FRAMES = 20_000
MAX_FPS = 60
MAX_SEC = 600.0
MAX_TILES, MAX_COLUMNS = 24, 6
MAX_SIDE_PX = 4096  # of a whole frame: what H.264 decoders in browsers and phones take
MAX_JSON_BYTES = 1 << 20


class FilmError(InputError):
    """A film, or a file that should carry one, is not usable."""


@dataclass(frozen=True)
class Key:
    """A picture that the film comes through, and how long it stays there."""

    recipe: Recipe
    hold_sec: float = 0.0

    def __post_init__(self) -> None:
        if not isinstance(self.recipe, Recipe):
            raise FilmError("A key is a recipe and a hold time.")
        set_normal(self, hold_sec=values.real(self.hold_sec, "The hold of a key in seconds", 0, MAX_SEC))


@dataclass(frozen=True)
class PsiSweep:
    """ψ from one value to another."""

    low: float = -1.0
    high: float = 1.0

    def __post_init__(self) -> None:
        _set_ends(self, "ψ of a sweep", MAX_PSI)


@dataclass(frozen=True)
class DirectionSweep:
    """A move along a direction, in standard deviations; where the key moves along it, on the same layers."""

    direction: Direction
    low: float = -3.0
    high: float = 3.0

    def __post_init__(self) -> None:
        if not isinstance(self.direction, Direction):
            raise FilmError("A sweep along a direction names it by name and digest.")
        _set_ends(self, "The strength of a sweep", MAX_STRENGTH_SD)


@dataclass(frozen=True)
class NoiseSweep:
    """All noise drawn anew in every frame: from the key's noise seed on, one further a frame."""


@dataclass(frozen=True)
class Circle:
    """Once around the key's latent, in the plane that seeds `a` and `b` give; see `film_path.circle`."""

    radius: float = 0.4
    a: int = 1
    b: int = 2

    def __post_init__(self) -> None:
        set_normal(
            self,
            radius=values.real(self.radius, "The radius of a circle", 0, 0.9),
            a=values.whole(self.a, "The first seed of a circle", MAX_SEED),
            b=values.whole(self.b, "The second seed of a circle", MAX_SEED),
        )
        if self.a == self.b:
            raise FilmError("A circle lies in the plane of two different seeds.")


Sweep: TypeAlias = PsiSweep | DirectionSweep | NoiseSweep | Circle
SWEEPS: dict[str, Callable[..., Sweep]] = {
    "psi": PsiSweep, "direction": DirectionSweep, "noise": NoiseSweep, "circle": Circle,
}  # fmt: skip


@dataclass(frozen=True)
class Film:
    """All that decides a film's frames.

    Args:
        keys: two or more of one model, or, with a sweep, the one picture that it starts from.
        sweep: one control from end to end in place of a path between keys.
        space: between keys, and around circles: "w" (straight) or "z" (on the sphere; seeds only).
        easing: "linear"; "smooth" (3t² − 2t³: slow at every stop); "even": frames are spaced by how much the picture
            changes, so that nothing jumps (a noise sweep has none).
        end: "stop" at the last stop, "loop" on to the first one, "back" the way that it came.
        step_sec: from one stop to the next; a sweep or a circle is one step.
        fps: frames per second.
        seeds: none, or 2 to 24 for a grid: in the tile of seed s every key's seed is moved by s − (that of key 1).
        columns: of the grid; None is as square as it can be.
        size: pixels per side of one picture; None is the model's own.
        smooth: whether other sizes are interpolated; else pixels stay squares.

    Raises:
        InputError: anything of the wrong type or out of range.
    """

    keys: tuple[Key, ...]
    sweep: Sweep | None = None
    space: str = "w"
    easing: str = "smooth"
    end: str = "stop"
    step_sec: float = 2.0
    fps: int = 25
    seeds: tuple[int, ...] = ()
    columns: int | None = None
    size: int | None = None
    smooth: bool = False

    def __post_init__(self) -> None:
        keys = values.items(self.keys, "The list of keys", MAX_KEYS)
        if not all(isinstance(key, Key) for key in keys):
            raise FilmError("The keys of a film are Key values.")
        values.choice(self.space, "The space of a film", SPACES)
        values.choice(self.easing, "The easing of a film", EASINGS)
        values.choice(self.end, "The end of a film", ENDS)
        if not isinstance(self.smooth, bool):
            raise FilmError(f"Smooth is true or false, not {values.show(self.smooth)}.")
        set_normal(
            self,
            keys=keys,
            step_sec=values.real(self.step_sec, "The seconds from one key to the next", 0, MAX_SEC),
            fps=_from_one(self.fps, "Frames per second", MAX_FPS),
            seeds=tuple(values.whole(s, "A seed", MAX_SEED) for s in values.items(self.seeds, "The grid", MAX_TILES)),
            columns=None if self.columns is None else _from_one(self.columns, "The columns of a grid", MAX_COLUMNS),
            size=None if self.size is None else _from_one(self.size, "The size of a film's picture", MAX_SIDE_PX),
        )
        self._check_keys()
        if len(self.seeds) == 1 or len(set(self.seeds)) < len(self.seeds):
            raise FilmError(f"A grid is of 2 to {MAX_TILES} different seeds.")
        if self.travel_frames < 2:
            raise FilmError("A step from key to key needs at least 2 frames: make it longer, or give more per second.")
        if self.frames > MAX_FRAMES:
            raise FilmError(f"This film has {self.frames:,} frames and may have {MAX_FRAMES:,}: make it shorter.")
        if len(self.json) > MAX_JSON_BYTES:
            raise FilmError(f"This film has more than {MAX_JSON_BYTES >> 20} MiB of JSON: use fewer or simpler keys.")

    def _check_keys(self) -> None:
        if self.sweep is None and len(self.keys) < 2:
            raise FilmError("A film leads from key to key: give at least two key pictures.")
        if self.sweep is not None and len(self.keys) != 1:
            raise FilmError(f"A sweep starts from one picture, not from {len(self.keys)}.")
        if len({key.recipe.model for key in self.keys}) > 1:
            raise FilmError("The keys are of different models: a film stays with one of them.")
        if self.sweep is not None and not isinstance(self.sweep, (PsiSweep, DirectionSweep, NoiseSweep, Circle)):
            raise FilmError("A sweep is a PsiSweep, a DirectionSweep, a NoiseSweep or a Circle.")
        if self.end == "loop" and isinstance(self.sweep, (PsiSweep, DirectionSweep)):
            raise FilmError("This sweep ends elsewhere than it begins: let it stop, or go there and back.")

    @property
    def closed(self) -> bool:
        """Whether behind the last frame comes the first."""
        return self.end != "stop"

    @property
    def ways(self) -> tuple[tuple[int, int], ...]:
        """From which stop to which it goes, in turn: keys by their index, or a sweep's ends 0 and 1."""
        stops = range(len(self.keys) if self.sweep is None else 2)
        there = list(itertools.pairwise(stops))
        if self.end == "back":
            there += [(b, a) for a, b in reversed(there)]
        elif self.end == "loop" and self.sweep is None:
            there.append((stops[-1], 0))
        return tuple(there)

    def hold_frames(self, stop: int) -> int:
        """How many frames more than one a stop has; both ends of a sweep are held like its key."""
        return round(self.keys[stop if self.sweep is None else 0].hold_sec * self.fps)

    @property
    def travel_frames(self) -> int:
        """From one stop to the next."""
        return round(self.step_sec * self.fps)

    @property
    def frames(self) -> int:
        """In the whole film."""
        held = [a for a, _ in self.ways] + ([] if self.closed else [self.ways[-1][1]])
        return len(self.ways) * self.travel_frames + sum(map(self.hold_frames, held))

    @property
    def seconds(self) -> float:
        """How long it runs."""
        return self.frames / self.fps

    @property
    def model(self) -> str:
        """Digest of the model of all keys."""
        return self.keys[0].recipe.model

    @property
    def tiles(self) -> int:
        """Pictures in a frame."""
        return max(1, len(self.seeds))

    @property
    def grid(self) -> tuple[int, int]:
        """Columns and rows of a frame; where no columns are given, as many as rows or a few more."""
        columns = min(self.columns or _squarest(self.tiles), self.tiles)
        return columns, -(-self.tiles // columns)

    def frame_size(self, own_px: int) -> tuple[int, int]:
        """Width and height of a frame in pixels, for a model of `own_px`."""
        side = self.size or own_px
        return self.grid[0] * side, self.grid[1] * side

    @cached_property
    def json(self) -> str:
        """What film files hold: fields sorted, defaults left out, ASCII only."""
        data = {"version": VERSION, **plain.fields_of(self), "keys": [_plain_key(key) for key in self.keys]}
        if self.sweep is not None:
            kind = next(name for name, cls in SWEEPS.items() if type(self.sweep) is cls)
            data["sweep"] = {"kind": kind, **plain.fields_of(self.sweep)}
        return json.dumps(data, sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str | bytes) -> "Film":
        """The film that `text` holds. InputError: not a film, or one that `Film` refuses."""
        return cls.from_data(plain.parse(text, "film", MAX_JSON_BYTES))

    @classmethod
    def from_data(cls, data: object) -> "Film":
        """The film in parsed JSON; as strict as `from_json`."""
        _, rest = plain.versioned(data, VERSION, "film")
        return plain.build(cls, rest, "A film", keys=_read_keys, sweep=_read_sweep)


def _plain_key(key: Key) -> dict[str, Any]:
    return {**plain.fields_of(key), "recipe": json.loads(key.recipe.json)}  # with the version of recipes


def _read_keys(data: object) -> tuple[Key, ...]:
    entries = values.items(data, "The list of keys", MAX_KEYS)
    return tuple(plain.build(Key, entry, "A key", recipe=Recipe.from_data) for entry in entries)


def _read_sweep(data: object) -> Sweep | None:
    if data is None:
        return None
    kind = values.choice(data.get("kind") if isinstance(data, dict) else data, "The kind of a sweep", list(SWEEPS))
    rest = {key: value for key, value in dict(data).items() if key != "kind"}  # type: ignore[call-overload]
    return plain.build(SWEEPS[kind], rest, "A sweep", direction=_read_direction)


def _read_direction(data: object) -> Direction:
    return plain.build(Direction, data, "A direction")


def _set_ends(sweep: PsiSweep | DirectionSweep, what: str, most: float) -> None:
    low, high = (values.real(value, what, -most, most) for value in (sweep.low, sweep.high))
    if low == high:
        raise FilmError(f"{what} goes from one value to another, not from {low:g} to {high:g}.")
    set_normal(sweep, low=low, high=high)


def _from_one(value: object, what: str, most: int) -> int:
    number = values.whole(value, what, most) if isinstance(value, int) else 0
    if number < 1:
        raise FilmError(f"{what}: a whole number from 1 to {most}, not {values.show(value)}.")
    return number


def _squarest(tiles: int) -> int:
    """As many columns as rows or more, with no gap where 24 tiles or fewer allow it: 4 → 2, 12 → 4, 24 → 6."""
    wide = [columns for columns in range(1, MAX_COLUMNS + 1) if columns * columns >= tiles]
    whole = [columns for columns in wide if tiles % columns == 0 and tiles // columns > 1]
    return (whole or wide or [MAX_COLUMNS])[0]
