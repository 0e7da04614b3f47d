"""Mixtures of directions, in a linear world where what each changes is known."""

import numpy as np
import pytest
import torch
from direction_toys import D, LinearGenerator, LinearScorer, angle_deg, normals

from stylegan.directions import Direction, decouple, finish, latents, measure
from stylegan.directions.decoupling import mixed
from stylegan.directions.direction import Facts, Fitness, unit
from stylegan.errors import InputError

G = LinearGenerator(np.linspace(0.5, 2, D))
SCORER = LinearScorer(normals(3))


def _directions(**more) -> list[Direction]:
    return [
        Direction(column.name, unit(row, "d"), 0.5 + i, **more)
        for i, (column, row) in enumerate(zip(SCORER.columns, SCORER.normals, strict=True))
    ]


def test_mixtures_change_their_own_score_alone():
    made = finish(decouple(G, SCORER, _directions(), ridge=1e-9, seeds=20))
    found = finish(measure(G, SCORER, made, seeds=20)).mean
    assert np.diag(found).min() > 0.3
    assert found[~np.eye(3, dtype=bool)] == pytest.approx(np.zeros(6), abs=1e-4)
    for i, direction in enumerate(made):  # that is the dual basis of the normals
        assert angle_deg(direction.vector, np.linalg.pinv(SCORER.normals.double().numpy())[:, i]) < 0.01


def test_sigma_and_offset_are_those_of_the_population():
    facts = Facts(samples=10, w=Fitness(0.9, 0.9, 0.5), z=Fitness(0.8, 0.8, 0.6))
    (made,) = finish(decouple(G, SCORER, _directions(facts=facts), ["attribute 1"], seeds=5))
    along = latents(G, range(100_000, 110_000)).w.double() @ made.vector.double()
    assert made.name == "attribute 1"
    assert (made.sigma, made.offset) == pytest.approx((float(along.std()), float(along.mean())))
    assert (made.facts.samples, made.facts.w, made.facts.z) == (10, None, facts.z)
    assert made.facts.note == "a mixture of 3 directions, by what each changes"


def test_the_ridge_is_that_of_a_least_squares_problem():
    """Against numpy, as ordinary least squares with λ as further rows."""
    rng = np.random.RandomState(0)
    effects, moves = rng.randn(4, 4), rng.randn(4, 7)
    found = mixed(torch.from_numpy(effects), torch.from_numpy(moves), 0.3)
    rows = np.vstack([effects.T, np.sqrt(0.3) * np.eye(4)])
    for j in range(4):
        a, *_ = np.linalg.lstsq(rows, np.eye(8)[j], rcond=None)
        assert found[j].numpy() == pytest.approx(a @ moves)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"directions": []}, "two or more"),
        ({"directions": _directions()[:1]}, "two or more"),
        ({"directions": [_directions()[0]] * 2}, "different names"),
        ({"directions": [*_directions(), Direction("nose", unit(torch.ones(D), "d"), 1.0)]}, "no score 'nose'"),
        ({"names": ["nose"]}, "no direction 'nose'"),
        ({"ridge": 0.0}, "ridge"),
        ({"ridge": float("nan")}, "ridge"),
        ({"seeds": 1}, "number of seeds"),
    ],
)
def test_mistakes(change, said):
    with pytest.raises(InputError, match=said):
        finish(decouple(G, SCORER, **{"directions": _directions(), **change}))
