"""Pictures of a run's snapshot while one looks at it: the same seeds, or the picture that is on the stage."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from explorer.adapt import adapted, fresh
from explorer.engine import Engine
from explorer.frames import Picture
from explorer.library import Library
from explorer.recipe import Recipe

MAX_SEEDS = 16
ROW = 4  # pictures side by side
ALONE_PX, CELL_PX = 512, 128  # at most


@dataclass(frozen=True)
class Live:
    """A sheet of pictures uint8 `[H, W, 3]`, row by row, and what each is."""

    sheet: Picture
    columns: int
    recipes: tuple[Recipe, ...]


def pictures(
    engine: Engine, library: Library, path: Path, seeds: Sequence[int], psi: float, present: Recipe, visitor: str
) -> Live:
    """What the snapshot at `path` makes of `seeds` at ψ, or without any of `present`, as far as it fits.

    Raises:
        ModelFileError, InputError: the file is gone or damaged.
        RecipeError: ψ, a seed or `present` is out of range.
        Overtaken: a newer request of `visitor` has come.
    """
    card = library.open_file(path, listed=False)
    recipes = [replace(fresh(card, seed), psi=psi) for seed in seeds] or [adapted(present, card)]
    columns = min(ROW, len(recipes))
    size = min(card.resolution, CELL_PX if seeds else ALONE_PX)
    sheet = engine.sheet(recipes, columns, size, 0, visitor, smooth=True)
    return Live(sheet, columns, tuple(recipes))
