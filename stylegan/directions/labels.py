"""A direction from a handful of people's labels, with how uncertain it is said, and what to ask about next.

The direction's angle to the true one is estimated by halving: fitted to two random halves of the labels, two directions
with mean cosine r mean that the whole has about cosine √(2r / (1 + r)) with the truth (Spearman and Brown's formula for
the reliability of a test twice as long, and its root).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from stylegan.directions import hyperplane
from stylegan.directions.direction import Direction, Facts, Fitness, unit
from stylegan.directions.fitting import fitness_of
from stylegan.directions.hyperplane import Bools, Hyperplane, Matrix, Scaling
from stylegan.errors import InputError

MIN_EACH = 8
MAX_LABELS = 2000  # what is still instant
C = 0.03  # too few labels to choose it; this small, the SVM is close to the difference of the two means
_FOLDS, _HALVINGS = 4, 10
_Z95 = 1.96


@dataclass(frozen=True)
class Uncertainty:
    """How far to trust a direction that few labels gave.

    `accuracy` is that on labels kept out in turn, with its 95 % interval `low` … `high`; `angle_deg` is about how far
    the direction lies from the one that endless labels would give (90: nothing is known).
    """

    accuracy: float
    low: float
    high: float
    angle_deg: float

    def __str__(self) -> str:
        sure = "better than chance" if self.low > 0.5 else "not yet better than chance"
        accuracy, low, high = (f"{100 * share:.0f}" for share in (self.accuracy, self.low, self.high))
        return (
            f"{accuracy} % of labels kept out are right ({low} to {high} %: {sure}); "
            f"the direction is about {self.angle_deg:.0f}° off."
        )


@dataclass(frozen=True, eq=False)
class Taught:
    """A direction from labels, and its uncertainty."""

    direction: Direction
    uncertainty: Uncertainty


def fit_from_labels(
    w: Tensor, labels: Sequence[bool], population: Tensor, name: str = "my direction", seed: int = 0
) -> Taught:
    """The direction between labelled `w [n, w_dim]`; instant.

    Args:
        labels: for each row whether it has the attribute.
        population: samples of W `[N, w_dim]`, not truncated, N ≥ 100: for the scales and σ.
        seed: of the halvings and folds.

    Raises:
        InputError: fewer than 8 labels on either side, or shapes that do not fit.
    """
    has_it = np.asarray(labels, dtype=bool)
    if w.ndim != 2 or population.ndim != 2 or w.shape[1] != population.shape[1] or len(w) != len(has_it):
        raise InputError("Labels belong to w [n, w_dim], one each, and the population is [N, w_dim].")
    if len(population) < 100 or not bool(torch.isfinite(w).all()) or len(w) > MAX_LABELS:
        raise InputError(f"A fit takes up to {MAX_LABELS} finite w vectors, and a population of at least 100.")
    positives, negatives = int(has_it.sum()), int((~has_it).sum())
    if min(positives, negatives) < MIN_EACH:
        raise InputError(
            f"Label at least {MIN_EACH} that have it and {MIN_EACH} that have not; so far there are {positives} and "
            f"{negatives}."
        )
    x, scaling = w.double().cpu().numpy(), Scaling.of(population.double().cpu().numpy())
    plane = hyperplane.svm(x, has_it, scaling, C)
    fitness = _cross_validated(x, has_it, scaling, seed)
    low, high = wilson(fitness.accuracy, len(x))
    uncertainty = Uncertainty(fitness.accuracy, low, high, _angle_deg(x, has_it, scaling, seed))
    vector = unit(torch.from_numpy(plane.normal), name)
    sigma = float((population.double().cpu() @ vector.double()).std(correction=0))
    facts = Facts(len(x), positives, negatives, len(x), w=fitness, note=str(uncertainty))
    return Taught(Direction(name, vector, sigma, plane.offset, None, "labels", facts), uncertainty)


def least_sure(pool: Tensor, direction: Direction, k: int) -> list[int]:
    """Rows of `pool [N, w_dim]` nearest to the hyperplane: what it is worth asking about next (active learning)."""
    return _first(direction.place(pool).abs(), k)


def ends(pool: Tensor, direction: Direction, k: int) -> tuple[list[int], list[int]]:
    """The `k` rows of `pool [N, w_dim]` that have it least, and the `k` that have it most, the clearest first."""
    place = direction.place(pool)
    return _first(place, k), _first(-place, k)


def _first(values: Tensor, k: int) -> list[int]:
    if not 1 <= k <= len(values):
        raise InputError(f"From {len(values)} samples 1 to {len(values)} can be chosen, not {k}.")
    order: list[int] = values.cpu().sort(stable=True).indices[:k].tolist()
    return order


def wilson(share: float, n: int) -> tuple[float, float]:
    """Wilson's 95 % interval for a share seen in `n` trials."""
    centre = share + _Z95**2 / (2 * n)
    spread = _Z95 * math.sqrt(share * (1 - share) / n + _Z95**2 / (4 * n * n))
    scale = 1 + _Z95**2 / n
    return max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale)


def _cross_validated(x: Matrix, has_it: Bools, scaling: Scaling, seed: int) -> Fitness:
    """Each label judged by a fit without it and its fold: offsets differ between fits, so distances are compared."""
    folds = _parts(has_it, _FOLDS, np.random.RandomState(seed))
    distance = np.empty(len(x))
    for fold in range(_FOLDS):
        plane = hyperplane.svm(x[folds != fold], has_it[folds != fold], scaling, C)
        distance[folds == fold] = plane.distance(x[folds == fold])
    return fitness_of(Hyperplane(np.ones(1), 0.0), distance[:, None], has_it)


def _angle_deg(x: Matrix, has_it: Bools, scaling: Scaling, seed: int) -> float:
    rng, cosines = np.random.RandomState(seed), []
    for _ in range(_HALVINGS):
        half = _parts(has_it, 2, rng) == 0
        a, b = (hyperplane.svm(x[part], has_it[part], scaling, C).normal for part in (half, ~half))
        cosines.append(float(a @ b))
    r = max(0.0, float(np.mean(cosines)))
    return math.degrees(math.acos(math.sqrt(2 * r / (1 + r))))


def _parts(has_it: Bools, count: int, rng: np.random.RandomState) -> "np.typing.NDArray[np.int64]":
    """A part 0 … count − 1 for each label, both sides spread evenly."""
    parts = np.empty(len(has_it), dtype=np.int64)
    for side in (False, True):
        members = np.flatnonzero(has_it == side)
        parts[members] = rng.permutation(len(members)) % count
    return parts
