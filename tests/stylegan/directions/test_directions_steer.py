"""Steps along directions, locks that hold, and the region that samples live in."""

import numpy as np
import pytest
import torch
from direction_toys import normals

from stylegan.directions import Direction, Population, condition, population, steer, step
from stylegan.directions.direction import unit
from stylegan.errors import InputError
from stylegan.networks import Generator

W = 16


def made(vector, name="it", sigma=0.5, **more):
    return Direction(name, unit(torch.as_tensor(np.asarray(vector, dtype=np.float64)), name), sigma, **more)


@pytest.fixture
def several():
    return [made(row, f"d{i}", 0.5 + i) for i, row in enumerate(normals(4))]


def test_a_step_is_strength_sigmas_long_and_leaves_w_as_it_was(several):
    w = torch.randn(2, 6, W, generator=torch.Generator().manual_seed(0))
    before = w.clone()
    moved = steer(w, several[1], -3.0)
    assert torch.equal(w, before)
    torch.testing.assert_close(moved - w, (several[1].vector * -3.0 * 1.5).expand(2, 6, W), atol=1e-6, rtol=0)
    torch.testing.assert_close(steer(moved, several[1], 3.0), w, atol=1e-5, rtol=0)
    assert torch.equal(steer(w, several[1], 0.0), w)


def test_only_the_layers_asked_for_move(several):
    w = torch.zeros(1, 6, W)
    moved = steer(w, several[0], 2.0, layers=[1, 4]).norm(dim=2)[0]
    assert moved.tolist() == pytest.approx([0, 1, 0, 0, 1, 0])
    own = made(several[0].vector, layers=(2,))
    assert steer(w, own, 2.0).norm(dim=2)[0].tolist() == pytest.approx([0, 0, 1, 0, 0, 0])
    assert steer(w, own, 2.0, layers=range(6)).norm(dim=2)[0].tolist() == pytest.approx([1] * 6)
    assert torch.equal(steer(w, own, 2.0, layers=[]), w)


def test_a_locked_step_moves_along_no_lock_and_is_as_long(several):
    d, *locks = several
    move = step(d, 2.0, locks)
    for lock in locks:
        assert abs(float(move @ lock.vector)) < 1e-6
    assert float(move.norm()) == pytest.approx(2.0 * d.sigma, rel=1e-5)
    assert float(move @ d.vector) > 0


def test_what_is_left_is_the_cosine(several):
    a = made([1, 0, 0])
    b = made([1, 1, 0])
    found = condition(a, [b])
    assert found.left == pytest.approx(0.5**0.5)
    assert found.vector.tolist() == pytest.approx([0.5**0.5, -(0.5**0.5), 0], abs=1e-6)
    assert condition(a, []).left == pytest.approx(1)
    assert condition(a, [made([0, 1, 0])]).left == pytest.approx(1)
    d, *locks = several
    found = condition(d, locks)
    assert found.left == pytest.approx(float(found.vector @ d.vector), abs=1e-6)


def test_locks_that_lean_on_each_other_count_once(several):
    d, a, b, _ = several
    both = made(a.vector + b.vector, "both")
    twin = made(a.vector, "twin")
    torch.testing.assert_close(step(d, 1, [a, b]), step(d, 1, [b, both, a, twin]), atol=1e-5, rtol=0)


def test_a_direction_within_its_locks_cannot_move(several):
    _, a, b, _ = several
    with pytest.raises(InputError, match="both cannot move while d1, d2 is held still"):
        step(made(a.vector + b.vector, "both"), 1.0, [a, b])
    with pytest.raises(InputError, match="cannot move"):
        condition(a, [a])


@pytest.mark.parametrize(
    ("w", "layers", "said"),
    [
        (torch.zeros(1, 6, W + 1), None, r"moves w \[N, L, 16\]"),
        (torch.zeros(6, W), None, r"moves w \[N, L, 16\]"),
        (torch.zeros(1, 6, W), [6], "6 is none"),
        (torch.zeros(1, 6, W), [-1], "-1 is none"),
    ],
)
def test_what_does_not_fit_is_refused(several, w, layers, said):
    with pytest.raises(InputError, match=said):
        steer(w, several[0], 1.0, layers)


def test_place_is_in_sigmas_from_the_boundary():
    d = made([0, 1], sigma=2.0, offset=3.0)
    assert d.place(torch.tensor([[9.0, 3.0], [0.0, 7.0], [5.0, -1.0]])).tolist() == pytest.approx([0, 2, -2])


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"name": ""}, "1 to 64"),
        ({"name": "a\n"}, "1 to 64"),
        ({"name": " a"}, "1 to 64"),
        ({"name": "x" * 65}, "1 to 64"),
        ({"vector": torch.ones(4)}, "length 1"),
        ({"vector": torch.eye(4)[0].double()}, "float32"),
        ({"vector": torch.eye(4)}, "float32"),
        ({"vector": torch.full((4,), float("nan"))}, "length 1"),
        ({"z_vector": torch.ones(4)}, "length 1"),
        ({"sigma": 0.0}, "above 0"),
        ({"sigma": -1.0}, "above 0"),
        ({"sigma": float("nan")}, "above 0"),
        ({"sigma": float("inf")}, "above 0"),
        ({"offset": float("nan")}, "finite"),
        ({"layers": ()}, "layers"),
        ({"layers": (1, 0)}, "layers"),
        ({"layers": (0, 0)}, "layers"),
        ({"layers": (True,)}, "layers"),
        ({"layers": [0]}, "layers"),
        ({"method": "guess"}, "method"),
    ],
)
def test_an_impossible_direction_is_refused(wrong, said):
    fine = {"name": "it", "vector": torch.eye(4)[0], "sigma": 1.0}
    Direction(**fine)
    with pytest.raises(InputError, match=said):
        Direction(**{**fine, **wrong})


def test_the_digest_is_of_vector_and_sigma_alone(several):
    a = several[0]
    assert len(a.digest) == 32
    assert a.digest == made(a.vector, "another name", a.sigma, offset=2.0, layers=(1,), method="pca").digest
    assert a.digest != made(a.vector, a.name, a.sigma * 1.01).digest
    assert a.digest != made(-a.vector, a.name, a.sigma).digest


def test_distance_of_a_normal_population_is_mahalanobis_with_no_variance_below_the_mean_one():
    rng = np.random.RandomState(0)
    scale = np.array([3.0, 1.0, 0.8, 2.0])
    floored = np.maximum(scale, (scale**2).mean() ** 0.5)  # 3, 1.91, 1.91, 2
    found = Population.of(torch.from_numpy(rng.randn(20_000, 4) * scale + 7), unrolls=False)
    at = torch.tensor([[0.0, 0, 0, 0], [3, 0, 0, 0], [3, 0, 0, 4], [0, 2 * floored[1], 0, 0]]) + 7
    out = found.outlying(at)
    known = np.linalg.norm(rng.randn(400_000, 4) * scale / floored, axis=1)
    assert out.distance.tolist() == pytest.approx([0, 1, 5**0.5, 2], abs=0.06)
    assert out.further.tolist() == pytest.approx([(known > d).mean() for d in (0, 1, 5**0.5, 2)], abs=0.02)
    assert out.outside.tolist() == [False, False, False, False]
    assert found.threshold == pytest.approx(np.quantile(known, 0.999), rel=0.05)
    assert found.outlying(torch.full((1, 4), 50.0)).outside.tolist() == [True]


def test_samples_of_a_model_are_inside_and_far_steps_are_not(tiny_config):
    G = Generator(tiny_config, seed=1).eval()
    region = population(G, 2000)
    z = torch.randn(500, G.config.z_dim, generator=torch.Generator().manual_seed(2))
    w = G.mapping(z).detach()
    assert region.outlying(w).distance.shape == (500, G.config.num_ws)
    assert region.outlying(w).outside.float().mean() < 0.01  # about one in a thousand
    assert region.outlying(w).further.mean() == pytest.approx(0.5, abs=0.05)
    far = made(torch.eye(16)[3], sigma=float(w[:, 0, 3].std()))
    moves = [region.outlying(steer(w, far, s)).outside.float().mean().item() for s in (0, 10, 60)]
    assert moves == sorted(moves)
    assert moves[-1] > 0.95


def test_a_leaky_relu_is_undone_before_distances_are_taken():
    p = torch.randn(20_000, 3, generator=torch.Generator().manual_seed(0)).double()
    w = torch.where(p < 0, p * 0.2, p)
    found = Population.of(w)
    assert found.outlying(torch.tensor([[-0.4, 0.0, 0.0]])).distance.item() == pytest.approx(2, abs=0.06)


@pytest.mark.parametrize("w", [torch.zeros(1, 4), torch.zeros(4), torch.full((5, 2), float("inf"))])
def test_a_population_of_nothing_is_refused(w):
    with pytest.raises(InputError, match="population"):
        Population.of(w)
