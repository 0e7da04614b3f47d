"""What else directions change, for a page or a program: cosines, and the measured matrix, as plain data and CSV."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from explorer.engine import Engine
from explorer.scorers import Scorers
from explorer.values import RecipeError, choice, show, whole
from stylegan.directions import Direction, Entanglement, cosines, entanglement, measure
from stylegan.directions.steer import conditioned
from stylegan.errors import InputError

SPACES = ("w", "z")
MIN_SEEDS, SEEDS, MAX_SEEDS = 2, entanglement.SEEDS, 2000
MOST_DIRECTIONS = 128
_PIXELS_AT_ONCE = 1 << 15


@dataclass(frozen=True)
class Measured:
    """How far a measurement has come; the last record has the table."""

    phase: str
    share: float
    table: dict[str, Any] | None = None


def found(engine: Engine, model: str, digests: Sequence[object]) -> list[Direction]:
    """Directions of a model by digest. RecipeError: one that it has not, or too many."""
    known = engine.library.directions(model)
    if len(digests) > MOST_DIRECTIONS:
        raise RecipeError(f"A table has at most {MOST_DIRECTIONS} directions, not {len(digests)}.")
    listed = []
    for digest in digests:
        direction = known[digest].source if isinstance(digest, str) and digest in known else None
        if direction is None:
            raise RecipeError(f"This model has no direction {show(digest)}.")
        listed.append(direction)
    return listed


def cosine_table(directions: Sequence[Direction], locks: Sequence[Direction], space: str) -> dict[str, Any]:
    """Cosines of what the locks leave of each direction (rows) with every direction as it is (columns).

    Raises:
        InputError: no directions, or none with a vector in the space; see `in_space`.
    """
    directions, missing = in_space(directions, space)
    held = [_vector(lock, space) for lock in locks]
    plain = cosines(directions, "z" if space == "z" else "w")
    rows, left = [], []
    for i, direction in enumerate(directions):
        others = [vector for lock, vector in zip(locks, held, strict=True) if lock.digest != direction.digest]
        rest = conditioned(_vector(direction, space), others)
        left.append(0.0 if rest is None else rest.left)
        rows.append(
            plain[i].tolist() if not others else [
                0.0 if rest is None else float(rest.vector.double() @ _vector(other, space).double())
                for other in directions
            ]
        )  # fmt: skip
    names = [direction.name for direction in directions]
    table = {
        "kind": "cosines", "rows": names, "columns": names, "mean": rows, "error": None, "unit": None, "left": left,
        "space": space, "locks": [lock.name for lock in locks], "seeds": 0, "missing": missing,
    }  # fmt: skip
    return {**table, "csv": _csv(table)}


def measured(
    engine: Engine,
    scorers: Scorers,
    model: str,
    directions: Sequence[Direction],
    locks: Sequence[Direction],
    space: str,
    seeds: object,
    visitor: str | None = None,
) -> Iterator[Measured]:
    """The measured matrix: change of every score per σ along every direction; pictures for people go in between.

    Raises:
        InputError: as `cosine_table`, an impossible number of seeds, or nothing left beside the locks.
    """
    if whole(seeds, "The number of seeds", MAX_SEEDS) < MIN_SEEDS:
        raise RecipeError(f"The number of seeds is from {MIN_SEEDS} to {MAX_SEEDS}, not {seeds}.")
    assert isinstance(seeds, int)
    chosen, missing = in_space(directions, space)
    scorer, _ = scorers.of(model)
    G = engine.library.generator(model)
    batch = max(1, min(16, _PIXELS_AT_ONCE // G.config.resolution**2))
    steps = measure(G, scorer, chosen, locks, "z" if space == "z" else "w", seeds, batch=batch)
    for step in engine.driven(model, steps, visitor):
        yield Measured(step.phase, step.share, None if step.result is None else _data(step.result, missing))


def in_space(directions: Sequence[Direction], space: str) -> tuple[list[Direction], list[str]]:
    """Those that have a vector in `space`, and the names of the others.

    Raises:
        InputError: none has.
    """
    choice(space, "The space", SPACES)
    fit = [direction for direction in directions if space == "w" or direction.z_vector is not None]
    if not fit:
        raise InputError(
            "None of these directions has a vector in Z: only fits of scores have one." if directions else
            "There are no directions to compare: find some first."
        )  # fmt: skip
    return fit, [direction.name for direction in directions if direction not in fit]


def _data(result: Entanglement, missing: Sequence[str]) -> dict[str, Any]:
    return {
        "kind": "measured", "rows": list(result.directions), "columns": list(result.scores),
        "mean": result.mean.tolist(), "error": result.standard_error.tolist(), "unit": result.unit.tolist(),
        "left": result.left.tolist(), "space": result.space, "locks": list(result.locks), "seeds": result.seeds,
        "missing": list(missing), "csv": result.to_csv(),
    }  # fmt: skip


def _vector(direction: Direction, space: str) -> Any:
    if space == "w":
        return direction.vector
    if direction.z_vector is None:
        raise InputError(f"{direction.name} is held still, but has no direction in Z: let it go, or compare in W.")
    return direction.z_vector


def _csv(table: dict[str, Any]) -> str:
    """`direction,with,cosine,left,space,locks`: a row for each pair."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["direction", "with", "cosine", "left", "space", "locks"])
    for name, row, left in zip(table["rows"], table["mean"], table["left"], strict=True):
        for other, cosine in zip(table["columns"], row, strict=True):
            cells = [_plain(name), _plain(other), f"{cosine:.6g}", f"{left:.6g}", table["space"]]
            writer.writerow([*cells, "; ".join(table["locks"])])
    return text.getvalue()


def _plain(text: str) -> str:
    """Names that a spreadsheet would take for a formula begin with an apostrophe."""
    return f"'{text}" if text[:1] in "=+-@" else text
