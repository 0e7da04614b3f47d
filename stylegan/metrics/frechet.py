"""Fréchet distance between two sets of features (Heusel et al. 2017): that of the Gaussians with their moments.

It is called FID only where the features are Inception's. With N vectors of D dimensions its bias is about proportional
to 1/N, always upward, and large below a few times D: compare numbers of equal counts only.
"""

from collections.abc import Generator, Iterable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from scipy import linalg

from stylegan.directions.records import Step
from stylegan.errors import InputError
from stylegan.metrics.numbers import Z95, Number
from stylegan.metrics.store import Features, Rows

T = TypeVar("T")
Array = npt.NDArray[np.float64]
RESAMPLINGS = 10


@dataclass(frozen=True, eq=False)
class Moments:
    """Mean `[D]` and unbiased covariance `[D, D]` of `count` vectors."""

    count: int
    mean: Array
    covariance: Array


def moments(blocks: Iterable[npt.NDArray[np.floating]]) -> Moments:
    """Moments of rows that come in blocks `[n, D]`, in float64, around the first block's mean for the digits' sake."""
    count, around, total, products = 0, np.zeros(0), np.zeros(0), np.zeros((0, 0))
    for block in blocks:
        rows = block.astype(np.float64)
        if not count:
            around = rows.mean(axis=0)
            total, products = np.zeros_like(around), np.zeros((len(around), len(around)))
        rows -= around
        count += len(rows)
        total += rows.sum(axis=0)
        products += rows.T @ rows
    if count < 2:
        raise InputError(f"A distribution has at least 2 pictures, not {count}: one has no spread.")
    mean = total / count
    return Moments(count, around + mean, (products - count * np.outer(mean, mean)) / (count - 1))


def frechet_distance(a: Moments, b: Moments) -> float:
    """‖μ_a − μ_b‖² + tr(Σ_a + Σ_b − 2·(Σ_a·Σ_b)^½), ≥ 0.

    The trace of the root is Σ√λ over the eigenvalues λ of Σ_a^½·Σ_b·Σ_a^½, which has those of Σ_a·Σ_b and is symmetric:
    three times as fast as `scipy.linalg.sqrtm`, and exact where covariances are singular.
    """
    if a.mean.shape != b.mean.shape:
        raise InputError(f"Features of {len(a.mean)} and {len(b.mean)} dimensions cannot be compared.")
    values, vectors = linalg.eigh(a.covariance, check_finite=True)
    root = vectors * np.sqrt(values.clip(min=0))  # Σ_a = root·rootᵀ
    inner = root.T @ b.covariance @ root
    roots = np.sqrt(linalg.eigvalsh((inner + inner.T) / 2).clip(min=0)).sum()
    apart = ((a.mean - b.mean) ** 2).sum()
    return float(max(0.0, apart + np.trace(a.covariance) + np.trace(b.covariance) - 2 * roots))


def halves(features: Features) -> float:
    """Distance between two halves of one set: what is left where nothing differs, the floor at half the count."""
    if features.count < 4:
        raise InputError("Two halves need at least 4 pictures.")
    middle = features.count // 2
    size = 256
    parts = [(0, middle), (middle, features.count)]
    first, second = (
        moments(features.rows(i, min(size, stop - i)) for i in range(start, stop, size)) for start, stop in parts
    )
    return frechet_distance(first, second)


def measured(
    real: Features, fake: Features, seed: int = 0, resamplings: int = RESAMPLINGS
) -> Generator[Step[T], None, Number]:
    """The distance, with the interval ±1.96 standard deviations over `resamplings` bootstrap resamplings of both sets.

    Resampled distances are higher than the distance itself (repeated vectors are like fewer of them), so their spread
    is taken and not their place.
    """
    yield Step("Fréchet distance", 0.0)
    value = frechet_distance(moments(real.blocks()), moments(fake.blocks()))
    rng, values = np.random.RandomState(seed), []
    for i in range(resamplings):
        yield Step(f"Fréchet distance: resampling {i + 1} of {resamplings}", (i + 1) / (resamplings + 1))
        values.append(frechet_distance(_resampled(real, rng), _resampled(fake, rng)))
    spread = Z95 * float(np.std(values, ddof=1)) if resamplings > 1 else None
    if spread is None:
        return Number(value)
    return Number(value, max(0.0, value - spread), value + spread)


def _resampled(features: Features, rng: np.random.RandomState) -> Moments:
    """Moments of as many rows drawn with replacement, by how often each is drawn."""
    times = rng.multinomial(features.count, np.full(features.count, 1 / features.count)).astype(np.float32)
    weights = np.split(times, range(256, features.count, 256))
    around = features.rows(0, min(256, features.count)).mean(axis=0)
    total = np.zeros(features.width)
    products = np.zeros((features.width, features.width))
    for rows, weight in zip(features.blocks(), weights, strict=True):
        centred: Rows = rows - around
        weighted = centred * weight[:, None]
        total += weighted.sum(axis=0, dtype=np.float64)
        products += centred.T @ weighted
    mean = total / features.count
    return Moments(
        features.count, around + mean, (products - features.count * np.outer(mean, mean)) / (features.count - 1)
    )
