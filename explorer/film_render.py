"""A film's frames: measured where its speed is even, previewed in small, rendered to a file as long work.

Frames go to the encoder as they are made, and memory does not grow with their number.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from explorer import film_encode, film_path, scaling
from explorer.engine import Engine
from explorer.film import Film, NoiseSweep
from explorer.film_path import Pace, Place
from explorer.recipe import Recipe
from stylegan.images import Picture, grid

PARTS, COARSE_PARTS = 24, 12  # of a way in which change is measured, for models up to 128² and larger ones
PREVIEW_FRAMES, PREVIEW_PX = 48, 128
PREVIEW_PIXELS = 160 * 32**2  # of all its pictures together: about a second on one busy core
LEAST_PREVIEW = 5
MEASURED_TILES = 4  # of a grid, whose tiles keep time with each other


@dataclass(frozen=True)
class Progress:
    """How far the rendering of a film is: pictures drawn so far and in all, those for measuring among them."""

    done: int
    total: int
    stage: str  # "measuring" or "rendering"

    @property
    def share(self) -> float:
        """How much is done, 0 … 1."""
        return self.done / self.total


@dataclass(frozen=True, eq=False)
class Preview:
    """A few frames of a film, evenly over its time, side by side."""

    strip: Picture  # [H, n·W, 3]
    frames: tuple[int, ...]  # which of the film's frames they are
    recipes: tuple[Recipe, ...]  # of the first tile, for each


class Course:
    """The recipes of a film on its model, by frame; for every tile the same course at the same time."""

    def __init__(self, engine: Engine, film: Film) -> None:
        """Errors as `check`."""
        self.engine, self.film = engine, film
        card = engine.library.card(film.model)
        self.own_px = card.resolution
        self.tiles = [film_path.ways(film, card, seed) for seed in film.seeds or (None,)]
        for way, (ways, share) in itertools.product(range(len(film.ways)), itertools.product(self.tiles, (0, 0.5, 1))):
            engine.check(ways[way](share))
        self.parts = PARTS if self.own_px <= 128 else COARSE_PARTS
        self.measured = film.easing == "even" and not isinstance(film.sweep, NoiseSweep)

    def at(self, place: Place) -> list[Recipe]:
        """The recipe of each tile."""
        return [ways[place.way](place.share) for ways in self.tiles]

    @property
    def samples(self) -> list[Place]:
        """Where pictures are looked at to measure change; both ends of every way."""
        return [Place(way, i / self.parts) for way in range(len(self.film.ways)) for i in range(self.parts + 1)]

    def paces(self, visitor: str | None = None) -> Iterator[Pace | None]:
        """One Pace for each way, with a None after every picture."""
        recipes = (recipe for place in self.samples for recipe in self.at(place)[:MEASURED_TILES])
        pictures = self.engine.film(recipes, visitor)
        before: list[Picture] = []
        for _ in self.film.ways:
            changes = []
            for i in range(self.parts + 1):
                now = []
                for _ in self.tiles[:MEASURED_TILES]:
                    now.append(next(pictures))
                    yield None
                if i:
                    changes.append(sum(map(change, before, now)))
                before = now
            yield Pace.of(changes)

    def frames(self, places: Sequence[Place], visitor: str | None = None) -> Iterator[list[Picture]]:
        """The pictures of every tile, frame by frame, in the model's own size."""
        pictures = self.engine.film((recipe for place in places for recipe in self.at(place)), visitor)
        for _ in places:
            yield list(itertools.islice(pictures, len(self.tiles)))

    def laid(self, pictures: Sequence[Picture], size: int, smooth: bool) -> Picture:
        """One frame: the tiles side by side."""
        cells = [scaling.resized(picture, size, smooth) for picture in pictures]
        return cells[0] if len(cells) == 1 else grid(torch.from_numpy(np.stack(cells)), self.film.grid[0])


def change(a: Picture, b: Picture) -> float:
    """How different two pictures look, in grey levels: root mean square differences, averaged over scales.

    Scales are the pictures' own and their halves down to 4²: a small shift of fine detail counts little, a change of
    shape or light at every one of them.

    Why no features of a network: on 11 paths and sweeps of an earlier default model, 50 frames each, steps spaced by
    this vary by 9 % as features of EfficientNet-Lite0 see them (`stylegan.metrics.perceptual`; linear: 18 %), and by
    11 % as structural similarity does (linear: 27 %). Spaced by those features they vary by 7 % and 15 %, at 60 times
    the cost.
    """
    difference: npt.NDArray[np.float32] = a.astype(np.float32) - b
    squares = []
    while True:
        squares.append(float(np.sqrt(np.mean(difference**2))))
        side = len(difference)
        if side < 8:
            return sum(squares) / len(squares)
        difference = difference.reshape(side // 2, 2, side // 2, 2, -1).mean(axis=(1, 3))


def render(engine: Engine, film: Film, path: Path, visitor: str | None = None) -> Iterator[Progress]:
    """Write `film` to `path` in one step; its ending says the format (`film_encode.FORMATS`).

    Ended early, it leaves nothing. Yields after every frame, and while the film is measured.

    Raises:
        InputError: the film does not fit its model, or the format does not take its size or frame rate.
        EncoderError: the encoder failed.
        DiskFullError: no space left.
    """
    course = Course(engine, film)
    width, height = film.frame_size(course.own_px)
    film_encode.check(path.suffix, width, height, film.fps)
    measuring = len(course.samples) * min(film.tiles, MEASURED_TILES) if course.measured else 0
    total = measuring + film.frames * film.tiles
    paces: list[Pace] = []
    for done, pace in enumerate(course.paces(visitor) if course.measured else (), 1):
        if pace is None:
            yield Progress(done - len(paces), total, "measuring")
        else:
            paces.append(pace)
    places = film_path.places(film, paces or None)
    size = film.size or course.own_px
    with film_encode.writer(path, width, height, film) as writer:
        for n, pictures in enumerate(course.frames(places, visitor), 1):
            writer.write(course.laid(pictures, size, film.smooth), course.at(places[n - 1])[0])
            yield Progress(measuring + n * film.tiles, total, "rendering")


def preview(engine: Engine, film: Film, visitor: str | None = None) -> Preview:
    """A few small frames of a film. Errors as `render`; Overtaken: a newer request of `visitor` has come."""
    course = Course(engine, film)
    cost = PREVIEW_PIXELS // max(course.own_px, 32) ** 2
    if course.measured:
        course.parts = max(4, min(course.parts, cost // (2 * min(film.tiles, MEASURED_TILES) * len(film.ways))))
    paces = [pace for pace in course.paces(visitor) if pace is not None] if course.measured else None
    places = film_path.places(film, paces)
    count = min(len(places), PREVIEW_FRAMES, max(LEAST_PREVIEW, len(film.ways) + 1, cost // film.tiles))
    frames = [i * len(places) // count for i in range(count)] if film.closed else _spread(len(places), count)
    columns, rows = film.grid
    size = max(8, min(PREVIEW_PX, course.own_px, 2 * PREVIEW_PX // max(columns, rows)))
    chosen = [places[frame] for frame in frames]
    drawn = course.frames(chosen, visitor)
    strip = np.concatenate([course.laid(pictures, size, smooth=True) for pictures in drawn], axis=1)
    return Preview(strip, tuple(frames), tuple(course.at(place)[0] for place in chosen))


def _spread(total: int, count: int) -> list[int]:
    """`count` of 0 … total − 1, both ends among them."""
    return [round(i * (total - 1) / max(1, count - 1)) for i in range(count)]
