"""What noise does to one picture: realisations and their spread (figure 4), and how much the noise of a layer counts.

Both are long work: generators of records, to be ended between two of them.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from explorer import edits
from explorer.engine import Engine
from explorer.recipe import Recipe
from explorer.values import RecipeError, whole
from stylegan.images import Picture
from stylegan.seeds import MAX_SEED

MAX_REALISATIONS = 100
GAIN = 4.0  # figure 4: grey levels per grey level of standard deviation
# From nothing through violet and orange to pale yellow: (grey level, red, green, blue)
_RAMP = ((0, 0, 0, 4), (64, 87, 16, 110), (128, 188, 55, 84), (192, 249, 142, 9), (255, 252, 255, 164))


@dataclass(frozen=True, eq=False)
class Realisation:
    """One more picture with noise of its own, and the spread of those so far."""

    done: int
    total: int
    picture: Picture
    std: npt.NDArray[np.float32]  # [R, R], grey levels: standard deviation of the mean of red, green and blue

    @property
    def share(self) -> float:
        """How much is done, 0 … 1."""
        return self.done / self.total


@dataclass(frozen=True)
class Influence:
    """How much the picture changes when the noise of one layer is drawn anew."""

    done: int
    total: int
    layer: int
    change: float  # mean absolute difference over pixels and colours, in grey levels of 255

    @property
    def share(self) -> float:
        """How much is done, 0 … 1."""
        return self.done / self.total


def realisations(
    engine: Engine, recipe: Recipe, count: int = MAX_REALISATIONS, first_seed: int = 0, visitor: str | None = None
) -> Iterator[Realisation]:
    """Figure 4: `recipe` with all noise drawn from `first_seed`, `first_seed` + 1, …; layers switched off stay off.

    Raises:
        RecipeError: a model without noise, or an impossible count or seed.
    """
    if not whole(count, "The number of realisations", MAX_REALISATIONS) >= 2:
        raise RecipeError(f"The number of realisations is from 2 to {MAX_REALISATIONS}, not {count}.")
    whole(first_seed, "A seed", MAX_SEED)
    _check_noise(engine, recipe)
    recipes = [edits.with_noise(recipe, "random", (first_seed + i) % (MAX_SEED + 1)) for i in range(count)]
    # Sums of whole numbers, so nothing cancels: σ² = (n·Σx² − (Σx)²) / n² with x = 3·(mean of the colours)
    total, squares = np.int64(0), np.int64(0)
    for n, (_, picture) in enumerate(engine.pictures(recipes, visitor), 1):
        x = picture.sum(axis=2, dtype=np.int64)
        total, squares = total + x, squares + x * x
        std = np.sqrt(n * squares - total * total) / (3 * n)
        yield Realisation(n, count, picture, std.astype(np.float32))


def grey_map(std: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """Figure 4's own map: 4 grey levels for each of standard deviation. `[R, R]` → uint8 `[R, R]`."""
    grey: npt.NDArray[np.uint8] = np.clip(std * GAIN + 0.5, 0, 255).astype(np.uint8)
    return grey


def heat_map(std: npt.NDArray[np.float32]) -> Picture:
    """The same as colours from black (pixels that noise does not move) to pale yellow: uint8 `[R, R, 3]`."""
    levels, *colours = np.array(_RAMP).T
    table = np.stack([np.interp(np.arange(256), levels, colour) for colour in colours], axis=1)
    return table.round().astype(np.uint8)[grey_map(std)]


def influences(engine: Engine, recipe: Recipe, draws: int = 3, visitor: str | None = None) -> Iterator[Influence]:
    """For each layer: how much drawing its noise anew changes this picture, as mean of `draws`.

    From the finest layer to the coarsest, so that what is quick comes first; layers that are switched off come before.

    Raises:
        RecipeError: a model without noise, or an impossible number of draws.
    """
    if not whole(draws, "The number of draws", MAX_REALISATIONS) >= 1:
        raise RecipeError(f"The number of draws is from 1 to {MAX_REALISATIONS}, not {draws}.")
    layers = _check_noise(engine, recipe)
    recipes = [recipe]
    for layer in range(layers):
        now = recipe.noise.seed_of(layer) or 0
        redrawn = [(now + draw) % (MAX_SEED + 1) for draw in range(1, draws + 1)]
        recipes += [edits.redraw_noise(recipe, [layer], seed) for seed in redrawn]
    changes: dict[int, list[float]] = {layer: [] for layer in range(layers)}
    own: npt.NDArray[np.int16] = np.zeros(1, np.int16)
    done = 0
    for i, picture in engine.pictures(recipes, visitor):  # the recipe itself comes first: it shares most with the next
        if i == 0:
            own = picture.astype(np.int16)
            continue
        layer = (i - 1) // draws
        changes[layer].append(float(np.abs(picture - own).mean()))
        if len(changes[layer]) == draws:
            done += 1
            yield Influence(done, layers, layer, sum(changes[layer]) / draws)


def _check_noise(engine: Engine, recipe: Recipe) -> int:
    """How many noise layers the recipe's model has; RecipeError for none."""
    card = engine.library.card(recipe.model)
    if not card.has_noise:
        raise RecipeError(f"{card.name} has no noise inputs, so there is nothing to draw.")
    return card.num_layers
