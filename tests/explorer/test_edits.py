import pytest
from hypothesis import given
from hypothesis import strategies as st
from recipe_strategies import MODEL, directions, layers, recipes, seeds, steady

from explorer import edits
from explorer.recipe import Blend, Direction, Edit, Mix, Noise, Recipe, RecipeError, Stored

START = Recipe(MODEL, 5)
SMILE = Direction("smile", "5a" * 8)
AGE = Direction("age", "a6" * 8)


# Layers as text


@pytest.mark.parametrize(
    ("text", "num_layers", "expected"),
    [
        ("coarse", 18, (0, 1, 2, 3)),
        ("middle", 18, (4, 5, 6, 7)),
        ("fine", 18, tuple(range(8, 18))),
        ("fine", 10, (8, 9)),
        ("middle,fine", 10, (4, 5, 6, 7, 8, 9)),
        ("all", 10, tuple(range(10))),
        ("0-3,8", 10, (0, 1, 2, 3, 8)),
        (" Coarse , 9 , 8 - 9", 10, (0, 1, 2, 3, 8, 9)),
        ("8,2,2,0-2", 10, (0, 1, 2, 8)),
        ("coarse", 1, (0,)),
    ],
)
def test_layers_from_text(text, num_layers, expected):
    assert edits.parse_layers(text, num_layers) == expected


@pytest.mark.parametrize(
    ("text", "num_layers", "sentence"),
    [
        ("fine", 8, "This model has no fine layers: it ends at 32²"),
        ("middle", 4, "This model has no middle layers: it ends at 8²"),
        ("", 10, "Layers are named coarse, middle, fine, all, or numbers from 0 to 9 like 0-3,8, not ''"),
        ("coarse,", 10, "Layers are "),
        ("corse", 10, "not 'corse'"),
        ("fine", 0, "no fine layers"),
        ("10", 10, "numbers from 0 to 9"),
        ("3-1", 10, "numbers from 0 to 9"),
        ("-1", 10, "numbers from 0 to 9"),
        ("nan", 10, "numbers from 0 to 9"),
        ("0-99999999999", 10, "numbers from 0 to 9"),
        ("0," * 600, 10, "at most 1000 characters"),
        (5, 10, "Layers are text"),
        (None, 10, "Layers are text"),
    ],
)
def test_bad_layers_are_one_sentence(text, num_layers, sentence):
    with pytest.raises(RecipeError, match=sentence) as caught:
        edits.parse_layers(text, num_layers)
    assert len(str(caught.value)) < 200


# Source


def test_seeds_step_around_the_ends():
    assert edits.with_seed(START, 9).source == 9
    assert edits.next_seed(START).source == 6
    assert edits.previous_seed(START).source == 4
    assert edits.previous_seed(edits.with_seed(START, 0)).source == 2**32 - 1
    assert edits.next_seed(edits.with_seed(START, 2**32 - 1)).source == 0


def test_stepping_moves_the_first_end_of_a_blend():
    blended = edits.blend_to(START, 7, 0.25)
    assert edits.next_seed(blended).source == Blend(6, 7, 0.25)
    with pytest.raises(RecipeError, match="does not start from a seed"):
        edits.next_seed(edits.with_latent(START, "ab" * 8))


def test_blending_replaces_the_second_end_and_is_taken_back():
    blended = edits.blend_to(START, 7, 0.25, "z")
    assert blended.source == Blend(5, 7, 0.25, "z")
    assert edits.blend_to(blended, 8, 0.5).source == Blend(5, 8, 0.5, "w")
    assert edits.blend_to(START, Stored("ab" * 8), 0).source == Blend(5, Stored("ab" * 8), 0.0)
    assert edits.without_blend(blended) == START
    assert edits.without_blend(START) is START
    with pytest.raises(RecipeError, match="A blend in z is between seeds"):
        edits.blend_to(edits.with_latent(START, "ab" * 8), 7, 0.5, "z")


def test_model_and_label():
    assert edits.with_model(START, "cd" * 16).model == "cd" * 16
    assert edits.with_label(START, 3).label == 3
    assert edits.with_label(edits.with_label(START, 3), None) == START


# Truncation


def test_truncation():
    recipe = edits.with_cutoff(edits.with_psi(START, -1), 4)
    recipe = edits.with_layer_psi(recipe, (2, 6), 0.25)
    recipe = edits.with_layer_psi(recipe, (6, 7), 0.5)
    assert [recipe.psi_of(i) for i in range(9)] == [-1, -1, 0.25, -1, 1, 1, 0.5, 0.5, 1]
    assert edits.clear_layer_psi(recipe, [6]).layer_psi == ((2, 0.25), (7, 0.5))
    assert edits.clear_layer_psi(recipe).layer_psi == ()
    assert edits.reset_truncation(recipe) == START
    assert edits.reset_truncation(recipe, 0.5, 8) == Recipe(MODEL, 5, psi=0.5, cutoff=8)


# Mixing


def test_a_mix_is_replaced_by_source_and_keeps_its_place():
    recipe = edits.mix_from(edits.mix_from(START, 1, (0, 1)), 2, (4,), 0.5)
    assert recipe.mixes == (Mix(1, ((0, 1), (1, 1))), Mix(2, ((4, 0.5),)))
    assert edits.mix_from(recipe, 1, (2,), 0.25).mixes == (Mix(1, ((2, 0.25),)), Mix(2, ((4, 0.5),)))
    assert edits.mix_amounts(recipe, 2, {3: 1.0, 4: 0, 5: 0.5}).mixes[1] == Mix(2, ((3, 1), (5, 0.5)))
    assert edits.clear_mix(recipe, 1).mixes == (Mix(2, ((4, 0.5),)),)
    assert edits.clear_mixes(recipe) == START


def test_a_mix_of_amount_zero_is_no_mix():
    assert edits.mix_from(START, 1, (0, 1), 0) == START
    assert edits.mix_from(edits.mix_from(START, 1, (0, 1)), 1, (0,), 0.0) == START


@pytest.mark.parametrize("amount", [None, "0", False, float("nan"), -0.1, 1.1])
def test_a_bad_amount_is_refused_not_dropped(amount):
    with pytest.raises(RecipeError, match="The amount of a mix is a number from 0 to 1"):
        edits.mix_from(START, 1, (0,), amount)


def test_a_mix_needs_layers():
    with pytest.raises(RecipeError, match="A mix names no layer"):
        edits.mix_from(START, 1, ())


# Noise


def test_redrawn_layers_keep_their_seeds_until_restored():
    recipe = edits.redraw_noise(edits.redraw_noise(START, (0, 1, 2), 7), (2, 3), 8)
    assert [recipe.noise.seed_of(i) for i in range(5)] == [7, 7, 8, 8, None]
    assert edits.restore_noise(recipe, (0, 1, 2, 3)) == START
    assert edits.with_noise(recipe, "random", 9).noise == Noise("random", 9)


def test_strength_one_is_no_setting():
    recipe = edits.noise_strength(START, (1, 2), 0.5)
    assert recipe.noise.strengths == ((1, 0.5), (2, 0.5))
    assert edits.noise_off(recipe, (2,)).noise.strengths == ((1, 0.5), (2, 0.0))
    assert edits.noise_on(recipe, (1, 2)) == START
    assert edits.noise_strength(START, (1,), 1) == START
    assert edits.with_noise(recipe, "none").noise == Noise("none", strengths=((1, 0.5), (2, 0.5)))


@pytest.mark.parametrize("strength", [True, None, "1", float("inf"), -1])
def test_a_bad_strength_is_refused_not_dropped(strength):
    with pytest.raises(RecipeError, match="A noise strength is a number from 0 to 10"):
        edits.noise_strength(START, (0,), strength)


def test_noise_of_one_band_only():
    recipe = edits.noise_only(edits.redraw_noise(START, (9,), 3), range(8, 10), 10)
    assert [recipe.noise.strength_of(i) for i in range(10)] == [0.0] * 8 + [1.0, 1.0]
    assert recipe.noise.seed_of(9) == 3
    assert edits.noise_only(recipe, (0,), 10).noise.strength_of(0) == 1.0
    assert edits.reset_noise(recipe) == START


# Directions


def test_an_edit_is_replaced_by_direction_and_strength_zero_takes_it_back():
    recipe = edits.with_edit(edits.with_edit(START, SMILE, 2), AGE, -1, (4, 5), (SMILE,))
    assert recipe.edits == (Edit(SMILE, 2.0), Edit(AGE, -1.0, (4, 5), (SMILE,)))
    assert edits.with_edit(recipe, SMILE, 3, (0,)).edits[0] == Edit(SMILE, 3.0, (0,))
    assert edits.with_edit(recipe, SMILE, -0.0).edits == (Edit(AGE, -1.0, (4, 5), (SMILE,)),)
    assert edits.clear_edit(recipe, AGE).edits == (Edit(SMILE, 2.0),)
    assert edits.clear_edits(recipe) == START


def test_locks_hold_for_every_other_direction():
    recipe = edits.with_edit(edits.with_edit(START, SMILE, 2), AGE, -1, (4,))
    locked = edits.with_locks(recipe, [SMILE])
    assert locked.edits == (Edit(SMILE, 2.0), Edit(AGE, -1.0, (4,), (SMILE,)))
    assert edits.with_locks(locked, []) == recipe


@pytest.mark.parametrize("strength", [None, False, "0", float("nan")])
def test_a_bad_strength_of_an_edit_is_refused_not_dropped(strength):
    with pytest.raises(RecipeError, match="The strength of an edit is a number from -100 to 100"):
        edits.with_edit(START, SMILE, strength)


# Properties

amounts = st.floats(0, 1)
some_layers = st.lists(layers, min_size=1, max_size=5)
hands = st.one_of(
    st.builds(lambda x: lambda r: edits.with_seed(r, x), seeds),
    st.builds(lambda x: lambda r: edits.with_psi(r, x), amounts),
    st.builds(lambda x: lambda r: edits.with_cutoff(r, x), st.none() | layers),
    st.builds(lambda i, x: lambda r: edits.with_layer_psi(r, i, x), some_layers, amounts),
    st.builds(lambda s, i, x: lambda r: edits.mix_from(r, s, i, x), seeds, some_layers, amounts),
    st.builds(lambda i, x: lambda r: edits.redraw_noise(r, i, x), some_layers, seeds),
    st.builds(lambda i, x: lambda r: edits.noise_strength(r, i, x), some_layers, amounts),
    st.builds(lambda d, x, i: lambda r: edits.with_edit(r, d, x, i), directions, amounts, some_layers),
)


@steady
@given(recipes, hands)
def test_every_hand_is_idempotent_and_leaves_its_argument(recipe, hand):
    before = recipe.json
    once = hand(recipe)
    assert hand(once) == once
    assert Recipe.from_json(recipe.json).json == before
    assert Recipe.from_json(once.json) == once


@steady
@given(recipes)
def test_resets_lead_to_a_plain_recipe(recipe):
    plain = edits.with_label(edits.with_seed(recipe, 5), None)
    for reset in (edits.reset_truncation, edits.clear_mixes, edits.reset_noise, edits.clear_edits):
        plain = reset(plain)
    assert plain == Recipe(recipe.model, 5)
