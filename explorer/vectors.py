"""Directions in W as the engine uses them: a unit vector and its σ; `stylegan.directions` finds and describes them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from torch import Tensor

from explorer.values import RecipeError, show
from explorer.words import spoken
from stylegan.directions import Direction
from stylegan.directions.steer import conditioned


@dataclass(frozen=True, eq=False)
class DirectionVector:
    """One direction of one model."""

    name: str
    digest: str
    vector: Tensor  # float32 [w_dim], length 1, on the CPU
    sigma: float  # standard deviation of the population's w along it
    source: Direction | None = None  # with all that is known of it

    @classmethod
    def of(cls, direction: Direction) -> Self:
        """The library's direction as the engine takes it."""
        return cls(direction.name, direction.digest, direction.vector, direction.sigma, direction)


def one_of(known: Mapping[str, DirectionVector], digest: object) -> DirectionVector:
    """A model's direction by digest. RecipeError: it has none such."""
    if not isinstance(digest, str) or digest not in known:
        raise RecipeError(f"This model has no direction {show(digest)}.")
    return known[digest]


def step(direction: DirectionVector, locks: Sequence[DirectionVector], strength: float) -> Tensor:
    """What `strength` standard deviations add to w: float32 `[w_dim]` = strength · σ · unit(v − its part in the locks).

    Raises:
        RecipeError: nothing of the direction is left beside its locks.
    """
    found = conditioned(direction.vector, [lock.vector for lock in locks])
    if found is None:
        held = ", ".join(spoken(lock.name) for lock in locks)
        raise RecipeError(f"{spoken(direction.name)} cannot move while {held} is held still: they are one direction.")
    return found.vector * (strength * direction.sigma)
