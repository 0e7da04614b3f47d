"""Where a film is at each moment, against closed forms in numpy."""

import math
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import tiny_models

import stylegan
from explorer import film_path
from explorer.film import Circle, DirectionSweep, Film, Key, NoiseSweep, PsiSweep
from explorer.film_path import Pace, Place, between, places, ways
from explorer.parts import Blend, Direction, Edit, Mix, Noise, Stored
from explorer.recipe import Recipe
from stylegan.errors import InputError

SMILE, AGE = Direction("smile", "cd" * 16), Direction("age", "ef" * 16)


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    return tiny_models.engine(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def card(engine):
    return engine.library.card(engine.library.default)


def film(card, count=2, **options):
    given = {"easing": "linear", "step_sec": 1, "fps": 10, **options}
    return Film(tuple(Key(Recipe(card.digest, seed, psi=1)) for seed in range(count)), **given)


def recipes_of(made, card):
    there = ways(made, card)
    return [there[place.way](place.share) for place in places(made)]


# Between two recipes


def test_in_w_it_is_straight_and_its_ends_are_exact(engine, card):
    a, b = Recipe(card.digest, 1, psi=0.5), Recipe(card.digest, 2, psi=-1)
    w_a, w_b = (engine.w(replace(one, psi=1)).numpy() for one in (a, b))
    mean = engine.library.generator(card.digest).w_mean.numpy()
    for t in (0.25, 0.5, 0.9):
        psi = 0.5 + t * (-1.5)
        w = mean + psi * ((1 - t) * w_a + t * w_b - mean)
        np.testing.assert_allclose(engine.w(between(a, b, t, card=card)).numpy(), w, atol=1e-5)
    assert between(a, b, 0, card=card) is a
    assert between(a, b, 1.0, card=card) is b


def test_in_z_it_is_the_official_slerp(engine, card):
    """The directions of z between two keys are those of the fixture's formula, on the fixture's own vectors too."""
    data = np.load(Path(__file__).parents[1] / "golden" / "sg1_misc.npz")

    def slerp(a, b, t):
        a, b = a / np.linalg.norm(a), b / np.linalg.norm(b)
        angle = math.acos(np.clip(a @ b, -1, 1))
        return (math.sin((1 - t) * angle) * a + math.sin(t * angle) * b) / math.sin(angle)

    for a, b, t, out in zip(
        *(data[f"slerp/{name}"].astype(np.float64) for name in ("a", "b", "t", "out")), strict=True
    ):
        np.testing.assert_allclose(slerp(a, b, float(t[0])), out, atol=1e-6)
    G = engine.library.generator(card.digest)
    a, b = np.random.RandomState(1).randn(card.z_dim), np.random.RandomState(2).randn(card.z_dim)
    there = ways(
        replace(film(card), keys=(Key(Recipe(card.digest, 1, psi=1)), Key(Recipe(card.digest, 2, psi=1))), space="z"),
        card,
    )[0]
    for t in (0.2, 0.5, 0.7):
        z = stylegan.seeds_to_z([0], card.z_dim).new_tensor(slerp(a, b, t)[None])
        w = G.mapping(z)[0].numpy()  # normalises z, so that its length does not matter
        np.testing.assert_allclose(engine.w(there(t)).numpy(), w, atol=1e-4)


def test_all_that_is_continuous_moves(card):
    a = Recipe(
        card.digest, 1, psi=0, layer_psi=((2, 1.0),), mixes=(Mix(9, ((0, 1.0), (1, 0.5))),),
        edits=(Edit(SMILE, -2.0),), noise=Noise("random", 5, strengths=((3, 0.0),)),
    )  # fmt: skip
    b = Recipe(
        card.digest, 1, psi=1, layer_psi=((2, 0.0),), mixes=(Mix(9, ((0, 0.0),)),), edits=(Edit(AGE, 4.0, (1,)),),
        noise=Noise("random", 6),
    )  # fmt: skip
    made = between(a, b, 0.25, card=card)
    assert (made.source, made.psi, made.layer_psi) == (1, 0.25, ((2, 0.75),))
    assert made.mixes == (Mix(9, ((0, 0.75), (1, 0.375))),)
    assert made.edits == (Edit(SMILE, -1.5), Edit(AGE, 1.0, (1,)))
    assert made.noise == Noise("random", 5, strengths=((3, 0.25),))
    assert between(a, b, 0.75, card=card).noise == Noise("random", 6, strengths=((3, 0.75),))


def test_truncation_that_reaches_other_layers_moves_layer_by_layer(card):
    a, b = Recipe(card.digest, 1, psi=0, cutoff=2), Recipe(card.digest, 1, psi=0.5)
    made = between(a, b, 0.5, card=card)
    assert [made.psi_of(layer) for layer in range(card.num_ws)] == [0.25, 0.25, 0.75, 0.75, 0.75, 0.75]
    for t, near in ((1e-9, a), (1 - 1e-9, b)):
        almost = between(a, b, t, card=card)
        np.testing.assert_allclose(
            [almost.psi_of(i) for i in range(card.num_ws)], [near.psi_of(i) for i in range(card.num_ws)], atol=1e-6
        )


def test_another_source_of_styles_on_the_same_layers_is_blended_and_on_others_faded(card):
    a, b = (Recipe(card.digest, 1, mixes=(Mix(seed, ((0, 1.0),)),)) for seed in (8, 9))
    assert between(a, b, 0.5, card=card).mixes == (Mix(Blend(8, 9, 0.5), ((0, 1.0),)),)
    other = Recipe(card.digest, 1, mixes=(Mix(9, ((1, 1.0),)),))
    assert between(a, other, 0.25, card=card).mixes == (Mix(8, ((0, 0.75),)), Mix(9, ((1, 0.25),)))


def test_noise_fades_in_from_none(card):
    silent, loud = Recipe(card.digest, noise=Noise("none")), Recipe(card.digest, noise=Noise("random", 4))
    made = between(silent, loud, 0.25, card=card)
    assert made.noise == Noise("random", 4, strengths=tuple((i, 0.25) for i in range(card.num_layers)))


def test_nothing_jumps_at_the_ends(engine, card):
    """Just beside a key the picture is the key's, whatever the two keys have that the other has not."""
    a = Recipe(card.digest, 1, psi=0.3, cutoff=3, mixes=(Mix(5, ((0, 1.0), (4, 0.5))), Mix(6, ((1, 1.0),))))
    b = Recipe(card.digest, 2, psi=1, layer_psi=((1, -1.0),), mixes=(Mix(7, ((1, 1.0),)), Mix(8, ((2, 1.0),))))
    for t, near in ((1e-6, a), (1 - 1e-6, b)):
        np.testing.assert_allclose(engine.w(between(a, b, t, card=card)), engine.w(near), atol=1e-4)


# Time


def test_keys_are_met_exactly_and_held(card):
    made = replace(film(card, 3), keys=tuple(Key(Recipe(card.digest, seed), 0.3) for seed in range(3)))
    at = recipes_of(made, card)
    assert len(at) == made.frames == 2 * 10 + 3 * 3
    assert at[:4] == [made.keys[0].recipe] * 4
    assert at[13:17] == [made.keys[1].recipe] * 4
    assert at[-4:] == [made.keys[2].recipe] * 4


@pytest.mark.parametrize("easing", ["linear", "smooth"])
@pytest.mark.parametrize("end", ["loop", "back"])
def test_a_closed_film_leads_from_its_last_frame_into_its_first(engine, card, end, easing):
    made = film(card, 3, end=end, easing=easing)
    at = recipes_of(made, card)
    w = [engine.w(recipe).numpy() for recipe in at]
    assert at[0] == made.keys[0].recipe
    assert at.count(at[0]) == 1  # it is not shown twice in a row where the film begins anew
    steps = [np.linalg.norm(b - a) for a, b in pairwise([*w, w[0]])]
    assert steps[-1] <= max(steps[:-1]) + 1e-6
    if easing == "linear":
        lengths = np.array(steps).reshape(len(made.ways), 10)
        np.testing.assert_allclose(lengths, lengths[:, :1].repeat(10, 1), rtol=1e-3)  # 10 equal steps on each way


def test_smooth_is_slow_at_the_keys(card):
    shares = [place.share for place in places(film(card, easing="smooth"))]
    t = np.arange(10) / 9
    np.testing.assert_allclose(shares, 3 * t**2 - 2 * t**3, atol=1e-12)


def test_even_speed_undoes_what_a_way_does():
    """A way on which the picture changes as t² is walked as √t."""
    pace = Pace.of((i + 1) ** 2 - i**2 for i in range(100))
    t = np.linspace(0, 1, 31)
    np.testing.assert_allclose([pace.share(x) for x in t], np.sqrt(t), atol=0.01)
    assert (pace.share(0), pace.share(1)) == (0, 1)
    assert Pace.of([0, 0]).share(0.3) == 0.3  # nothing changes: the time itself


def test_even_speed_gives_longer_ways_more_of_the_time(card):
    made = film(card, 3, easing="even")
    at = places(made, [Pace.of([1, 1]), Pace.of([3, 3])])
    assert len(at) == made.frames
    assert [place.way for place in at].count(0) == 6  # 2 each, and of 16 a quarter and three quarters
    assert at[0] == Place(0, 0)
    assert at[-1] == Place(1, 1)


# Sweeps and grids


def test_sweeps(card):
    one = film(card, 1, sweep=PsiSweep(-1, 1), fps=11)
    np.testing.assert_allclose([recipe.psi for recipe in recipes_of(one, card)], np.linspace(-1, 1, 11))
    back = replace(one, end="back", fps=10)
    psi = [recipe.psi for recipe in recipes_of(back, card)]
    np.testing.assert_allclose(psi, [*np.arange(-10, 10, 2) / 10, *np.arange(10, -10, -2) / 10], atol=1e-12)
    held = replace(one.keys[0].recipe, edits=(Edit(SMILE, 1, (2,), (AGE,)),))
    moved = recipes_of(replace(one, sweep=DirectionSweep(SMILE, -3, 3), keys=(Key(held),)), card)
    assert [recipe.edits for recipe in moved[:2]] == [(Edit(SMILE, s, (2,), (AGE,)),) for s in (-3, -3 + 0.6)]
    assert moved[5].edits == ()  # 0 σ
    noise = recipes_of(replace(one, sweep=NoiseSweep(), end="loop", easing="smooth"), card)
    assert [recipe.noise for recipe in noise] == [Noise("random", seed) for seed in range(11)]


@pytest.mark.parametrize("space", ["w", "z"])
def test_a_circle_is_closed_and_goes_around(engine, card, space):
    made = film(card, 1, sweep=Circle(0.4, 3, 4), end="loop", space=space, fps=24)
    w = np.stack([engine.w(recipe)[0].numpy() for recipe in recipes_of(made, card)])
    steps = np.linalg.norm(np.diff([*w, w[0]], axis=0), axis=1)
    assert steps.max() < 4 * np.median(steps)
    at = ways(made, card)[0]
    assert at(0) == at(1)
    if space == "w":  # c + r cos φ (a − c) + r sin φ (b − c)
        c, a, b = (engine.w(Recipe(card.digest, seed, psi=1))[0].numpy() for seed in (0, 3, 4))
        phi = 2 * np.pi * np.arange(24)[:, None] / 24
        np.testing.assert_allclose(w, c + 0.4 * np.cos(phi) * (a - c) + 0.4 * np.sin(phi) * (b - c), atol=1e-4)


def test_a_circle_in_z_stays_at_its_angle(card):
    """Every point is the same share of the way from the centre to a great circle."""
    share, plan = 0.3, Circle(0.4, 3, 4)
    source = film_path.circle(7, plan, share, "z", card.z_dim)
    assert (source.a, source.amount, source.space) == (7, 0.4, "z")
    a, b = (np.random.RandomState(seed).randn(card.z_dim) for seed in (3, 4))
    angle = math.acos(a @ b / np.linalg.norm(a) / np.linalg.norm(b))
    assert source.b.amount * angle == pytest.approx((2 * share - 1) * math.pi, abs=1e-5)


def test_tiles_move_every_seed_by_the_same(card):
    made = replace(
        film(card, 2, seeds=(0, 5)), keys=(Key(Recipe(card.digest, 3)), Key(Recipe(card.digest, Blend(10, 4, 0.5))))
    )
    (there,) = ways(made, card, 5)
    assert there(0).source == 5
    assert there(1).source == Blend(12, 6, 0.5)
    stored = replace(made, keys=(Key(Recipe(card.digest, Stored("ab" * 8))), made.keys[1]))
    with pytest.raises(InputError, match="keys that start from seeds"):
        ways(stored, card, 5)
