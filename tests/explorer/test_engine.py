"""Recipe → pixels: what the picture is, that caches never show in it, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest
import tiny_models
import torch
from engine_kit import LAYERS, SMILE, apply, assert_close, change, naive
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from recipe_strategies import steady

import stylegan
from explorer import edits
from explorer.engine import Engine
from explorer.library import Library
from explorer.parts import Blend, Direction, Edit, Mix, Noise, Stored
from explorer.recipe import Recipe
from explorer.script import as_python
from explorer.values import RecipeError
from stylegan.errors import InputError

pytestmark = pytest.mark.usefixtures("one_thread")


@steady
@given(st.lists(change, min_size=1, max_size=6))
def test_a_picture_after_any_edits_has_the_bytes_of_one_made_from_nothing(shared, changed):
    cold = Engine(shared.library, cache_mib=0)
    cold.latents = shared.latents
    recipe = Recipe(shared.library.default)
    for name, value in changed:
        recipe = apply(shared, recipe, name, value)
        np.testing.assert_array_equal(shared.render(recipe), cold.render(recipe))
    assert_close(shared.render(recipe), naive(shared, recipe))


@steady
@given(st.lists(st.lists(change, max_size=3), min_size=1, max_size=5), st.randoms(use_true_random=False))
def test_a_cell_of_a_sheet_has_the_bytes_of_the_picture(shared, changed, random):
    cold = Engine(shared.library, cache_mib=random.choice([0, 1]))
    cold.latents = shared.latents
    recipes = []
    for steps in changed:
        recipe = Recipe(shared.library.default)
        for name, value in steps:
            recipe = apply(shared, recipe, name, value)
        recipes.append(recipe)
    recipes.append(random.choice(recipes))
    sheet = cold.sheet(recipes, 1, 16, pad_px=3)
    for i, recipe in enumerate(recipes):
        np.testing.assert_array_equal(sheet[19 * i : 19 * i + 16], shared.render(recipe))
    np.testing.assert_array_equal(cold.sheet(recipes, 1, 16, pad_px=3), sheet)


@pytest.mark.parametrize(
    "options",
    [
        {"lod": 0.4},
        {"lod": 1.0},
        {"lod": 1.25},
        {"lod": 2.0},
        {"use_noise": False},
        {"image_channels": 1},
        {"use_styles": False, "const_input": False},
        {"const_input": False},
    ],
    ids=str,
)
def test_other_networks(tmp_path, options):
    engine = tiny_models.engine(tmp_path, **options)
    styles = engine.library.card(engine.library.default).num_ws
    recipe = Recipe(engine.library.default, 1)
    for step in (
        lambda r: edits.mix_from(r, 2, [styles - 1]),
        lambda r: edits.with_layer_psi(r, [0], 0.3),
        lambda r: edits.mix_from(r, 3, [styles // 2]),
    ):
        recipe = step(recipe)
        picture = engine.render(recipe)
        assert_close(picture, np.broadcast_to(naive(engine, recipe), (16, 16, 3)))
        np.testing.assert_array_equal(picture, Engine(engine.library, cache_mib=0).render(recipe))


def test_classes(tmp_path):
    engine = tiny_models.engine(tmp_path, label_dim=3)
    pictures = [engine.render(Recipe(engine.library.default, 1, label)) for label in (None, 0, 2)]
    for picture, label in zip(pictures, (None, 0, 2), strict=True):
        assert_close(picture, naive(engine, Recipe(engine.library.default, 1, label)))
    assert all((pictures[0] != other).any() for other in pictures[1:])
    with pytest.raises(RecipeError, match="class 3, but this model has classes 0 to 2"):
        engine.render(Recipe(engine.library.default, 1, 3))


def test_the_script_of_a_recipe_makes_the_same_bytes(shared, folder, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    recipe = Recipe(
        shared.library.default,
        Blend(3, 4, 0.3, "z"),
        psi=0.6,
        cutoff=4,
        layer_psi=((0, 0.2),),
        mixes=(Mix(7, ((1, 0.5), (2, 1.0))),),
        noise=Noise("random", 5, strengths=((3, 2.0), (4, 0.0))),
    )
    exec(as_python(recipe, str(folder / "tiny.safetensors")), {})
    np.testing.assert_array_equal(np.asarray(Image.open("picture.png")), shared.render(recipe))


def test_rendering_changes_no_weight_and_no_random_state(shared, plain):
    G = shared.library.generator(plain.model)
    before = {name: tensor.clone() for name, tensor in G.state_dict().items()}
    state, numpy_state = torch.get_rng_state(), np.random.get_state()[1].copy()
    shared.render(replace(plain, noise=Noise("random", 9), psi=0.3, mixes=(Mix(8, ((2, 0.5),)),)))
    shared.sheet([plain, replace(plain, source=4)], 2, 16)
    assert all(torch.equal(tensor, before[name]) for name, tensor in G.state_dict().items())
    assert torch.equal(torch.get_rng_state(), state)
    assert np.array_equal(np.random.get_state()[1], numpy_state)
    assert not G.training


def test_sizes(shared, plain):
    own = shared.render(plain)
    np.testing.assert_array_equal(shared.render(plain, 16), own)
    np.testing.assert_array_equal(shared.render(plain, 48), own.repeat(3, 0).repeat(3, 1))
    assert shared.render(plain, 50, smooth=True).shape == (50, 50, 3)
    boxes = own.reshape(8, 2, 8, 2, 3).mean((1, 3))
    assert np.abs(shared.render(plain, 8) - boxes).max() <= 1
    for size in (0, -1, 1e3, 1 << 20, True, "64", float("nan")):
        with pytest.raises(InputError, match="size of a picture"):
            shared.render(plain, size)


def test_w(shared, plain):
    G = shared.library.generator(plain.model)
    expected = G.truncate(G.mapping(stylegan.seeds_to_z([3], 16)), 0.7)[0]
    torch.testing.assert_close(shared.w(plain), expected)
    assert shared.w(replace(plain, psi=0)).equal(G.w_mean.expand(LAYERS, -1))


def test_stored_latents(shared, plain):
    per_layer = torch.randn(LAYERS, 16, generator=torch.Generator().manual_seed(1))
    recipe = replace(plain, source=Stored(shared.latents.keep(per_layer)), psi=1)
    assert shared.w(recipe).equal(per_layer)
    assert_close(shared.render(recipe), naive(shared, recipe))
    foreign = replace(plain, source=Blend(1, Stored(shared.latents.keep(torch.ones(512))), 0.5))
    with pytest.raises(RecipeError, match="of another model"):
        shared.render(foreign)
    with pytest.raises(RecipeError, match="latent abababab, which is not kept here"):
        shared.render(replace(plain, mixes=(Mix(Stored("ab" * 16), ((0, 1.0),)),)))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"model": "f" * 64}, "The model 'ffff.*is not here"),
        ({"label": 0}, "no classes"),
        ({"cutoff": 7}, "only 6 layers"),
        ({"layer_psi": ((6, 1.0),)}, "layer 6: this model has layers 0 to 5"),
        ({"mixes": (Mix(1, ((17, 1.0),)),)}, "layer 17"),
        ({"noise": Noise(seeds=((6, 1),))}, "layer 6"),
        ({"edits": (Edit(Direction("hat", "ab" * 8), 1),)}, "no direction hat"),
        ({"edits": (Edit(SMILE, 1, None, (Direction("hat", "ab" * 8),)),)}, "no direction hat"),
    ],
)
def test_what_does_not_fit_the_model_is_refused_in_one_sentence(shared, plain, change, says):
    for call in (shared.check, shared.render, shared.w, lambda r: shared.sheet([plain, r], 2, 16)):
        with pytest.raises(InputError, match=says) as error:
            call(replace(plain, **change))
        assert "\n" not in str(error.value)
    shared.render(plain)


def test_a_direction_cannot_move_when_held_by_its_locks(shared, plain):
    twin = Direction("twin", "77" * 16)
    smile = shared.library.directions(plain.model)[SMILE.digest]
    shared.library.add_directions(plain.model, [replace(smile, name="twin", digest=twin.digest)])
    with pytest.raises(RecipeError, match="smile cannot move while twin is held still"):
        shared.render(replace(plain, edits=(Edit(SMILE, 1, None, (twin,)),)))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((0, 2, 16), "1 to 400 pictures, not 0"),
        ((401, 2, 16), "1 to 400 pictures, not 401"),
        ((4, 0, 16), "1 to 400 columns"),
        ((4, 2.0, 16), "1 to 400 columns"),
        ((4, 2, 16, -1), "0 to 256 pixels between"),
        ((100, 10, 4096), "too large"),
        ((4, 2, 0), "size of a picture"),
    ],
)
def test_impossible_sheets(shared, plain, arguments, says):
    count, *rest = arguments
    with pytest.raises(InputError, match=says):
        shared.sheet([plain] * count, *rest)


def test_gaps_in_a_sheet(shared, plain):
    sheet = shared.sheet([None, plain], 2, 16, pad_px=0, background=7)
    assert (sheet[:, :16] == 7).all()
    np.testing.assert_array_equal(sheet[:, 16:], shared.render(plain))


def test_without_a_model_there_is_one_clear_sentence(tmp_path):
    library = Library([], tmp_path / "models")
    with pytest.raises(InputError, match="no model to show: none is in"):
        library.default  # noqa: B018 - reading it is the test
