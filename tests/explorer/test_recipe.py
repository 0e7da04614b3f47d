import copy
import dataclasses
import json
import math
import pickle

import numpy as np
import pytest
from hypothesis import given
from recipe_strategies import MODEL, recipes, steady

from explorer import recipe as recipe_module
from explorer.recipe import (
    Blend,
    Direction,
    Edit,
    Mix,
    Noise,
    Recipe,
    RecipeError,
    Stored,
    check,
    noise_field,
)
from explorer.values import show
from stylegan.errors import InputError

SMILE = Direction("smile", "5a" * 8)
AGE = Direction("age", "a6" * 8)


@steady
@given(recipes)
def test_json_round_trip(recipe):
    again = Recipe.from_json(recipe.json)
    assert again == recipe
    assert again.json == recipe.json
    assert again.digest == recipe.digest
    assert Recipe.from_json(recipe.json.encode()) == recipe


@steady
@given(recipes)
def test_json_written_by_another_program_means_the_same(recipe):
    def as_javascript(value):
        """Reversed keys, spaces, and every number as JavaScript holds it: a double."""
        if isinstance(value, dict):
            return {key: as_javascript(item) for key, item in reversed(value.items())}
        return [as_javascript(item) for item in value] if isinstance(value, list) else value

    text = json.dumps(as_javascript(json.loads(recipe.json)), indent=1)
    assert Recipe.from_json(text).digest == recipe.digest


@steady
@given(recipes)
def test_parts_survive_the_round_trip_as_values(recipe):
    again = Recipe.from_json(recipe.json)
    for field in dataclasses.fields(Recipe):
        assert getattr(again, field.name) == getattr(recipe, field.name)
        assert type(getattr(again, field.name)) is type(getattr(recipe, field.name))


def test_canonical_json_leaves_out_defaults_and_normalises_numbers():
    assert Recipe(MODEL).json == f'{{"model":"{MODEL}","version":1}}'
    written = json.loads(Recipe(MODEL, psi=np.float64(1.0), layer_psi=[(3, -0.0), (1, 0.5)]).json)
    assert written == {"model": MODEL, "version": 1, "psi": 1, "layer_psi": [[1, 0.5], [3, 0]]}
    assert "-0" not in Recipe(MODEL, psi=-0.0).json.replace(MODEL, "")


def test_the_digest_is_fixed():
    # Links, PNG files and galleries of years ago rest on it: this number never changes.
    assert (
        Recipe("0123456789abcdef", 5, psi=0.5).json == '{"model":"0123456789abcdef","psi":0.5,"source":5,"version":1}'
    )
    assert Recipe("0123456789abcdef", 5, psi=0.5).digest == "745f0290140357b97760b12c5f63f568"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Recipe(MODEL, psi=1), Recipe(MODEL, psi=1.0)),
        (Recipe(MODEL, psi=0.0), Recipe(MODEL, psi=-0.0)),
        (Recipe(MODEL, np.int64(5)), Recipe(MODEL, 5)),
        (Recipe(MODEL, layer_psi=((2, 1), (0, 0.5))), Recipe(MODEL, layer_psi=[[0, 0.5], [2, 1.0]])),
        (Recipe(MODEL, mixes=[Mix(3, [(4, 1), (2, 1)])]), Recipe(MODEL, mixes=(Mix(3, ((2, 1), (4, 1))),))),
        (Edit(SMILE, 1, (2, 1, 1)), Edit(SMILE, 1.0, (1, 2))),
        (Edit(SMILE, 1, None, (AGE, Direction("b", "b" * 8))), Edit(SMILE, 1, None, (Direction("b", "b" * 8), AGE))),
    ],
)
def test_same_settings_are_the_same_recipe(one, other):
    assert one == other
    assert hash(one) == hash(other)
    assert repr(one) == repr(other)


def test_minus_one_and_minus_two_differ_by_hash_too():
    # hash(-1.0) == hash(-2.0) in Python, and gr.State compares hashes.
    one, two = Recipe(MODEL, psi=-1.0), Recipe(MODEL, psi=-2.0)
    assert hash(-1.0) == hash(-2.0)
    assert one != two
    assert hash(one) != hash(two)
    assert len({one, two, Recipe(MODEL, psi=-1)}) == 2
    assert one != one.json


def test_a_recipe_is_immutable_and_copies_cheaply():
    recipe = Recipe(MODEL)
    with pytest.raises(dataclasses.FrozenInstanceError):
        recipe.psi = 1.0
    assert copy.deepcopy([recipe])[0] is recipe
    assert pickle.loads(pickle.dumps(recipe)) == recipe


HUGE = 10**400
BAD_NUMBERS = [math.nan, math.inf, -math.inf, 1e9, -HUGE, HUGE, 10**5000, "0.7", None, True, [0.7], {}]
BAD_WHOLES = [-1, 2**32, HUGE, 10**5000, 1.0, 0.5, math.nan, "5", True, [5], {}]


@pytest.mark.parametrize("value", BAD_NUMBERS, ids=show)
@pytest.mark.parametrize(
    "make",
    [
        lambda x: Recipe(MODEL, psi=x),
        lambda x: Recipe(MODEL, layer_psi=((0, x),)),
        lambda x: Blend(0, 1, x),
        lambda x: Mix(0, ((0, x),)),
        lambda x: Edit(SMILE, x),
        lambda x: Noise(strengths=((0, x),)),
    ],
)
def test_numbers_out_of_range_or_of_another_type_are_refused(make, value):
    with pytest.raises(RecipeError, match=r"is a number from -?[\d.]+ to [\d.]+, not ") as caught:
        make(value)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("value", BAD_WHOLES, ids=show)
@pytest.mark.parametrize(
    "make",
    [
        lambda x: Recipe(MODEL, x),
        lambda x: Recipe(MODEL, label=x),
        lambda x: Recipe(MODEL, cutoff=x),
        lambda x: Recipe(MODEL, layer_psi=((x, 0.5),)),
        lambda x: Blend(x, 1, 0.5),
        lambda x: Blend(1, x, 0.5),
        lambda x: Mix(x, ((0, 1.0),)),
        lambda x: Mix(0, ((x, 1.0),)),
        lambda x: Edit(SMILE, 1.0, (x,)),
        lambda x: Noise("random", x),
        lambda x: Noise(seeds=((0, x),)),
        lambda x: Noise(seeds=((x, 0),)),
        lambda x: Noise(strengths=((x, 0.5),)),
    ],
)
def test_whole_numbers_out_of_range_or_of_another_type_are_refused(make, value):
    with pytest.raises(RecipeError, match=r"is a whole number from 0 to \d+, not ") as caught:
        make(value)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Recipe(""), "The model digest is 8 to 64"),
        (lambda: Recipe("../../etc/passwd"), "The model digest is 8 to 64"),
        (lambda: Recipe("ABCDEF0123"), "The model digest is 8 to 64"),
        (lambda: Recipe(MODEL + "\n"), "The model digest is 8 to 64"),
        (lambda: Recipe(5), "The model digest is 8 to 64"),
        (lambda: Stored("x" * 8), "The digest of a stored latent"),
        (lambda: Blend(0, 1, 0.5, "W"), "The space of a blend is one of w, z"),
        (lambda: Blend(0, Stored(MODEL), 0.5, "z"), "A blend in z is between seeds"),
        (lambda: Blend(Blend(0, 1, 0.5, "w"), 2, 0.5, "z"), "A blend in z is between seeds"),
        (lambda: Mix(0, ()), "A mix names no layer"),
        (lambda: Mix(0, ((0, 1), (0, 0.5))), "A mix gives layer 0 twice"),
        (lambda: Mix(0, 5), "A mix is a list, not 5"),
        (lambda: Mix(0, (5,)), r"A mix is a list of \[layer, value\] pairs; 5 is none"),
        (lambda: Mix(0, ((5,),)), r"A mix is a list of \[layer, value\] pairs"),
        (lambda: Mix(0, [(i % 32, 1) for i in range(33)]), "A mix has at most 32 entries"),
        (lambda: Direction("", MODEL), "The name of a direction is 1 to 64"),
        (lambda: Direction("a\nb", MODEL), "The name of a direction is 1 to 64"),
        (lambda: Direction("\ud800", MODEL), "The name of a direction is 1 to 64"),
        (lambda: Direction("x" * 65, MODEL), "The name of a direction is 1 to 64"),
        (lambda: Direction("smile", None), "The digest of a direction"),
        (lambda: Edit("smile", 1), "The direction and the locks of an edit are Directions"),
        (lambda: Edit(SMILE, 1, ()), "An edit names no layer"),
        (lambda: Edit(SMILE, 1, None, (SMILE,)), "none of them is the edit's own"),
        (lambda: Edit(SMILE, 1, None, (AGE, AGE)), "An edit's locks are different directions"),
        (lambda: Noise("loud"), "The noise mode is one of stored, random, none"),
        (lambda: Noise("stored", 5), 'A noise seed needs the mode "random"'),
        (lambda: Recipe(MODEL, noise="none"), "The noise of a recipe is a Noise value"),
        (lambda: Recipe(MODEL, mixes=(1,)), "Mixes are Mix values"),
        (lambda: Recipe(MODEL, edits=(1,)), "edits are Edit values"),
        (lambda: Recipe(MODEL, mixes=None), "The list of mixes is a list"),
        (lambda: Recipe(MODEL, mixes=[Mix(i, ((0, 1),)) for i in range(65)]), "at most 64 entries, not 65"),
        (lambda: Recipe(MODEL, mixes=[Mix(1, ((0, 1),)), Mix(1, ((1, 1),))]), "Two mixes have the same source"),
        (lambda: Recipe(MODEL, edits=[Edit(AGE, 1), Edit(AGE, 2)]), "Two edits have the same direction"),
    ],
)
def test_other_mistakes_are_one_sentence(make, sentence):
    with pytest.raises(RecipeError, match=sentence) as caught:
        make()
    assert isinstance(caught.value, InputError)
    assert str(caught.value).endswith(".")
    assert len(str(caught.value)) < 200


def test_blends_nest_to_a_limit():
    source = 0
    for _ in range(3):
        source = Blend(source, 1, 0.5)
    assert Recipe.from_json(Recipe(MODEL, source).json).source == source
    with pytest.raises(RecipeError, match="3 levels deep"):
        Blend(source, 1, 0.5)
    with pytest.raises(RecipeError, match="3 levels deep"):
        Recipe.from_data({"version": 1, "model": MODEL, "source": {"a": _data(source), "b": 1, "amount": 0.5}})


def _data(source):
    return json.loads(Recipe(MODEL, source).json)["source"]


def test_a_recipe_that_its_own_json_could_not_carry_is_refused():
    amounts = tuple((i, 1 / 3 + i / 1e6) for i in range(32))
    mixes = tuple(Mix(2**32 - 1 - i, amounts) for i in range(64))
    edits = tuple(Edit(Direction("é" * 64, f"{i:064x}"), 1 / 3) for i in range(64))
    assert len(Recipe(MODEL, mixes=mixes).json) > 40_000
    with pytest.raises(RecipeError, match="more than 64 KiB"):
        Recipe(MODEL, mixes=mixes, edits=edits)


def good(**changes):
    return json.dumps({"version": 1, "model": MODEL, **changes})


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "not valid JSON"),
        ("{", "not valid JSON"),
        (b"\xff\xfe\x00", "not valid JSON"),
        ("[" * 60_000, "not valid JSON"),
        ('{"a":' * 12_000, "not valid JSON"),
        (good(psi=1)[:-1] + ',"label":' + "9" * 5000 + "}", "not valid JSON"),
        ("null", "not a JSON object"),
        ("[]", "not a JSON object"),
        ("5", "not a JSON object"),
        (f'{{"model":"{MODEL}"}}', 'with a "version"'),
        ('{"version":1}', 'A recipe lacks its "model"'),
        (good(version=2), "has version 2 and this program reads up to 1: update"),
        (good(version=10**30), "has version 1000.* and this program reads up to 1"),
        (good(version=0), "The version of a recipe is a whole number"),
        (good(version="1"), "The version of a recipe is a whole number"),
        (good(version=True), "The version of a recipe is a whole number"),
        (good(version=1.0), "The version of a recipe is a whole number"),
        (good(seed=5), "A recipe has no field 'seed'; its fields: model, source,"),
        (good(psi=math.nan), "finite numbers only, not NaN"),
        (good(psi=-math.inf), "finite numbers only, not -Infinity"),
        (good(psi=1)[:-1] + ',"label":1e999}', "A label is a whole number"),
        (good(psi=None), "ψ is a number"),
        (good(model=None), "The model digest"),
        (good()[:-1] + ',"psi":1,"psi":0.5}', "a field is given twice"),
        (good()[:-1] + ',"noise":{"mode":"none","mode":"none"}}', "a field is given twice"),
        (good(source="5"), "a whole number"),
        (good(source=[5]), "a whole number"),
        (good(source=5.0), "a whole number"),
        (good(source={}), 'A blend lacks its "a"'),
        (good(source={"latent": MODEL, "x": 1}), "A stored latent has no field 'x'"),
        (good(source={"a": 1, "b": 2, "amount": 0.5, "c": 1}), "A blend has no field 'c'"),
        (good(mixes={}), "The list of mixes is a list"),
        (good(mixes=[5]), "A mix is a JSON object, not 5"),
        (good(mixes=[{"source": 5}]), 'A mix lacks its "layers"'),
        (good(mixes=[{}] * 65), "at most 64 entries"),
        (good(edits=[{"direction": "smile", "strength": 1}]), "A direction is a JSON object, not 'smile'"),
        (good(edits=[{"direction": {"name": "smile"}, "strength": 1}]), 'A direction lacks its "digest"'),
        (good(edits=[{"direction": {"name": "a", "digest": MODEL}, "strength": 1, "locks": 5}]), "is a list, not 5"),
        (good(noise="none"), "Noise is a JSON object, not 'none'"),
        (good(noise={"sead": 1}), "Noise has no field 'sead'"),
        (good(layer_psi={"1": 0.5}), "The ψ per layer is a list"),
        (good(model=MODEL + "x" * 70_000), "at most 64 KiB, not 69"),
        (good(**{"x" * 5000: 1}), "A recipe has no field"),
        (5, "A recipe is JSON text, not 5"),
        (None, "A recipe is JSON text, not None"),
    ],
    ids=show,
)  # fmt: skip
def test_bad_json_is_one_sentence(text, sentence):
    with pytest.raises(RecipeError, match=sentence) as caught:
        Recipe.from_json(text)
    assert len(str(caught.value)) < 250


def test_a_byte_order_mark_is_no_mistake():
    assert Recipe.from_json(b"\xef\xbb\xbf" + Recipe(MODEL).json.encode()) == Recipe(MODEL)


def test_older_versions_are_brought_up_to_date(monkeypatch):
    # As if version 2 had renamed "seed" to "source".
    def upgrade(data):
        return {"source" if key == "seed" else key: value for key, value in data.items()}

    monkeypatch.setattr(recipe_module, "VERSION", 2)
    monkeypatch.setattr(recipe_module, "_UPGRADES", {1: upgrade})
    old = Recipe.from_data({"version": 1, "model": MODEL, "seed": 7})
    assert old.source == 7
    assert json.loads(old.json)["version"] == 2
    with pytest.raises(RecipeError, match="no field 'seed'"):
        Recipe.from_data({"version": 2, "model": MODEL, "seed": 7})


def test_psi_of_a_layer():
    recipe = Recipe(MODEL, psi=0.5, cutoff=4, layer_psi=((1, -1.0), (6, 0.25)))
    assert [recipe.psi_of(i) for i in range(8)] == [0.5, -1.0, 0.5, 0.5, 1.0, 1.0, 0.25, 1.0]
    assert Recipe(MODEL, psi=0.5).psi_of(31) == 0.5


def test_noise_of_a_layer():
    stored = Noise("stored", seeds=((2, 9),), strengths=((3, 0.0),))
    assert [stored.seed_of(i) for i in range(4)] == [None, None, 9, None]
    assert [stored.strength_of(i) for i in range(4)] == [1.0, 1.0, 1.0, 0.0]
    drawn = Noise("random", 4, seeds=((2, 9),))
    assert [drawn.seed_of(i) for i in range(4)] == [4, 4, 9, 4]


def test_noise_fields_are_fixed_standard_normal_and_independent():
    field = noise_field(5, 3, 64)
    assert field.shape == (1, 1, 64, 64)
    assert field.dtype == np.float32
    assert np.array_equal(field, noise_field(5, 3, 64))
    assert field.flat[0] == np.float32(np.random.RandomState([5, 3]).randn())
    assert abs(field.mean()) < 0.05
    assert abs(field.std() - 1) < 0.05
    for other in (noise_field(5, 4, 64), noise_field(6, 3, 64), noise_field(3, 5, 64)):
        assert abs(np.corrcoef(field.ravel(), other.ravel())[0, 1]) < 0.06


def test_check_against_a_model():
    fits = Recipe(
        MODEL, label=2, cutoff=10, layer_psi=((9, 1),), mixes=(Mix(1, ((9, 1),)),), edits=(Edit(SMILE, 1, (9,)),),
        noise=Noise(seeds=((9, 1),), strengths=((9, 0.5),)),
    )  # fmt: skip
    check(fits, num_ws=10, label_dim=3)
    check(Recipe(MODEL), num_ws=1)


@pytest.mark.parametrize(
    ("recipe", "sentence"),
    [
        (Recipe(MODEL, label=3), "asks for class 3, but this model has classes 0 to 2"),
        (Recipe(MODEL, cutoff=11), "The cutoff is 11, but this model has only 10 layers"),
        (Recipe(MODEL, layer_psi=((10, 1),)), "ψ per layer on layer 10: this model has layers 0 to 9"),
        (Recipe(MODEL, mixes=(Mix(1, ((3, 1), (11, 1))),)), "A mix on layer 11: this model has layers 0 to 9"),
        (Recipe(MODEL, edits=(Edit(SMILE, 1, (12,)),)), "An edit on layer 12: this model has layers 0 to 9"),
        (Recipe(MODEL, noise=Noise(seeds=((9, 1),))), "Noise on layer 9: this model has layers 0 to 8"),
        (Recipe(MODEL, noise=Noise(strengths=((9, 0),))), "Noise on layer 9: this model has layers 0 to 8"),
    ],
)
def test_check_refuses_what_a_model_has_not(recipe, sentence):
    with pytest.raises(RecipeError, match=sentence):
        check(recipe, num_ws=10, label_dim=3, num_noise=9)


def test_check_of_a_model_without_classes_or_noise():
    with pytest.raises(RecipeError, match="this model has no classes"):
        check(Recipe(MODEL, label=0), num_ws=10)
    with pytest.raises(RecipeError, match="Noise on layer 0: this model has none"):
        check(Recipe(MODEL, noise=Noise(strengths=((0, 0.5),))), num_ws=10, num_noise=0)
