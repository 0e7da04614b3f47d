"""The measured matrix has a closed form where everything is linear; samples are seeds."""

import csv
import io

import numpy as np
import pytest
import torch
from direction_toys import D, LinearGenerator, LinearScorer, normals

from stylegan.directions import Direction, PictureMeasures, cosines, finish, latents, measure, sample, with_table
from stylegan.directions.direction import unit
from stylegan.directions.scores import ScoreTable
from stylegan.directions.targets import Column
from stylegan.errors import InputError
from stylegan.networks import Generator
from stylegan.seeds import seeds_to_z

SPREAD = np.linspace(0.5, 2, D)


@pytest.fixture(scope="module")
def linear():
    G, scorer = LinearGenerator(SPREAD), LinearScorer(normals(3))
    z_normals = scorer.normals @ G.a  # the score as a function of z
    directions = []
    for i, row in enumerate(scorer.normals):
        z_vector = unit(z_normals[i], "z")
        directions.append(Direction(f"d{i}", unit(row, "d"), 0.5 + i, z_vector=z_vector))
    return G, scorer, directions


def test_the_matrix_of_a_linear_world(linear):
    G, scorer, directions = linear
    found = finish(measure(G, scorer, directions, seeds=50, batch=7))
    scores = scorer.score(G.synthesis(G.mapping(seeds_to_z(range(50), D)))).double().numpy()
    spread = scores.std(axis=0)
    known = scorer.normals.double().numpy()
    sigma = np.array([d.sigma for d in directions])
    assert found.mean == pytest.approx((known @ known.T) * sigma[:, None] / spread, abs=1e-4)
    assert found.standard_error == pytest.approx(np.zeros((3, 3)), abs=1e-5)  # the same for every seed
    assert found.unit == pytest.approx(spread, rel=1e-4)
    assert found.left == pytest.approx([1, 1, 1])
    assert found.directions == ("d0", "d1", "d2")
    assert found.scores == ("attribute 0", "attribute 1", "attribute 2")
    assert (found.seeds, found.space, found.locks) == (50, "w", ())


def test_locks_hold_in_the_matrix(linear):
    G, scorer, directions = linear
    found = finish(measure(G, scorer, directions, locks=directions, seeds=20))
    off = found.mean[~np.eye(3, dtype=bool)]
    assert off == pytest.approx(np.zeros(6), abs=1e-4)
    assert np.diag(found.mean).min() > 0
    assert found.left.max() < 1
    assert found.locks == ("d0", "d1", "d2")
    free = finish(measure(G, scorer, directions, seeds=20))
    # the rest of the direction is as long, but only its part along the score's own normal counts
    assert np.diag(found.mean) == pytest.approx(np.diag(free.mean) * found.left, rel=1e-3)


def test_the_matrix_in_z(linear):
    G, scorer, directions = linear
    found = finish(measure(G, scorer, directions, space="z", seeds=20, step_sd=0.5))
    in_z = (scorer.normals @ G.a).double().numpy()
    vectors = np.stack([d.z_vector.numpy() for d in directions])
    assert found.mean == pytest.approx((vectors @ in_z.T) / found.unit, abs=1e-4)
    locked = finish(measure(G, scorer, directions, locks=directions[:1], space="z", seeds=20))
    assert locked.mean[1:, 0] == pytest.approx([0, 0], abs=1e-4)


def test_standard_errors_are_over_seeds():
    """A bent scorer: the change differs from seed to seed."""

    class Bent(LinearScorer):
        def score(self, pictures):
            return super().score(pictures) ** 2

    G, scorer = LinearGenerator(SPREAD), Bent(normals(1))
    direction = Direction("d", unit(scorer.normals[0], "d"), 1.0)
    found = finish(measure(G, scorer, [direction], seeds=40))
    x = (G.mapping(seeds_to_z(range(40), D))[:, 0] @ scorer.normals[0]).double().numpy()
    change = ((x + 1) ** 2 - (x - 1) ** 2) / 2 / (x**2).std()
    assert found.mean.item() == pytest.approx(change.mean(), abs=1e-4)
    assert found.standard_error.item() == pytest.approx(change.std(ddof=1) / 40**0.5, rel=1e-4)


def test_cosines(linear):
    _, scorer, directions = linear
    assert cosines(directions) == pytest.approx((scorer.normals @ scorer.normals.T).numpy(), abs=1e-5)
    assert np.diag(cosines(directions, "z")) == pytest.approx(np.ones(3), abs=1e-6)
    with pytest.raises(InputError, match="no direction in Z"):
        cosines([Direction("it", torch.eye(4)[0], 1.0)], "z")


def test_the_csv_says_it_all(linear):
    G, scorer, directions = linear
    named = [Direction("=1+1, “x”", directions[0].vector, 1.0), directions[1]]
    found = finish(measure(G, scorer, named, locks=[directions[1]], seeds=5))
    rows = list(csv.DictReader(io.StringIO(found.to_csv())))
    assert len(rows) == 6
    assert rows[0]["direction"] == "'=1+1, “x”"
    assert float(rows[1]["change"]) == pytest.approx(found.mean[0, 1], rel=1e-4, abs=1e-5)
    assert float(rows[1]["left"]) == pytest.approx(found.left[0], rel=1e-4)
    assert (rows[0]["space"], rows[0]["locks"], rows[0]["seeds"]) == ("w", "d1", "5")


def test_measuring_is_told_step_by_step_and_can_be_left(linear):
    G, scorer, directions = linear
    steps = list(measure(G, scorer, directions[:2], seeds=10, batch=5))
    shares = [step.share for step in steps]
    assert shares == sorted(shares)
    assert len(steps) == 5 * 2 + 1
    assert all(step.result is None for step in steps[:-1])
    half = measure(G, scorer, directions, seeds=10)
    next(half)
    half.close()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"directions": []}, "at least one direction"),
        ({"directions": [Direction("it", torch.eye(4)[0], 1.0)]}, "16 wide"),
        ({"seeds": 1}, "number of seeds"),
        ({"seeds": 10**9}, "number of seeds"),
        ({"step_sd": 0.0}, "step"),
        ({"step_sd": float("nan")}, "step"),
        ({"first_seed": -1}, "seed"),
    ],
)
def test_impossible_measurements_are_refused(linear, more, said):
    G, scorer, directions = linear
    with pytest.raises(InputError, match=said):
        finish(measure(G, scorer, **{"directions": directions, **more}))


def test_a_direction_within_the_locks_cannot_be_measured(linear):
    G, scorer, directions = linear
    twin = Direction("twin", directions[0].vector, 9.0)
    with pytest.raises(InputError, match="twin cannot move"):
        finish(measure(G, scorer, [twin], locks=directions[:1], seeds=5))


@pytest.fixture
def tiny(tiny_config):
    return Generator(tiny_config, seed=1).eval()


def test_samples_are_the_pictures_of_seeds(tiny):
    scorer = PictureMeasures()
    found = finish(sample(tiny, scorer, 10, 42, batch=3))
    assert found.seeds == tuple(range(42, 52))
    z = seeds_to_z([45], 16)
    torch.testing.assert_close(found.z[3:4], z)
    torch.testing.assert_close(found.w[3:4], tiny.mapping(z).detach()[:, 0])
    expected = scorer.score(tiny.synthesis(tiny.mapping(z), noise="stored").detach())
    assert found.scores[3] == pytest.approx(expected[0].numpy(), abs=1e-4)
    other = finish(sample(tiny, scorer, 10, 42, batch=10))
    assert found.scores == pytest.approx(other.scores, abs=1e-4)
    assert (found.scorer, found.columns) == (scorer.digest, scorer.columns)
    with pytest.raises(InputError, match="no score 'smile'"):
        found.column("smile")


def test_classes_are_given_in_turn_or_as_asked():
    G = LinearGenerator(SPREAD, label_dim=3)
    assert latents(G, range(5)).labels.argmax(dim=1).tolist() == [0, 1, 2, 0, 1]
    assert latents(G, range(5), label=2).labels.argmax(dim=1).tolist() == [2] * 5
    found = finish(measure(G, LinearScorer(normals(1)), [Direction("d", torch.eye(D)[0], 1.0)], seeds=4))
    assert np.isfinite(found.mean).all()
    with pytest.raises(InputError, match="no classes"):
        latents(LinearGenerator(SPREAD), range(5), label=0)


def test_a_scores_table_is_samples(tiny):
    table = ScoreTable((5, 9), (Column("it", "continuous"),), np.array([[1.0], [2.0]], np.float32))
    found = with_table(tiny, table)
    torch.testing.assert_close(found.z, seeds_to_z([5, 9], 16))
    assert found.scores.tolist() == [[1.0], [2.0]]
    assert found.scorer == table.digest


@pytest.mark.parametrize("wrong", [{"count": 0}, {"count": 10**7}, {"count": True}, {"first_seed": -1}])
def test_impossible_samples_are_refused(tiny, wrong):
    with pytest.raises(InputError):
        next(sample(tiny, PictureMeasures(), **{"count": 5, **wrong}))
    with pytest.raises(InputError, match="beyond"):
        next(sample(tiny, PictureMeasures(), 5, 2**32 - 2))
