"""Directions that change one attribute and little else: mixtures of directions, by what each of them is measured to do.

A direction fitted to an attribute also moves what goes with it among the samples, such as hair with beards. Taking off
what its vector shares with others (Shen et al. 2020, §3.3: `steer.condition`) does not help where pictures answer to
moves differently than vectors lean. Here the answer itself is taken: E `[K, K]` of `entanglement.measure`, the change
of each attribute (column) per σ along each direction (row), in standard deviations. As far as pictures answer linearly,
the mixture Σᵢ aᵢ σᵢ vᵢ changes the attributes by Eᵀa, so for attribute j

    a = argmin |Eᵀa − e_j|² + λ|a|² = (E Eᵀ + λ I)⁻¹ E e_j.

λ holds down long mixtures of directions that undo each other, which would trust the last digits of E and leave the
region that samples live in.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from stylegan.directions.direction import Direction, unit
from stylegan.directions.entanglement import Entanglement, measure
from stylegan.directions.records import Step, part
from stylegan.directions.sampling import DEFAULT_COUNT, latents
from stylegan.directions.sampling import FIRST_SEED as FITTED_SEED
from stylegan.directions.scores import Scorer
from stylegan.errors import InputError
from stylegan.networks import Generator

RIDGE = 0.015
FIRST_SEED = 10_000  # E is measured on other seeds than people look at first, or directions are fitted to
_POPULATION = range(FITTED_SEED, FITTED_SEED + DEFAULT_COUNT)  # seeds whose w give σ, as of fits


def decouple(
    G: Generator,
    scorer: Scorer,
    directions: Sequence[Direction],
    names: Sequence[str] = (),
    ridge: float = RIDGE,
    seeds: int = 100,
    first_seed: int = FIRST_SEED,
    batch: int = 16,
) -> Iterator[Step[tuple[Direction, ...]]]:
    """For each of `names` (default: all) a mixture of `directions` that changes the attribute of that name and, of the
    attributes that `directions` are named after, the others as little as they can; the last step has them.

    Args:
        directions: two or more with different names, each that of a score of `scorer`.
        ridge: λ of the head of this file, above 0.
        seeds: pictures that changes are averaged over, from `first_seed` on.

    Raises:
        InputError: a name that is no direction's or no score's, or what `measure` refuses.
    """
    known = [direction.name for direction in directions]
    scores = [column.name for column in scorer.columns]
    _check(known, names, scores, ridge)
    measuring = measure(G, scorer, directions, seeds=seeds, first_seed=first_seed, batch=batch)
    found = yield from part(measuring, 0.0, 0.98)
    w = latents(G, _POPULATION).w.double()
    mixtures = mixed(effects_of(found), moves_of(directions), ridge)
    note = f"a mixture of {len(directions)} directions, by what each changes"
    made = []
    for direction, vector in zip(directions, mixtures, strict=True):
        if direction.name in (names or known):
            one = unit(vector, direction.name)
            along = w @ one.double()
            facts = replace(direction.facts, w=None, note=note)  # how well the fit told samples is not true of this one
            sigma, offset = float(along.std()), float(along.mean())
            made.append(replace(direction, vector=one, sigma=sigma, offset=offset, facts=facts))
    yield Step("decoupled", 1.0, tuple(made))


def effects_of(found: Entanglement) -> Tensor:
    """E `[K, K]`: of the scores, those that the directions are named after, in their order."""
    columns = [found.scores.index(name) for name in found.directions]
    return torch.from_numpy(found.mean[:, columns])


def moves_of(directions: Sequence[Direction]) -> Tensor:
    """What one σ along each direction adds to w: float64 `[K, w_dim]`."""
    return torch.stack([direction.vector.double() * direction.sigma for direction in directions])


def mixed(effects: Tensor, moves: Tensor, ridge: float) -> Tensor:
    """The mixture of `moves [K, w_dim]` for each attribute of `effects [K, K]`: `[K, w_dim]`, of any length."""
    squares = effects @ effects.T + ridge * torch.eye(len(effects), dtype=effects.dtype)
    coefficients: Tensor = torch.linalg.solve(squares, effects)  # a of attribute j is column j
    return coefficients.T @ moves


def _check(known: Sequence[str], names: Sequence[str], scores: Sequence[str], ridge: float) -> None:
    if len(known) < 2 or len(set(known)) < len(known):
        raise InputError("Decoupling takes two or more directions, with different names.")
    for name in known:
        if name not in scores:
            raise InputError(f"There is no score {name!r} to measure {name} with; there are: {', '.join(scores)}.")
    for name in names:
        if name not in known:
            raise InputError(f"There is no direction {name!r}; there are: {', '.join(known)}.")
    if not 0 < ridge < float("inf"):
        raise InputError(f"The ridge is above 0 and finite, not {ridge!r}.")
