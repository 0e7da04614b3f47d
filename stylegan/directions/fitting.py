"""Directions from scores: the hyperplane between the samples that clearly have an attribute and those that clearly have
not (Karras et al. 2019, §4.2; Shen et al. 2020, "Interpreting the latent space of GANs for semantic face editing").

As in §4.2 only the most confident half of the samples counts: of a quantity its lowest and highest quarter, of a
probability the surer half of each side, of plain answers all. Three tenths are kept out of the fit, for the
numbers that are reported.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch

from stylegan.directions import hyperplane, separability
from stylegan.directions.direction import Direction, Facts, Fitness, unit
from stylegan.directions.hyperplane import Bools, Hyperplane, Matrix, Scaling
from stylegan.directions.quality import accuracy, auc, r2
from stylegan.directions.records import Step
from stylegan.directions.sampling import Samples
from stylegan.directions.targets import Column
from stylegan.errors import InputError

MIN_SIDE = 20  # samples on either side that a fit needs; fewer are `labels.fit_from_labels`'s work
HELD_OUT = 0.3
KEEP = 0.5
MAX_C = 1e4
_SURE = 1e-4  # probabilities nearer to 0 or 1 than this count as so near
Indices = npt.NDArray[np.int64]


@dataclass(frozen=True)
class FitOptions:
    """How to fit: `keep` is the share of samples that count, those the scores are surest of."""

    method: Literal["svm", "ridge"] = "svm"
    keep: float = KEEP
    seed: int = 0
    in_z: bool = True  # fit in Z as well, for comparison
    c: float | None = None  # of the SVM: smaller is more regularised; None = by cross-validation

    def __post_init__(self) -> None:
        if self.method not in ("svm", "ridge"):
            raise InputError(f"The method is svm or ridge, not {self.method!r}.")
        if not 0 < self.keep <= 1:
            raise InputError(f"The share to keep is above 0 and at most 1, not {self.keep!r}.")
        if self.c is not None and not 0 < self.c <= MAX_C:
            raise InputError(f"C is above 0 and at most {MAX_C:g}, not {self.c!r}.")


@dataclass(frozen=True, eq=False)
class Fitted:
    """Directions, and the scores that gave none with the reason why."""

    directions: tuple[Direction, ...]
    skipped: tuple[tuple[str, str], ...] = ()


def fit(samples: Samples, name: str, options: FitOptions | None = None) -> Direction:
    """The direction along which the score `name` of `samples` rises.

    Raises:
        InputError: no such score; NaN, constant or one-sided scores; ridge on a probability.
    """
    options = options or FitOptions()
    _ends_of(samples, name, options)
    return _Fits(samples, [name], options).direction(name)


def fit_all(
    samples: Samples, names: Sequence[str] = (), options: FitOptions | None = None, skip: bool = True
) -> Iterator[Step[Fitted]]:
    """A direction for each of `names` (default: all scores); the last step has them.

    Raises:
        InputError: as `fit`; where `skip`, scores that give no direction are left out and named in the result.
    """
    options = options or FitOptions()
    wanted, skipped = [], []
    for name in names or [column.name for column in samples.columns]:
        try:
            _ends_of(samples, name, options)
            wanted.append(name)
        except InputError as error:
            if not skip:
                raise
            skipped.append((name, str(error)))
    found: list[Direction] = []
    fits = _Fits(samples, wanted, options)
    for name in wanted:
        yield Step(f"fitting {name}", len(found) / len(wanted))
        found.append(fits.direction(name))
    yield Step("fitted", 1.0, Fitted(tuple(found), tuple(skipped)))


def _ends_of(samples: Samples, name: str, options: FitOptions) -> tuple[Indices, Indices]:
    column, scores = samples.column(name)
    if options.method == "ridge" and column.kind == "binary":
        raise InputError(f"{name} is a yes or no: ridge regression is for quantities, take the SVM.")
    return confident_ends(scores, column, options.keep)


def confident_ends(scores: npt.NDArray[np.floating], column: Column, keep: float = KEEP) -> tuple[Indices, Indices]:
    """Numbers of the samples that clearly have not, and of those that clearly have it; each sorted.

    Raises:
        InputError: a score that is not finite, the same for all, or with fewer than 20 samples on a side.
    """
    values = np.asarray(scores, dtype=np.float64)
    if not np.isfinite(values).all():
        raise InputError(f"{column.name}: {int((~np.isfinite(values)).sum())} scores are not finite (NaN or infinity).")
    if not values.size or values.min() == values.max():
        raise InputError(f"{column.name}: the score is the same for all {values.size} samples.")
    order = np.argsort(values, kind="stable")
    if column.kind == "binary":
        negatives, positives = order[values[order] <= 0.5], order[values[order] > 0.5]
        few = f"{len(positives)} of {len(values)} samples have it"
        keep = 1.0 if np.isin(values, (0, 1)).all() else keep  # answers, of which none is surer than another
    else:
        half = len(values) // 2
        negatives, positives = order[:half], order[len(values) - half :]
        few = f"there are {len(values)} samples"
    least = [round(keep * len(side)) for side in (negatives, positives)]
    if min(least) < MIN_SIDE:
        raise InputError(f"{column.name}: {few}; a fit needs {int(MIN_SIDE / keep + 0.5)} on either side.")
    low, high = np.sort(negatives[: least[0]]), np.sort(positives[len(positives) - least[1] :])
    if values[low].max() >= values[high].min():
        raise InputError(f"{column.name}: too many samples have the same score {values[low].max():g} to tell its ends.")
    return low, high


class _Fits:
    """What fits of several scores (`names`, already checked) to the same samples share."""

    def __init__(self, samples: Samples, names: Sequence[str], options: FitOptions) -> None:
        self.samples, self.options = samples, options
        order = np.random.RandomState(options.seed).permutation(len(samples))
        self.test = np.zeros(len(samples), dtype=bool)
        self.test[order[: round(HELD_OUT * len(samples))]] = True
        self.spaces = {"w": samples.w.double().numpy()}
        if options.in_z:
            self.spaces["z"] = samples.z.double().numpy()
        self.scalings = {space: Scaling.of(x[~self.test]) for space, x in self.spaces.items()}
        quantities = [name for name in names if samples.column(name)[0].kind == "continuous"]
        self.regressions = {space: self._regressions(space, quantities) for space in self.spaces}

    def direction(self, name: str) -> Direction:
        """The direction of one score."""
        low, high = _ends_of(self.samples, name, self.options)
        chosen = np.concatenate([low, high])
        has_it = np.arange(len(chosen)) >= len(low)
        planes = {space: self._plane(space, name, chosen, has_it) for space in self.spaces}
        test = self.test[chosen]
        fitness = {
            space: fitness_of(plane, self.spaces[space][chosen[test]], has_it[test], self._explained(space, name))
            for space, plane in planes.items()
        }
        facts = Facts(
            samples=len(self.samples),
            positives=len(high),
            negatives=len(low),
            held_out=int(test.sum()),
            seed=self.samples.seeds[0],
            scorer=self.samples.scorer,
            w=fitness["w"],
            z=fitness.get("z"),
        )
        vectors = {space: unit(torch.from_numpy(plane.normal), name) for space, plane in planes.items()}
        sigma = float((self.spaces["w"] @ planes["w"].normal).std())
        offset, method = planes["w"].offset, self.options.method
        return Direction(name, vectors["w"], sigma, offset, None, method, facts, vectors.get("z"))

    def _plane(self, space: str, name: str, chosen: Indices, has_it: Bools) -> Hyperplane:
        if self.options.method == "ridge":
            return self.regressions[space][name][0]
        x, scaling = self.spaces[space], self.scalings[space]
        train = ~self.test[chosen]
        c = self.options.c or self._chosen_c(space, name, chosen, has_it)
        return hyperplane.svm(x[chosen[train]], has_it[train], scaling, c)

    def _chosen_c(self, space: str, name: str, chosen: Indices, has_it: Bools) -> float:
        column, scores = self.samples.column(name)
        known = scores.astype(np.float64)
        if column.kind == "binary":
            known = np.clip(known, _SURE, 1 - _SURE)
            known = np.log(known / (1 - known))
        sides = np.zeros(len(scores), dtype=np.int8)
        sides[chosen] = np.where(has_it, 1, -1)
        train = ~self.test
        standard = self.scalings[space].standard(self.spaces[space][train])
        return hyperplane.choose_c(standard, known[train], sides[train], self.options.seed)

    def _explained(self, space: str, name: str) -> float | None:
        """R² of ridge regression on the samples kept out, where the score is a quantity."""
        return self.regressions[space][name][1] if name in self.regressions[space] else None

    def _regressions(self, space: str, names: list[str]) -> dict[str, tuple[Hyperplane, float]]:
        """By score: its ridge regression, and R² on the samples kept out."""
        if not names:
            return {}
        x = self.spaces[space]
        scores = np.stack([self.samples.column(name)[1] for name in names], axis=1).astype(np.float64)
        found = hyperplane.ridges(x[~self.test], scores[~self.test], self.scalings[space])
        quality = [r2(one.told(x[self.test]), scores[self.test, i]) for i, one in enumerate(found)]
        return {name: (one.plane, known) for name, one, known in zip(names, found, quality, strict=True)}


def fitness_of(plane: Hyperplane, x: Matrix, has_it: Bools, explained: float | None = None) -> Fitness:
    """How well `plane` tells samples `x [N, D]` that it was not fitted to."""
    distance = plane.distance(x)
    bits = separability.conditional_entropy(separability.contingency(distance > 0, has_it))
    return Fitness(accuracy(distance > 0, has_it), auc(distance, has_it), bits, explained)
