"""Linear classifiers and regressions on latents, as hyperplanes: a unit normal and an offset in the latents' own units.

Latents are centred and divided by one number for all of them, their root-mean-square distance from the centre. One for
each would undo the geometry of W, whose variances differ by a factor of thousands: a normal that leans on numbers that
hardly vary predicts well, but pictures answer to moves along it less than half as much. For the same reason the
strongest regularisation is taken that explains nearly as much as the best (`benchmarks/direction_effects.py`).

All is solved in the primal, which draws nothing at random.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from stylegan.errors import InputError

Matrix = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Sides = npt.NDArray[np.int8]
Folds = npt.NDArray[np.int64]

C_GRID = (1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1, 1.0, 10.0)
ALPHA_GRID = (1e2, 3e1, 1e1, 3.0, 1.0, 3e-1, 1e-1, 1e-2, 1e-3)
_NEARLY = 1.1  # times what is left unexplained: what a stronger regularisation may cost
_FOLDS = 3
_MOST_FOR_C = 3000  # samples that C is chosen on
_LEAST_FOR_C = 60  # of them on either side
_INTERCEPT_SCALE = 10.0  # liblinear regularises the intercept as well: this much less than the normal


@dataclass(frozen=True, eq=False)
class Scaling:
    """Centre `[D]` of latents, and their root-mean-square distance from it."""

    mean: Matrix
    spread: float

    @classmethod
    def of(cls, x: Matrix) -> "Scaling":
        """Of samples `[N, D]`; InputError where they do not vary or are not finite."""
        spread = float(np.sqrt(x.var(axis=0).sum())) if len(x) else 0.0
        if not np.isfinite(spread) or not spread > 0:
            raise InputError("These latents are all the same, or not finite: nothing can be fitted to them.")
        return cls(x.mean(axis=0), spread)

    def standard(self, x: Matrix) -> Matrix:
        """(x − mean) / spread."""
        return (x - self.mean) / self.spread

    def hyperplane(self, coefficients: Matrix, level: float) -> "Hyperplane":
        """{x: coefficients · standard(x) = level} in the units of x."""
        length = float(np.linalg.norm(coefficients))
        if not np.isfinite(length) or length < 1e-30:
            raise InputError("No direction was found: the score does not depend on the latents.")
        normal = coefficients / length
        return Hyperplane(normal, level * self.spread / length + float(normal @ self.mean))


@dataclass(frozen=True, eq=False)
class Hyperplane:
    """{x: x·normal = offset}; `normal [D]` has length 1 and points to those that have it."""

    normal: Matrix
    offset: float

    def distance(self, x: Matrix) -> Matrix:
        """Signed distance of each row of `x [N, D]`: `[N]`."""
        distances: Matrix = x @ self.normal - self.offset
        return distances


def svm(x: Matrix, y: Bools, scaling: Scaling, c: float) -> Hyperplane:
    """The linear SVM between samples `x [N, D]` that have it and those that have not, both sides weighing alike."""
    return scaling.hyperplane(*_solve(scaling.standard(x), y, c))


def choose_c(x: Matrix, scores: Matrix, sides: Sides, seed: int = 0) -> float:
    """The smallest C of the grid that leaves at most a tenth more of the scores unexplained than the best one.

    By cross-validation over 3 folds of at most 3000 of the standardised samples `x [N, D]`: an SVM is fitted to those
    on a side (`sides [N]` is 1 for those that have it, −1 for those that have not, 0 for the unsure), and 1 − r² of its
    distances with the `scores [N]` of all is what it leaves unexplained.
    """
    rng = np.random.RandomState(seed)
    folds = np.empty(len(x), dtype=np.int64)
    for side in (-1, 0, 1):
        members = rng.permutation(np.flatnonzero(sides == side))
        folds[members] = np.arange(len(members)) % _FOLDS
        folds[members[max(_MOST_FOR_C * len(members) // len(x), _LEAST_FOR_C) :]] = -1  # too many: these are not needed
    unexplained = [np.mean([_unexplained(x, scores, sides, folds, fold, c) for fold in range(_FOLDS)]) for c in C_GRID]
    return next(c for c, u in zip(C_GRID, unexplained, strict=True) if u <= _NEARLY * min(unexplained))


def _unexplained(x: Matrix, scores: Matrix, sides: Sides, folds: Folds, fold: int, c: float) -> float:
    train = (folds >= 0) & (folds != fold) & (sides != 0)
    coefficients, _ = _solve(x[train], sides[train] > 0, c)
    test = folds == fold
    told, known = x[test] @ coefficients, scores[test]
    spread = float(told.std() * known.std())
    return 1.0 - (float(((told - told.mean()) * (known - known.mean())).mean()) / spread) ** 2 if spread else 1.0


def _solve(x: Matrix, y: Bools, c: float) -> tuple[Matrix, float]:
    """Coefficients `[D]` and the level that separates, of standardised latents."""
    from sklearn.svm import LinearSVC

    model = LinearSVC(C=c, class_weight="balanced", dual=False, intercept_scaling=_INTERCEPT_SCALE, max_iter=10_000)
    model.fit(x, y)
    return model.coef_[0].astype(np.float64), -float(model.intercept_[0])


@dataclass(frozen=True, eq=False)
class Regression:
    """A ridge regression: the hyperplane on which the score is `level`, and how much it rises per unit of distance."""

    plane: Hyperplane
    level: float
    slope: float

    def told(self, x: Matrix) -> Matrix:
        """The scores that it expects of `x [N, D]`: `[N]`."""
        return self.level + self.slope * self.plane.distance(x)


def ridges(x: Matrix, scores: Matrix, scaling: Scaling) -> list[Regression]:
    """Ridge regression of each score `[N, K]` on `x [N, D]`, centred at the score's mean.

    α is the largest of the grid that leaves at most a tenth more unexplained than the best, on a fifth of the samples
    that is kept out of a first fit.
    """
    standard, level = scaling.standard(x), scores.mean(axis=0)
    centred = scores - level
    kept = np.arange(len(x)) % 5 == 0
    told = np.einsum("nd,adk->ank", standard[kept], _ridge(standard[~kept], centred[~kept]))
    lost = ((centred[kept] - told) ** 2).sum(axis=1) / np.maximum((centred[kept] ** 2).sum(axis=0), 1e-30)  # [α, K]
    chosen = (lost <= _NEARLY * lost.min(axis=0)).argmax(axis=0)
    coefficients = _ridge(standard, centred)[chosen, :, np.arange(scores.shape[1])]  # [K, D]
    return [
        Regression(scaling.hyperplane(row, 0.0), float(mean), float(np.linalg.norm(row)) / scaling.spread)
        for row, mean in zip(coefficients, level, strict=True)
    ]


def _ridge(x: Matrix, y: Matrix) -> Matrix:
    """(XᵀX + αI)⁻¹XᵀY for every α of the grid: `[α, D, K]`."""
    values, vectors = np.linalg.eigh(x.T @ x)
    projected = vectors.T @ (x.T @ y)
    alphas = np.array(ALPHA_GRID)[:, None]
    shrunk = projected[None] / (values.clip(min=0) + alphas)[:, :, None]
    solutions: Matrix = vectors @ shrunk
    return solutions
