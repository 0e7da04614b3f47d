"""Kernel distance (KID, Bińkowski et al. 2018): squared maximum mean discrepancy with the kernel (x·y / D + 1)³.

The unbiased estimate over all pairs of different pictures: no bias at any count, and it may come out below 0. In
papers the features are Inception's; here the number carries its extractor's name.
"""

from collections.abc import Generator
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from stylegan.directions.records import Step
from stylegan.metrics.numbers import Number
from stylegan.metrics.store import Features, Rows

T = TypeVar("T")
Array = npt.NDArray[np.float64]
RESAMPLINGS = 100
_TILE = 1024


def kernel(x: Rows, y: Rows) -> Array:
    """k(x, y) `[n, m]` of rows `[n, D]`, `[m, D]`."""
    cubed: Array = (x @ y.T / np.float32(x.shape[1]) + 1).astype(np.float64) ** 3
    return cubed


def measured(
    real: Features, fake: Features, seed: int = 0, resamplings: int = RESAMPLINGS
) -> Generator[Step[T], None, Number]:
    """MMD² over all pairs, with the 2.5 and 97.5 percentile of bootstrap resamplings of both sets.

    A resampling is a weight for each picture. Pairs of a picture with itself stay out of it, drawn twice or not, so
    that resamplings are unbiased too.
    """
    rng = np.random.RandomState(seed)
    weights = [_weights(rng, features.count, resamplings) for features in (real, fake)]
    within_real = yield from _mean(real, real, weights[0], weights[0], 0, same=True)
    within_fake = yield from _mean(fake, fake, weights[1], weights[1], 1, same=True)
    across = yield from _mean(real, fake, weights[0], weights[1], 2, same=False)
    values = within_real + within_fake - 2 * across
    if resamplings < 2:
        return Number(float(values[0]))
    low, high = np.percentile(values[1:], [2.5, 97.5])
    return Number(float(values[0]), float(low), float(high))


def _weights(rng: np.random.RandomState, count: int, resamplings: int) -> Array:
    """`[1 + resamplings, count]`: once each, then as often as each is drawn with replacement."""
    drawn = rng.multinomial(count, np.full(count, 1 / count), size=resamplings)
    return np.concatenate([np.ones((1, count)), drawn]).astype(np.float64)


def _mean(a: Features, b: Features, u: Array, v: Array, turn: int, same: bool) -> Generator[Step[T], None, Array]:
    """Weighted means of k over pairs, `[1 + resamplings]`; of one set with itself without i = j."""
    total = np.zeros(len(u))
    for i in range(0, a.count, _TILE):
        yield Step("kernel distance", (turn + i / a.count) / 3)
        rows = a.rows(i, _TILE)
        for j in range(i if same else 0, b.count, _TILE):
            k = kernel(rows, b.rows(j, _TILE))
            if same and i == j:
                np.fill_diagonal(k, 0.0)
            twice = 2 if same and i != j else 1
            total += twice * ((u[:, i : i + _TILE] @ k) * v[:, j : j + _TILE]).sum(axis=1)
    pairs = u.sum(axis=1) * v.sum(axis=1)
    if same:
        pairs -= (u * v).sum(axis=1)
    means: Array = total / pairs
    return means
