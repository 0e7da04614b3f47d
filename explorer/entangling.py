"""What else directions change, for a page or a program: cosines, and the measured matrix, as plain data and CSV."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from explorer.engine import Engine
from explorer.scorers import Scorers
from explorer.values import RecipeError, choice, show, whole
from explorer.words import spoken
from stylegan.directions import Direction, Entanglement, cosines, entanglement, measure
from stylegan.directions.entanglement import Space, cell_text, vector_in
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
        InputError: no directions, none with a vector in the space, or a lock without one; see `in_space`.
    """
    chosen, missing, known = in_space(directions, locks, space)
    plain = cosines(chosen, known)
    rows, left = [], []
    for i, direction in enumerate(chosen):
        others = [vector_in(lock, known) for lock in locks if lock.digest != direction.digest]
        rest = conditioned(vector_in(direction, known), others)
        left.append(0.0 if rest is None else rest.left)
        rows.append(
            plain[i].tolist() if not others else [
                0.0 if rest is None else float(rest.vector.double() @ vector_in(other, known).double())
                for other in chosen
            ]
        )  # fmt: skip
    names = [direction.name for direction in chosen]
    table = {
        "kind": "cosines", "rows": names, "columns": names, "mean": rows, "error": None, "unit": None, "left": left,
        "space": space, "locks": [lock.name for lock in locks], "seeds": 0, "missing": missing, "held": [],
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

    Directions of which the locks leave nothing are left out, and named in the table as "held".

    Raises:
        InputError: as `cosine_table`, an impossible number of seeds, or nothing left of any direction.
    """
    if whole(seeds, "The number of seeds", MAX_SEEDS) < MIN_SEEDS:
        raise RecipeError(f"The number of seeds is from {MIN_SEEDS} to {MAX_SEEDS}, not {seeds}.")
    assert isinstance(seeds, int)
    chosen, missing, known = in_space(directions, locks, space)
    free = [direction for direction in chosen if _moves(direction, locks, known)]
    if not free:
        raise RecipeError("None of these directions can move while the others are held still: let some go.")
    held = [direction.name for direction in chosen if direction not in free]
    scorer, _ = scorers.of(model)
    G = engine.library.generator(model)
    batch = max(1, min(16, _PIXELS_AT_ONCE // G.config.resolution**2))
    steps = measure(G, scorer, free, locks, known, seeds, batch=batch)
    for step in engine.driven(model, steps, visitor):
        yield Measured(step.phase, step.share, None if step.result is None else _data(step.result, missing, held))


def in_space(
    directions: Sequence[Direction], locks: Sequence[Direction], space: str
) -> tuple[list[Direction], list[str], Space]:
    """Those that have a vector in `space`, the names of the others, and the space.

    Raises:
        InputError: none has, or one of the locks has not.
    """
    known: Space = "z" if choice(space, "The space", SPACES) == "z" else "w"
    for lock in locks:
        if known == "z" and lock.z_vector is None:
            raise RecipeError(
                f"{spoken(lock.name)} is held still, but has no direction in Z: let it go, or compare in W."
            )
    fit = [direction for direction in directions if known == "w" or direction.z_vector is not None]
    if not fit:
        raise InputError(
            "None of these directions has a vector in Z: only fits of scores have one." if directions else
            "There are no directions to compare: find some first."
        )  # fmt: skip
    return fit, [direction.name for direction in directions if direction not in fit], known


def _moves(direction: Direction, locks: Sequence[Direction], space: Space) -> bool:
    others = [vector_in(lock, space) for lock in locks if lock.digest != direction.digest]
    return conditioned(vector_in(direction, space), others) is not None


def _data(result: Entanglement, missing: Sequence[str], held: Sequence[str]) -> dict[str, Any]:
    return {
        "kind": "measured", "rows": list(result.directions), "columns": list(result.scores),
        "mean": result.mean.tolist(), "error": result.standard_error.tolist(), "unit": result.unit.tolist(),
        "left": result.left.tolist(), "space": result.space, "locks": list(result.locks), "seeds": result.seeds,
        "missing": list(missing), "held": list(held), "csv": result.to_csv(),
    }  # fmt: skip


def _csv(table: dict[str, Any]) -> str:
    """`direction,with,cosine,left,space,locks`: a row for each pair."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["direction", "with", "cosine", "left", "space", "locks"])
    for name, row, left in zip(table["rows"], table["mean"], table["left"], strict=True):
        for other, cosine in zip(table["columns"], row, strict=True):
            cells = [cell_text(name), cell_text(other), f"{cosine:.6g}", f"{left:.6g}", table["space"]]
            writer.writerow([*cells, "; ".join(table["locks"])])
    return text.getvalue()
