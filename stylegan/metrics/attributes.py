"""Attributes of samples beside those of the data, through a scorer: what a model makes too much or too little of.

Overlap = Σ min(p, q) of the two histograms of a score, from 0 (nothing in common) to 1 (the same).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from stylegan.directions.scores import Scorer
from stylegan.directions.targets import Column
from stylegan.images import from_uint8
from stylegan.metrics.features import check_pictures
from stylegan.metrics.store import Features, Rows

BINS = 20


class ScoreFeatures:
    """A scorer as an extractor, so that scores are kept as features are."""

    def __init__(self, scorer: Scorer) -> None:
        self.scorer = scorer
        self.name = "scorer"
        self.digest = f"scores-{scorer.digest}"
        self.width = len(scorer.columns)

    def features(self, pictures: Tensor) -> Tensor:
        """uint8 `[N, H, W, 3]` → scores `[N, K]`."""
        check_pictures(pictures)
        parts = [self.scorer.score(from_uint8(part)) for part in torch.split(pictures, 256)]
        return torch.cat(parts) if parts else torch.zeros(0, self.width)


@dataclass(frozen=True)
class Histogram:
    """Shares of pictures in equal bins from `low` to `high`; what lies outside counts in the outermost."""

    name: str
    low: float
    high: float
    data: tuple[float, ...]
    samples: tuple[float, ...]

    @property
    def overlap(self) -> float:
        """0 … 1."""
        return float(np.minimum(self.data, self.samples).sum())


def histograms(columns: Sequence[Column], data: Features, samples: Features) -> tuple[Histogram, ...]:
    """One for each column: over 0 … 1 for probabilities, else over the data's 1st to 99th percentile, a tenth wider."""
    a, b = (features.rows(0, features.count) for features in (data, samples))
    return tuple(_histogram(column, a[:, i], b[:, i]) for i, column in enumerate(columns))


def _histogram(column: Column, data: Rows, samples: Rows) -> Histogram:
    low, high = 0.0, 1.0
    if column.kind != "binary":
        low, high = (float(x) for x in np.percentile(data, [1, 99]))
        wider = (high - low) / 10 or 0.5
        low, high = low - wider, high + wider
    edges = np.linspace(low, high, BINS + 1)
    shares = [np.histogram(x.clip(low, high), edges)[0] / len(x) for x in (data, samples)]
    return Histogram(column.name, low, high, *(tuple(float(round(v, 6)) for v in share) for share in shares))
