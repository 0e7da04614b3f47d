"""Known directions are recovered; what is reported is so; scores that say nothing are refused."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from direction_toys import LinearGenerator, LinearScorer, angle_deg, linear_samples, normals

from stylegan.directions import FitOptions, finish, fit, fit_all, sample
from stylegan.directions.fitting import confident_ends
from stylegan.directions.hyperplane import C_GRID, Scaling, choose_c, ridges, svm
from stylegan.directions.targets import Column
from stylegan.errors import InputError

QUANTITY, ANSWER = Column("it", "continuous"), Column("it", "binary")


@pytest.fixture(scope="module")
def toy():
    return linear_samples()


@pytest.mark.parametrize(
    ("name", "method"), [("first", "svm"), ("second", "svm"), ("yes", "svm"), ("first", "ridge"), ("second", "ridge")]
)
def test_known_directions_are_recovered_within_5_degrees(toy, name, method):
    samples, known = toy
    direction = fit(samples, name, FitOptions(method=method, in_z=False))
    truth = dict(zip(("first", "second", "yes"), known, strict=True))[name]
    assert angle_deg(direction.vector, truth) < 5
    assert direction.vector.norm().item() == pytest.approx(1, abs=1e-6)
    along = samples.w.double().numpy() @ direction.vector.double().numpy()
    assert direction.sigma == pytest.approx(along.std(), rel=1e-5)


@pytest.mark.parametrize("method", ["svm", "ridge"])
def test_the_directions_of_a_linear_generator_are_recovered_from_its_pictures(method):
    """From seeds to pictures to scores to hyperplanes: each within 5°, in W and in Z, which is a rotation away."""
    G, known = LinearGenerator(np.linspace(0.8, 1.2, 16)), normals(3)
    samples = finish(sample(G, LinearScorer(known), 4000, batch=500))
    for row, direction in zip(
        known, finish(fit_all(samples, options=FitOptions(method=method))).directions, strict=True
    ):
        assert angle_deg(direction.vector, row) < 5
        assert angle_deg(direction.z_vector, row @ G.a.numpy()) < 5
        assert direction.facts.w.accuracy > 0.97


def test_the_boundary_lies_between_the_two_sides(toy):
    samples, _ = toy
    direction = fit(samples, "yes", FitOptions(in_z=False))
    has_it = samples.scores[:, 2] > 0.5
    assert ((direction.place(samples.w) > 0).numpy() == has_it).mean() > 0.85


def test_what_is_reported_of_a_good_and_of_a_meaningless_score(toy):
    samples, _ = toy
    rng = np.random.RandomState(0)
    noise = replace(samples, scores=rng.randn(len(samples), 1).astype(np.float32), columns=(QUANTITY,))
    good, none = fit(samples, "first").facts, fit(noise, "it").facts
    assert (good.samples, good.positives, good.negatives, good.seed) == (10_000, 2500, 2500, 0)
    assert 1400 < good.held_out < 1600
    assert good.scorer == "cd" * 32
    assert good.w.accuracy > 0.97
    assert good.w.auc > 0.99
    assert good.w.r2 == pytest.approx(1 / (1 + 0.2**2), abs=0.05)  # what noise of 0.2 σ leaves
    assert good.w.separability < 1.2
    assert none.w.accuracy == pytest.approx(0.5, abs=0.05)
    assert none.w.auc == pytest.approx(0.5, abs=0.05)
    assert none.w.separability == pytest.approx(2, abs=0.03)
    assert none.w.r2 == pytest.approx(0, abs=0.05)


def test_w_is_better_than_z_where_the_mapping_is_bent():
    """w = z·|z| per number: what is linear in w is bent in z."""
    rng = np.random.RandomState(1)
    z = rng.randn(3000, 8)
    z[:, 0] = rng.choice([-1, 1], 3000) * np.sqrt(rng.rand(3000))
    w = np.concatenate([z[:, :1] * z[:, 1:2], z[:, 1:]], axis=1)  # a product: no line in z tells its sign
    samples, _ = linear_samples(3000, width=8)
    bent = replace(
        samples,
        z=torch.from_numpy(z).float(),
        w=torch.from_numpy(w).float(),
        scores=w[:, :1].astype(np.float32),
        columns=(QUANTITY,),
    )
    facts = fit(bent, "it").facts
    assert facts.w.accuracy > 0.95
    assert facts.z.accuracy < 0.6
    assert facts.w.entropy_bits < 0.3 < 0.9 < facts.z.entropy_bits


def test_the_same_samples_give_the_same_directions(toy):
    samples, _ = toy
    a, b = (finish(fit_all(samples)).directions for _ in range(2))
    assert [d.digest for d in a] == [d.digest for d in b]
    assert [d.facts for d in a] == [d.facts for d in b]
    assert a[0].digest == fit(samples, "first").digest  # fitted alone or with others
    assert fit(samples, "first", FitOptions(seed=1)).digest != a[0].digest


def test_a_rare_attribute_is_found():
    samples, known = linear_samples(6000)
    values = samples.w.numpy() @ known[0]
    rare = 1 / (1 + np.exp(-6 * (values - np.quantile(values, 0.96))))
    samples = replace(samples, scores=rare[:, None].astype(np.float32), columns=(ANSWER,))
    direction = fit(samples, "it", FitOptions(in_z=False))
    assert angle_deg(direction.vector, known[0]) < 15
    assert direction.facts.positives < 150
    assert direction.facts.w.auc > 0.99


def test_confident_ends_of_a_quantity_are_its_quarters():
    values = np.random.RandomState(0).permutation(400).astype(np.float32)
    low, high = confident_ends(values, QUANTITY)
    assert sorted(values[low]) == list(range(100))
    assert sorted(values[high]) == list(range(300, 400))
    low, high = confident_ends(values, QUANTITY, keep=1.0)
    assert len(low) == len(high) == 200


def test_confident_ends_of_a_probability_are_the_surer_half_of_each_side():
    values = np.concatenate([np.linspace(0, 0.49, 300), np.linspace(0.51, 1, 60)])
    low, high = confident_ends(values, ANSWER)
    assert len(low) == 150
    assert len(high) == 30
    assert values[low].max() < 0.25
    assert values[high].min() > 0.75
    low, high = confident_ends(np.arange(100) % 4 == 0, ANSWER)  # plain answers: all of them
    assert (len(low), len(high)) == (75, 25)


@pytest.mark.parametrize(
    ("scores", "column", "said"),
    [
        (np.full(200, 0.7), QUANTITY, "the same for all 200"),
        (np.full(200, 0.7), ANSWER, "the same for all 200"),
        (np.linspace(0.6, 1, 200), ANSWER, "200 of 200 samples have it"),
        (np.linspace(0, 0.4, 200), ANSWER, "0 of 200 samples have it"),
        (np.r_[np.linspace(0, 1, 199), np.nan], QUANTITY, "1 scores are not finite"),
        (np.r_[np.linspace(0, 1, 198), np.inf, -np.inf], ANSWER, "2 scores are not finite"),
        (np.linspace(0, 1, 60), QUANTITY, "there are 60 samples"),
        (np.r_[np.zeros(190), np.linspace(1, 2, 10)], QUANTITY, "the same score 0"),
        (np.zeros(0), QUANTITY, "the same for all 0"),
    ],
)
def test_scores_that_cannot_be_fitted_are_refused(scores, column, said):
    with pytest.raises(InputError, match=said):
        confident_ends(scores, column)


def test_what_cannot_be_fitted_is_skipped_or_refused(toy):
    samples, _ = toy
    constant = samples.scores.copy()
    constant[:, 1] = 3.0
    samples = replace(samples, scores=constant)
    records = list(fit_all(samples))
    fitted = records[-1].result
    assert [d.name for d in fitted.directions] == ["first", "yes"]
    assert fitted.skipped == (("second", "second: the score is the same for all 10000 samples."),)
    assert [r.share for r in records] == sorted(r.share for r in records)
    assert records[-1].share == 1
    assert all(r.result is None for r in records[:-1])
    with pytest.raises(InputError, match="second: the score is the same"):
        finish(fit_all(samples, ["first", "second"], skip=False))
    with pytest.raises(InputError, match="no score 'third'; there are: first, second, yes"):
        fit(samples, "third")
    with pytest.raises(InputError, match="ridge regression is for quantities"):
        fit(samples, "yes", FitOptions(method="ridge"))


@pytest.mark.parametrize(
    "wrong", [{"method": "tree"}, {"keep": 0.0}, {"keep": 1.5}, {"keep": float("nan")}, {"c": 0.0}, {"c": 1e9}]
)
def test_impossible_options_are_refused(wrong):
    with pytest.raises(InputError):
        FitOptions(**wrong)


def test_latents_that_do_not_vary_are_refused():
    with pytest.raises(InputError, match="all the same"):
        Scaling.of(np.ones((50, 4)))
    with pytest.raises(InputError, match="not finite"):
        Scaling.of(np.full((50, 4), np.nan))


def test_a_hyperplane_is_in_the_units_of_the_latents():
    """A plane that is known: x₀ = 5 in shifted, stretched latents."""
    rng = np.random.RandomState(0)
    x = rng.randn(4000, 6) * 3 + 4
    plane = svm(x, x[:, 0] > 5, Scaling.of(x), 1.0)
    assert angle_deg(plane.normal, np.eye(6)[0]) < 5
    assert plane.offset == pytest.approx(5, abs=0.25)
    assert ((plane.distance(x) > 0) == (x[:, 0] > 5)).mean() > 0.95


def test_ridge_is_least_squares_where_noise_is_small():
    rng = np.random.RandomState(0)
    x, known = rng.randn(500, 5) * 2 + 1, rng.randn(5, 2)
    scores = x @ known + [3, -7]
    for i, found in enumerate(ridges(x, scores, Scaling.of(x))):
        assert found.plane.normal * found.slope == pytest.approx(known[:, i], rel=0.05, abs=0.02)
        assert found.told(x) == pytest.approx(scores[:, i], rel=0.05, abs=0.3)


def test_no_c_is_taken_that_explains_much_less_than_the_best():
    rng = np.random.RandomState(0)
    x = rng.randn(1500, 12) * np.linspace(0.05, 1.5, 12)
    scaling = Scaling.of(x)
    known = x[:, :6].sum(axis=1)  # on the numbers that vary little
    for noise in (0.0, 1.0):
        scores = known + noise * known.std() * rng.randn(len(x))
        sides = np.where(scores > np.quantile(scores, 0.75), 1, np.where(scores < np.quantile(scores, 0.25), -1, 0))
        c = choose_c(scaling.standard(x), scores, sides.astype(np.int8))
        assert c in C_GRID
        left = {}
        for each in (c, *C_GRID):
            plane = svm(x[sides != 0], sides[sides != 0] > 0, scaling, each)
            left[each] = 1 - np.corrcoef(plane.distance(x), scores)[0, 1] ** 2
        assert left[c] < 1.2 * min(left.values())
        assert left[C_GRID[0]] > 1.15 * min(left.values())
