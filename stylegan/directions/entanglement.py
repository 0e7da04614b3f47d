"""What else changes: the angles between directions, and the measured change of every score along each of them.

One entry of the measured matrix is the mean over seeds of (score at +s − score at −s) / 2s, s being a step in standard
deviations: the change per σ. It is given in standard deviations of that score over the same seeds, so that scores in
different units can be compared, with its standard error.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from stylegan.directions.direction import Direction
from stylegan.directions.records import Step
from stylegan.directions.sampling import Samples, latents, mapped, scored
from stylegan.directions.scores import Scorer
from stylegan.directions.steer import conditioned
from stylegan.errors import InputError
from stylegan.networks import Generator
from stylegan.seeds import MAX_SEEDS, check_seed

MIN_SEEDS = 2
SEEDS = 200
MAX_STEP_SD = 10.0
Space = Literal["w", "z"]
Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Entanglement:
    """Change of each score (column) per σ along each direction (row), in standard deviations of the score.

    `mean` and `standard_error` are `[K, A]`; `left [K]` is how much of each direction the locks leave (1: all of it);
    `unit [A]` is the standard deviation of each score, in its own unit.
    """

    directions: tuple[str, ...]
    scores: tuple[str, ...]
    mean: Numbers
    standard_error: Numbers
    left: Numbers
    unit: Numbers
    seeds: int
    space: Space
    locks: tuple[str, ...]

    def to_csv(self) -> str:
        """A row for each direction and score: `direction,score,change,standard_error,unit,left,space,locks,seeds`."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["direction", "score", "change", "standard_error", "unit", "left", "space", "locks", "seeds"])
        for i, direction in enumerate(self.directions):
            for j, score in enumerate(self.scores):
                numbers = (self.mean[i, j], self.standard_error[i, j], self.unit[j], self.left[i])
                rest = [self.space, "; ".join(self.locks), self.seeds]
                writer.writerow([cell_text(direction), cell_text(score), *(f"{x:.6g}" for x in numbers), *rest])
        return text.getvalue()


def cosines(directions: Sequence[Direction], space: Space = "w") -> Numbers:
    """Cosine of the angle between each two directions, `[K, K]`."""
    vectors = torch.stack([vector_in(direction, space) for direction in directions]).double()
    table: Numbers = (vectors @ vectors.T).clamp(-1, 1).numpy()
    return table


def measure(
    G: Generator,
    scorer: Scorer,
    directions: Sequence[Direction],
    locks: Sequence[Direction] = (),
    space: Space = "w",
    seeds: int = SEEDS,
    first_seed: int = 0,
    step_sd: float = 1.0,
    batch: int = 16,
) -> Iterator[Step[Entanglement]]:
    """The measured matrix, from pictures of `seeds` seeds without truncation; the last step has it.

    Args:
        locks: directions that every other one is made orthogonal to; a direction is never locked by itself.
        space: "z" moves z along the directions' z vectors (σ = 1) before the mapping network.
        step_sd: s of the head of this file.

    Raises:
        InputError: no directions, none left beside the locks, no z vectors, or numbers out of range.
    """
    steps = [_step(direction, locks, space) for direction in directions]
    _check(G, directions, seeds, first_seed, step_sd)
    samples = latents(G, range(first_seed, first_seed + seeds))
    moves = [torch.zeros(1)] + [sign * step_sd * vector for vector, _ in steps for sign in (1, -1)]
    found: list[Numbers] = []
    for i, move in enumerate(moves):
        parts = []
        for start in range(0, seeds, batch):
            what = directions[(i - 1) // 2].name if i else "the pictures as they are"
            yield Step(f"measuring {what}", (i + start / seeds) / len(moves))
            parts.append(scored(G, scorer, _moved(G, samples, slice(start, start + batch), move, space)))
        found.append(torch.cat(parts).double().numpy())
    spread = found[0].std(axis=0)
    unit = np.where(spread > 0, spread, 1.0)
    changes = [(ahead - back) / (2 * step_sd) / unit for ahead, back in zip(found[1::2], found[2::2], strict=True)]
    result = Entanglement(
        directions=tuple(direction.name for direction in directions),
        scores=tuple(column.name for column in scorer.columns),
        mean=np.stack([change.mean(axis=0) for change in changes]),
        standard_error=np.stack([change.std(axis=0, ddof=1) / np.sqrt(seeds) for change in changes]),
        left=np.array([left for _, left in steps]),
        unit=spread,
        seeds=seeds,
        space=space,
        locks=tuple(lock.name for lock in locks),
    )
    yield Step("measured", 1.0, result)


def _step(direction: Direction, locks: Sequence[Direction], space: Space) -> tuple[Tensor, float]:
    """What one σ adds to w or z, and how much of the direction the locks leave."""
    others = [vector_in(lock, space) for lock in locks if lock.digest != direction.digest]
    found = conditioned(vector_in(direction, space), others)
    if found is None:
        raise InputError(f"{direction.name} cannot move while {', '.join(lock.name for lock in locks)} are held still.")
    return found.vector * (direction.sigma if space == "w" else 1.0), found.left


def vector_in(direction: Direction, space: Space) -> Tensor:
    """The unit vector of `direction` in a space, `[width]`; InputError: it has none in Z."""
    if space == "w":
        return direction.vector
    if direction.z_vector is None:
        raise InputError(f"{direction.name} has no direction in Z: only fits of scores have one.")
    return direction.z_vector


def _moved(G: Generator, samples: Samples, rows: slice, move: Tensor, space: Space) -> Tensor:
    if space == "w":
        return samples.w[rows] + move
    return mapped(G, samples.z[rows] + move, None if samples.labels is None else samples.labels[rows])


def _check(G: Generator, directions: Sequence[Direction], seeds: int, first_seed: int, step_sd: float) -> None:
    if not directions or len({len(d.vector) for d in directions} | {G.config.w_dim}) > 1:
        raise InputError(f"A measurement takes at least one direction, all {G.config.w_dim} wide like this model's w.")
    if isinstance(seeds, bool) or not isinstance(seeds, int) or not MIN_SEEDS <= seeds <= MAX_SEEDS:
        raise InputError(f"The number of seeds is from {MIN_SEEDS} to {MAX_SEEDS}, not {seeds!r}.")
    if not 0 < step_sd <= MAX_STEP_SD:
        raise InputError(f"A step is above 0 and at most {MAX_STEP_SD:g} standard deviations, not {step_sd!r}.")
    check_seed(first_seed)


def cell_text(text: str) -> str:
    """A name for a cell of a CSV file: those that a spreadsheet would take for a formula begin with an apostrophe."""
    return f"'{text}" if text[:1] in "=+-@" else text
