"""Separability of one direction: 2 to the conditional entropy H(Y|X) in bits (Karras et al. 2019, §4.2).

X is the side of the hyperplane on which a latent lies, Y is what its picture shows.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

Table = npt.NDArray[np.float64]


def contingency(predicted: npt.NDArray[Any], target: npt.NDArray[Any]) -> Table:
    """Shares `[2, 2]` of samples by predicted class (row) and true class (column), both 0 or 1 `[N]`."""
    cells = np.bincount(predicted.astype(np.int64) * 2 + target.astype(np.int64), minlength=4).reshape(2, 2)
    return cells / max(len(target), 1)


def conditional_entropy(table: npt.NDArray[Any]) -> float:
    """H(Y|X) = Σ p(x, y) · log₂(p(x) / p(x, y)) in bits, of shares p `[X, Y]` or counts; 0·log 0 = 0."""
    p = np.asarray(table, dtype=np.float64)
    total = p.sum()
    if not total:
        return 0.0
    p = p / total
    rows = np.broadcast_to(p.sum(axis=1, keepdims=True), p.shape)
    some = p > 0
    return float(max(0.0, (p[some] * np.log2(rows[some] / p[some])).sum()))


def separability(table: npt.NDArray[Any]) -> float:
    """2^H(Y|X): 1 where the side tells all; 2 where two equal classes lie on both sides alike."""
    return float(2.0 ** conditional_entropy(table))
