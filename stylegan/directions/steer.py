"""Moving w along directions, and holding others still (conditional manipulation: Shen et al. 2020, §3.3).

A step of `strength` standard deviations along direction n with locks m₁ … mₖ adds strength · σ · unit(n − P n), where P
projects on the span of the locks: w does not move along any of them. σ is the direction's own, so that a step is as
long with locks as without.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from stylegan.directions.direction import Direction
from stylegan.errors import InputError

PARALLEL = 1e-4  # a direction of which less is left, once its locks are taken off, is one of them


@dataclass(frozen=True, eq=False)
class Conditioned:
    """A direction held orthogonal to locks: `vector [D]` of length 1, and how much is `left`: its cosine with the
    direction as it was, 1 where the locks change nothing."""

    vector: Tensor
    left: float


def conditioned(vector: Tensor, locks: Sequence[Tensor]) -> Conditioned | None:
    """`vector [D]` of length 1 made orthogonal to the vectors `locks`; None where nothing is left of it."""
    v = vector.double()
    if locks:
        # An orthonormal basis of the span: locks may lean on each other, or be given twice
        left, values, _ = torch.linalg.svd(torch.stack([lock.double() for lock in locks], dim=1), full_matrices=False)
        basis = left[:, values > PARALLEL * values.max()]
        v = v - basis @ (basis.T @ v)
    length = float(torch.linalg.vector_norm(v))
    return None if length < PARALLEL else Conditioned((v / length).float(), min(1.0, length))


def condition(direction: Direction, locks: Sequence[Direction]) -> Conditioned:
    """`direction` orthogonal to all of `locks`.

    Raises:
        InputError: nothing of it is left.
    """
    found = conditioned(direction.vector, [lock.vector for lock in locks])
    if found is None:
        held = ", ".join(lock.name for lock in locks)
        raise InputError(f"{direction.name} cannot move while {held} is held still: they are one direction.")
    return found


def step(direction: Direction, strength: float, locks: Sequence[Direction] = ()) -> Tensor:
    """What `strength` standard deviations along `direction` add to w: float32 `[w_dim]`.

    Raises:
        InputError: nothing of the direction is left beside its locks.
    """
    return condition(direction, locks).vector * (strength * direction.sigma)


def steer(
    w: Tensor,
    direction: Direction,
    strength: float,
    layers: Sequence[int] | None = None,
    locks: Sequence[Direction] = (),
) -> Tensor:
    """`w [N, L, w_dim]` moved by `strength` standard deviations along `direction`; a new tensor.

    Args:
        layers: which of the L layers move; None: those that the direction is meant for, or all.
        locks: directions that are held still.

    Raises:
        InputError: widths or layers that do not fit, or nothing left beside the locks.
    """
    if w.ndim != 3 or w.shape[2] != len(direction.vector):
        raise InputError(f"{direction.name} moves w [N, L, {len(direction.vector)}], not {list(w.shape)}.")
    layers = direction.layers if layers is None else layers
    outside = [i for i in layers or () if not 0 <= i < w.shape[1]]
    if outside:
        raise InputError(f"Layers are from 0 to {w.shape[1] - 1}; {outside[0]} is none.")
    moved = w.clone()
    moved[:, slice(None) if layers is None else list(layers)] += step(direction, strength, locks).to(w)
    return moved
