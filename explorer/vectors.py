"""Directions in W as the engine uses them: a unit vector, its σ, and how one is made orthogonal to others."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from explorer.values import RecipeError

PARALLEL = 1e-4  # a direction of which less is left, once its locks are taken off, is one of them


@dataclass(frozen=True, eq=False)
class DirectionVector:
    """One direction of one model."""

    name: str
    digest: str
    vector: Tensor  # float32 [w_dim], length 1, on the CPU
    sigma: float  # standard deviation of the population's w along it


def step(direction: DirectionVector, locks: Sequence[DirectionVector], strength: float) -> Tensor:
    """What `strength` standard deviations add to w: float32 `[w_dim]` = strength · σ · unit(v − its part in the locks).

    Raises:
        RecipeError: nothing of the direction is left beside its locks.
    """
    v = direction.vector.double()
    if locks:
        basis, _ = torch.linalg.qr(torch.stack([lock.vector.double() for lock in locks], dim=1))  # [w_dim, K]
        v = v - basis @ (basis.T @ v)
    length = torch.linalg.vector_norm(v)
    if length < PARALLEL:
        held = ", ".join(lock.name for lock in locks)
        raise RecipeError(f"{direction.name} cannot move while {held} is held still: they are one direction.")
    move: Tensor = (v * (strength * direction.sigma / length)).float()
    return move
