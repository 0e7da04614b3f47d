"""Sheets of pictures as recipes: contact sheets and the paper's figures 3, 5 and 8 (Karras et al. 2019).

All are made from the recipe in hand, so that its ψ, noise and edits hold in every cell. `Engine.sheet` makes them
pictures.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from explorer import edits
from explorer.parts import Edit, Source
from explorer.recipe import Recipe
from explorer.values import RecipeError

MAX_CELLS = 400
PAPER_PSIS = (1.0, 0.7, 0.5, 0.0, -0.5, -1.0)  # figure 8


@dataclass(frozen=True)
class Sheet:
    """Recipes row by row; None is a gap."""

    recipes: tuple[Recipe | None, ...]
    columns: int

    @property
    def rows(self) -> int:
        """How many rows there are; the last may be short."""
        return -(-len(self.recipes) // self.columns)

    def at(self, x_px: float, y_px: float, size: int, pad_px: int) -> Recipe | None:
        """What is at a point of the picture that `Engine.sheet` makes with `size` and `pad_px`; None: nothing."""
        column, row = int(x_px // (size + pad_px)), int(y_px // (size + pad_px))
        inside = 0 <= column < self.columns and row >= 0 and max(x_px, y_px) >= 0
        index = row * self.columns + column
        if not inside or index >= len(self.recipes) or max(x_px % (size + pad_px), y_px % (size + pad_px)) >= size:
            return None
        return self.recipes[index]


def contact(recipe: Recipe, seeds: Sequence[int], columns: int) -> Sheet:
    """The recipe from each of `seeds`."""
    _check_count(len(seeds))
    return Sheet(tuple(edits.with_seed(recipe, seed) for seed in seeds), columns)


def mixing(recipe: Recipe, a: Sequence[Source], b: Sequence[Source], amounts: Mapping[int, float]) -> Sheet:
    """Figure 3: a row for each source in `a`, a column for each in `b`, which gives the layers in `amounts`.

    The first row and column show the sources as they are; the corner is a gap. Mixes of the recipe are left out.
    """
    _check_count((len(a) + 1) * (len(b) + 1))
    plain = edits.clear_mixes(recipe)
    cells: list[Recipe | None] = [None, *(replace(plain, source=source) for source in b)]
    for row in a:
        own = replace(plain, source=row)
        cells += [own, *(edits.mix_amounts(own, column, amounts) for column in b)]
    return Sheet(tuple(cells), len(b) + 1)


def presets(recipe: Recipe, b: Source, bands: Mapping[str, Iterable[int]], amount: float = 1.0) -> Sheet:
    """The recipe with the styles of `b` on each of `bands` alone: coarse, middle, fine side by side."""
    plain = edits.clear_mixes(recipe)
    cells = [edits.mix_from(plain, b, layers, amount) if (layers := tuple(band)) else None for band in bands.values()]
    return Sheet(tuple(cells), len(cells))


def truncation(recipe: Recipe, seeds: Sequence[int], psis: Sequence[float] = PAPER_PSIS) -> Sheet:
    """Figure 8: a row for each seed, a column for each ψ, which here reaches all layers."""
    _check_count(len(seeds) * len(psis))
    cells = [edits.reset_truncation(edits.with_seed(recipe, seed), psi) for seed in seeds for psi in psis]
    return Sheet(tuple(cells), len(psis))


def traversal(recipe: Recipe, edit: Edit, sources: Sequence[Source], strengths: Sequence[float]) -> Sheet:
    """A row for each source, a column for each strength of `edit`, in place of the recipe's own move along it."""
    _check_count(len(sources) * len(strengths))
    rows = [replace(recipe, source=source) for source in sources]
    return Sheet(
        tuple(
            edits.with_edit(row, edit.direction, strength, edit.layers, edit.locks)
            for row in rows
            for strength in strengths
        ),
        len(strengths),
    )


def noise_parts(recipe: Recipe, bands: Mapping[str, Sequence[int]]) -> Sheet:
    """Figure 5: noise on all layers, on none, on the fine ones only, on the coarser ones only."""
    coarser = (*bands["coarse"], *bands["middle"])
    num_noise = len(coarser) + len(bands["fine"])
    chosen = (range(num_noise), (), bands["fine"], coarser)
    return Sheet(tuple(edits.noise_only(recipe, layers, num_noise) for layers in chosen), 4)


def _check_count(count: int) -> None:
    if not 1 <= count <= MAX_CELLS:
        raise RecipeError(f"A sheet has 1 to {MAX_CELLS} pictures, not {count}.")
