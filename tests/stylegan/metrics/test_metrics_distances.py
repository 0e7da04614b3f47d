"""Fréchet distance, KID, precision and recall against closed forms, the official numbers and brute force."""

import numpy as np
import pytest
import scipy.linalg
from feature_toys import kept

from stylegan.errors import InputError
from stylegan.metrics import frechet, kernel, neighbours
from stylegan.metrics.frechet import Moments, frechet_distance, moments
from stylegan.metrics.numbers import Number


def result(steps):
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def drawn(seed, count, width=6, shift=0.0, scale=1.0):
    rng = np.random.RandomState(seed)
    return (rng.randn(count, width) @ np.random.RandomState(1).randn(width, width) * scale + shift).astype(np.float32)


def test_the_official_distance(golden):
    metrics = golden("sg1_metrics")
    real, fake = (np.asarray(metrics[f"fid/feat_{name}"]) for name in ("real", "fake"))
    assert frechet_distance(moments([real]), moments([fake])) == pytest.approx(metrics.meta["fid"], rel=1e-6)
    in_parts = moments([real[:100], real[100:101], real[101:]])
    assert frechet_distance(in_parts, moments([fake])) == pytest.approx(metrics.meta["fid"], rel=1e-6)


def test_two_gaussians_whose_axes_agree():
    """Closed form: |μ₁ − μ₂|² + Σ(σ₁ − σ₂)²."""
    s, t, shift = np.array([1.0, 2.0, 0.0]), np.array([3.0, 0.5, 1.0]), np.array([1.0, 0.0, -2.0])
    rotation = np.linalg.qr(np.random.RandomState(0).randn(3, 3))[0]
    a, b = (rotation @ np.diag(x**2) @ rotation.T for x in (s, t))
    found = frechet_distance(Moments(9, np.zeros(3), a), Moments(9, shift, b))
    assert found == pytest.approx(5 + ((s - t) ** 2).sum(), abs=1e-9)
    assert frechet_distance(Moments(9, shift, b), Moments(9, shift, b)) == pytest.approx(0, abs=1e-9)


def test_the_matrix_root_is_that_of_scipy():
    a, b = moments([drawn(2, 80, 20)]), moments([drawn(3, 70, 20, shift=0.3, scale=1.2)])
    root = scipy.linalg.sqrtm(a.covariance @ b.covariance)
    expected = ((a.mean - b.mean) ** 2).sum() + np.trace(a.covariance + b.covariance - 2 * np.real(root))
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-9)


def test_moments_are_those_of_numpy_far_from_zero():
    rows = drawn(4, 300, shift=1e4)
    found = moments([rows[:7], rows[7:]])
    assert np.allclose(found.mean, rows.astype(np.float64).mean(0))
    assert np.allclose(found.covariance, np.cov(rows.astype(np.float64), rowvar=False), rtol=1e-9)


def test_one_picture_has_no_spread():
    with pytest.raises(InputError, match="at least 2"):
        moments([np.zeros((1, 3))])


def test_the_interval_holds_the_spread_of_fresh_samples(tmp_path):
    """Not a percentile of resampled distances, which lie higher: a spread around the number itself."""
    value = result(
        frechet.measured(kept(tmp_path / "a", drawn(5, 400)), kept(tmp_path / "b", drawn(6, 400, shift=0.5)))
    )
    fresh = [
        frechet_distance(moments([drawn(100 + i, 400)]), moments([drawn(200 + i, 400, shift=0.5)])) for i in range(100)
    ]
    width = (value.high - value.low) / 2
    assert 0.5 < width / (1.96 * np.std(fresh)) < 2
    again = result(
        frechet.measured(kept(tmp_path / "a", drawn(5, 400)), kept(tmp_path / "b", drawn(6, 400, shift=0.5)))
    )
    assert again == value


def test_halves_are_a_floor(tmp_path):
    rows = drawn(7, 500)
    expected = frechet_distance(moments([rows[:250]]), moments([rows[250:]]))
    assert frechet.halves(kept(tmp_path, rows)) == pytest.approx(expected, rel=1e-6)


def test_kid_by_the_definition(tmp_path):
    x, y = drawn(8, 30), drawn(9, 40, shift=0.4)
    k = lambda a, b: (np.float64(a @ b) / 6 + 1) ** 3  # noqa: E731
    pairs = [np.mean([k(a, b) for i, a in enumerate(s) for j, b in enumerate(s) if i != j]) for s in (x, y)]
    expected = sum(pairs) - 2 * np.mean([k(a, b) for a in x for b in y])
    found = result(kernel.measured(kept(tmp_path / "x", x), kept(tmp_path / "y", y)))
    assert found.value == pytest.approx(expected, rel=1e-5)
    assert found.low < found.value < found.high


def test_kid_in_tiles_is_kid_in_one(tmp_path, monkeypatch):
    x, y = kept(tmp_path / "x", drawn(8, 30)), kept(tmp_path / "y", drawn(9, 40, shift=0.4))
    whole = result(kernel.measured(x, y, resamplings=5))
    monkeypatch.setattr(kernel, "_TILE", 16)
    tiled = result(kernel.measured(x, y, resamplings=5))
    assert [tiled.value, tiled.low, tiled.high] == pytest.approx([whole.value, whole.low, whole.high], rel=1e-5)


def test_kid_has_no_bias(tmp_path):
    values = []
    for i in range(40):
        a, b = kept(tmp_path / f"a{i}", drawn(300 + i, 60)), kept(tmp_path / f"b{i}", drawn(400 + i, 60))
        values.append(result(kernel.measured(a, b, resamplings=0)).value)
    assert abs(np.mean(values)) < 3 * np.std(values) / np.sqrt(len(values))


def brute_precision_recall(real, fake, k=3):
    def inside(points, manifold):
        radii = [sorted(np.linalg.norm(manifold - m, axis=1))[k] for m in manifold]  # [0] is itself
        return np.mean([any(np.linalg.norm(p - m) <= r for m, r in zip(manifold, radii, strict=True)) for p in points])

    return inside(fake, real), inside(real, fake)


@pytest.mark.parametrize("tile", [7, 1024])
def test_precision_and_recall_by_brute_force(tmp_path, monkeypatch, tile):
    monkeypatch.setattr(neighbours, "_TILE", tile)
    real, fake = drawn(10, 60), drawn(11, 45, shift=0.7, scale=0.7)
    found = result(neighbours.measured(kept(tmp_path / "r", real), kept(tmp_path / "f", fake)))
    expected = brute_precision_recall(real.astype(np.float64), fake.astype(np.float64))
    assert (found.precision.value, found.recall.value) == pytest.approx(expected)
    assert found.precision.low <= found.precision.value <= found.precision.high


def test_too_few_for_neighbours(tmp_path):
    with pytest.raises(InputError, match="more than k = 3"):
        result(neighbours.measured(kept(tmp_path / "r", drawn(1, 3)), kept(tmp_path / "f", drawn(1, 9))))


def test_numbers_read_well():
    assert str(Number(12.3456)) == "12.35"
    assert str(Number(12.3456, 11.0, 13.5)) == "12.35 (11 to 13.5)"
