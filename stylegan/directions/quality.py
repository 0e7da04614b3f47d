"""How well numbers tell what is so: accuracy, area under the ROC curve, explained variance."""

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def accuracy(told: Array, known: Array) -> float:
    """Share of `told [N]` equal to `known [N]`."""
    return float(np.mean(told == known))


def auc(score: Array, known: Array) -> float:
    """Probability that a positive sample of `known [N]` scores above a negative one, ties counting half; 0.5 where one
    side is empty. By ranks: (Σ ranks of positives − P(P+1)/2) / (P·Q) (Mann and Whitney)."""
    known = known.astype(bool)
    positives, negatives = int(known.sum()), int((~known).sum())
    if not positives or not negatives:
        return 0.5
    _, inverse, counts = np.unique(score, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    return float((ranks[known].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def r2(told: Array, known: Array) -> float:
    """1 − Σ(known − told)² / Σ(known − mean)²; 0 where `known` never changes."""
    known, told = known.astype(np.float64), told.astype(np.float64)
    spread = float(((known - known.mean()) ** 2).sum())
    return 1.0 - float(((known - told) ** 2).sum()) / spread if spread else 0.0
