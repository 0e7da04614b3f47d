"""What a scorer reads off the picture on screen, beside the same picture unsteered; and whether its w is among samples.

Readings are of the very picture that is shown: uint8, truncated, mixed and steered. They are compared with the scores
of some hundred samples of the model, so that scores in different units can stand side by side.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from explorer import edits, vectors
from explorer.engine import Engine
from explorer.recipe import Recipe
from explorer.scorers import Scorers
from stylegan.directions import Population, Scorer, latents, sampling
from stylegan.directions import populations as _populations
from stylegan.directions.steer import conditioned
from stylegan.images import from_uint8

SAMPLES, ENOUGH = 256, 24  # pictures that a score's spread is over; what is enough where they are slow
PATIENCE_SEC = 8.0
MODELS = 8  # that are known at a time
_AT_ONCE, _PICTURES_AT_ONCE = 500, 8


@dataclass(frozen=True)
class Score:
    """One score of a picture.

    `value` and `before` (the same picture unsteered) are in the score's own unit, a probability where `kind` is
    "binary"; `mean` and `std` are those of the model's samples.
    """

    name: str
    kind: str
    value: float
    before: float
    mean: float
    std: float


@dataclass(frozen=True)
class Reading:
    """All scores of a picture, and the layers whose w has left the region of samples (`Population.threshold`)."""

    scores: tuple[Score, ...]
    outside: tuple[int, ...]
    problem: str = ""  # why the model's own scorer does not read it


@dataclass(frozen=True, eq=False)
class _Known:
    """What is known of a model's samples: where their w lie, and the mean and spread of their scores."""

    scorer: str  # digest
    population: Population
    mean: npt.NDArray[np.float64]
    std: npt.NDArray[np.float64]


class Readings:
    """Reads pictures, for all visitors. Thread-safe."""

    def __init__(self, engine: Engine, scorers: Scorers) -> None:
        self._engine, self._scorers = engine, scorers
        self._known: OrderedDict[str, _Known] = OrderedDict()  # the model used longest ago first
        self._lock = threading.Lock()

    def of(self, recipe: Recipe, visitor: str | None = None) -> Reading:
        """What is read off the picture of `recipe`; errors as `Engine.render`."""
        scorer, problem = self._scorers.of(recipe.model)
        plain = edits.clear_edits(recipe)
        pictures = [self._engine.render(one, visitor=visitor) for one in (recipe, plain)]
        known = self._of_model(recipe.model, scorer, visitor)
        values, before = self._scores(recipe.model, scorer, from_uint8(torch.from_numpy(np.stack(pictures))), visitor)
        outside = known.population.outlying(self._engine.w(recipe)).outside
        return Reading(
            tuple(
                Score(column.name, column.kind, *map(float, numbers))
                for column, *numbers in zip(scorer.columns, values, before, known.mean, known.std, strict=True)
            ),
            tuple(layer for layer, beyond in enumerate(outside.tolist()) if beyond),
            problem,
        )

    def left(self, model: str, digests: Sequence[str], locks: Sequence[str]) -> dict[str, float]:
        """How much the locks leave of each direction: a cosine from 0 to 1. RecipeError: one that the model has not."""
        known = self._engine.library.directions(model)
        held = [vectors.one_of(known, lock) for lock in locks]
        found = {}
        for digest in digests:
            others = [lock.vector for lock in held if lock.digest != digest]
            left = conditioned(vectors.one_of(known, digest).vector, others)
            found[digest] = 0.0 if left is None else left.left
        return found

    def _scores(self, model: str, scorer: Scorer, pictures: Tensor, visitor: str | None) -> npt.NDArray[np.float64]:
        """`[N, 3, R, R]` → `[N, K]`, computed when the device is free."""
        (scores,) = self._engine.driven(model, (scorer.score(x) for x in [pictures]), visitor)
        return scores.double().numpy()

    def _of_model(self, model: str, scorer: Scorer, visitor: str | None) -> _Known:
        with self._lock:
            known = self._known.get(model)
            if known is None or known.scorer != scorer.digest:
                known = self._learnt(model, scorer, known)
                self._known[model] = known
            self._known.move_to_end(model)
            while len(self._known) > MODELS:
                self._known.popitem(last=False)
            return known

    def _learnt(self, model: str, scorer: Scorer, before: _Known | None) -> _Known:
        """Look at samples of a model; pictures for people go in between."""
        G = self._engine.library.generator(model)
        w = sampled(self._engine, model, _populations.SEEDS)
        population = before.population if before else Population.of(w, _populations.unrolls(G.config))

        def scored() -> Iterator[Tensor]:
            for start in range(0, SAMPLES, _PICTURES_AT_ONCE):
                yield sampling.scored(G, scorer, w[start : start + _PICTURES_AT_ONCE])

        rows: list[Tensor] = []
        began_sec = time.monotonic()
        for part in self._engine.driven(model, scored()):
            rows.append(part)
            if time.monotonic() - began_sec > PATIENCE_SEC and len(rows) * _PICTURES_AT_ONCE >= ENOUGH:
                break
        scores = torch.cat(rows).double().numpy()
        return _Known(scorer.digest, population, scores.mean(axis=0), scores.std(axis=0))


def sampled(engine: Engine, model: str, seeds: Sequence[int]) -> Tensor:
    """w `[len(seeds), w_dim]` of a model's samples; pictures for people go in between."""
    G = engine.library.generator(model)
    parts = (latents(G, seeds[start : start + _AT_ONCE]).w for start in range(0, len(seeds), _AT_ONCE))
    return torch.cat(list(engine.driven(model, parts)))
