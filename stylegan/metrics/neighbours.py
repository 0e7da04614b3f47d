"""Precision and recall (Kynkäänniemi et al. 2019, arXiv 1904.06991, §2), k = 3.

A set of features is taken for a manifold: the union of balls around its points, each as large as the distance to the
point's k-th nearest neighbour. Precision is the share of fakes inside that of the reals, recall the share of reals
inside that of the fakes.
"""

from collections.abc import Generator
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from stylegan.directions.records import Step
from stylegan.errors import InputError
from stylegan.metrics.numbers import Number
from stylegan.metrics.store import Features, Rows

T = TypeVar("T")
Array = npt.NDArray[np.float64]
K = 3
RESAMPLINGS = 1000
_TILE = 1024


@dataclass(frozen=True)
class PrecisionRecall:
    """Both shares, with intervals that hold the manifolds fixed and resample what is looked for in them."""

    precision: Number
    recall: Number


def squared_distances(x: Rows, y: Rows) -> Array:
    """‖x_i − y_j‖² `[n, m]` of rows, ≥ 0, from products in float32 of rows around their common mean."""
    around = y.mean(axis=0)
    a, b = x - around, y - around
    lengths = [(rows.astype(np.float64) ** 2).sum(axis=1) for rows in (a, b)]
    found: Array = lengths[0][:, None] + lengths[1][None] - 2.0 * (a @ b.T)
    return found.clip(min=0.0)


def measured(
    real: Features, fake: Features, seed: int = 0, k: int = K, resamplings: int = RESAMPLINGS
) -> Generator[Step[T], None, PrecisionRecall]:
    """Precision and recall.

    Raises:
        InputError: no more than k pictures in a set.
    """
    if min(real.count, fake.count) <= k:
        raise InputError(f"Precision and recall need more than k = {k} pictures on both sides.")
    real_radii = yield from _radii(real, k, 0)
    fake_radii = yield from _radii(fake, k, 1)
    inside_real = np.zeros(fake.count, dtype=bool)
    inside_fake = np.zeros(real.count, dtype=bool)
    for i in range(0, real.count, _TILE):
        yield Step("precision and recall", (2 + i / real.count) / 3)
        rows = real.rows(i, _TILE)
        for j in range(0, fake.count, _TILE):
            apart = squared_distances(rows, fake.rows(j, _TILE))
            inside_real[j : j + _TILE] |= (apart <= real_radii[i : i + _TILE, None]).any(axis=0)
            inside_fake[i : i + _TILE] |= (apart <= fake_radii[None, j : j + _TILE]).any(axis=1)
    rng = np.random.RandomState(seed)
    return PrecisionRecall(_share(inside_real, rng, resamplings), _share(inside_fake, rng, resamplings))


def _radii(features: Features, k: int, turn: int) -> Generator[Step[T], None, Array]:
    """Squared distance of each row to its k-th nearest other one, `[N]`."""
    found = np.empty(features.count)
    for i in range(0, features.count, _TILE):
        yield Step("precision and recall", (turn + i / features.count) / 3)
        rows = features.rows(i, _TILE)
        nearest = np.full((len(rows), k), np.inf)
        for j in range(0, features.count, _TILE):
            apart = squared_distances(rows, features.rows(j, _TILE))
            if i == j:
                np.fill_diagonal(apart, np.inf)
            nearest = np.partition(np.concatenate([nearest, apart], axis=1), k - 1, axis=1)[:, :k]
        found[i : i + len(rows)] = nearest.max(axis=1)
    return found


def _share(inside: npt.NDArray[np.bool_], rng: np.random.RandomState, resamplings: int) -> Number:
    share = float(inside.mean())
    low, high = np.percentile(rng.binomial(len(inside), share, resamplings) / len(inside), [2.5, 97.5])
    return Number(share, float(low), float(high))
