"""The script that "copy as Python" gives makes the picture that a recipe's definition gives, by way of another code."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from recipe_strategies import steady

import stylegan
from explorer.recipe import Blend, Direction, Edit, Mix, Noise, Recipe, RecipeError, Stored, noise_field
from explorer.script import as_python

NUM_WS = 6  # of a 16² model
Z_DIM = 8


@pytest.fixture(scope="module")
def model_file(tmp_path_factory):
    """A small generator with classes, a w̄, and noise that shows."""
    config = stylegan.GeneratorConfig(
        resolution=16, label_dim=3, z_dim=Z_DIM, w_dim=8, mapping_layers=2, mapping_fmaps=8, fmap_base=64, fmap_max=8
    )
    generator = stylegan.Generator(config, seed=1)
    with torch.no_grad():
        generator.w_mean.normal_(generator=torch.Generator().manual_seed(2))
        for name, parameter in generator.named_parameters():
            if name.endswith("noise_strength"):
                parameter.fill_(0.3)
    path = tmp_path_factory.mktemp("models") / "it's a model.safetensors"
    stylegan.save(generator, path)
    return path


def run(script: str, folder: Path, monkeypatch) -> np.ndarray:
    monkeypatch.chdir(folder)
    exec(compile(script, "script", "exec"), {})
    with Image.open(folder / "picture.png") as image:
        return np.asarray(image)


def defined(recipe: Recipe, model_file: Path) -> np.ndarray:
    """The picture by the definition at the head of explorer/recipe.py, in float64 where it can be."""
    G = stylegan.load(model_file)
    labels = torch.zeros(1, 3)
    if recipe.label is not None:
        labels[0, recipe.label] = 1

    def z_of(source):
        if isinstance(source, int):
            return np.random.RandomState(source).randn(Z_DIM)
        a, b, t = z_of(source.a), z_of(source.b), source.amount
        length_a, length_b = np.linalg.norm(a), np.linalg.norm(b)
        angle = np.arccos(a @ b / (length_a * length_b))
        direction = np.sin((1 - t) * angle) * a / length_a + np.sin(t * angle) * b / length_b
        return direction / np.sin(angle) * length_a ** (1 - t) * length_b**t

    def w_of(source):
        if isinstance(source, Blend) and source.space == "w":
            return (1 - source.amount) * w_of(source.a) + source.amount * w_of(source.b)
        return G.mapping(torch.tensor(z_of(source)[None], dtype=torch.float32), labels)[0, 0].double().numpy()

    def layers_of(source):
        mean = G.w_mean.double().numpy()
        return np.stack([mean + recipe.psi_of(i) * (w_of(source) - mean) for i in range(NUM_WS)])

    w = layers_of(recipe.source)
    for mix in recipe.mixes:
        other = layers_of(mix.source)
        for layer, amount in mix.layers:
            w[layer] = (1 - amount) * w[layer] + amount * other[layer]
    noise = []
    for layer, stored in enumerate(G.noise_images("stored", 1)):
        seed = recipe.noise.seed_of(layer)
        picture = stored if recipe.noise.mode != "none" else torch.zeros_like(stored)
        if seed is not None:
            picture = torch.from_numpy(noise_field(seed, layer, stored.shape[-1]))
        noise.append(picture * recipe.noise.strength_of(layer))
    x = G.synthesis(torch.tensor(w[None], dtype=torch.float32), noise=noise)
    return stylegan.to_uint8(x)[0].numpy()


def test_a_simple_picture_is_a_short_script(model_file, tmp_path, monkeypatch):
    script = as_python(Recipe("ab" * 8, 5, psi=0.5), str(model_file))
    assert "G.truncate(G.mapping(z(5)), psi=0.5, cutoff=None)" in script
    assert len(script.splitlines()) < 16
    G = stylegan.load(model_file)
    w = G.truncate(G.mapping(stylegan.seeds_to_z([5], Z_DIM)), psi=0.5)
    assert np.array_equal(run(script, tmp_path, monkeypatch), stylegan.to_uint8(G.synthesis(w))[0].numpy())


ALL = Recipe(
    "ab" * 8,
    Blend(Blend(1, 2, 0.25, "z"), 3, 0.5, "w"),
    label=2,
    psi=0.5,
    cutoff=4,
    layer_psi=((1, -1.0), (5, 0.25)),
    mixes=(Mix(9, ((0, 0.5), (3, 1))), Mix(Blend(4, 5, 1.5, "z"), ((3, 0.25), (4, 1)))),
    noise=Noise("random", 7, ((2, 8),), ((3, 0.0), (4, 2.5))),
)


@pytest.mark.parametrize(
    "recipe",
    [
        Recipe("ab" * 8, 5),
        Recipe("ab" * 8, 5, psi=1),
        Recipe("ab" * 8, 5, psi=-1, cutoff=3),
        Recipe("ab" * 8, 5, psi=1, mixes=(Mix(6, ((2, 1),)),)),
        Recipe("ab" * 8, Blend(1, 2, 0.3)),
        Recipe("ab" * 8, Blend(1, 2, 0.3, "z"), label=0),
        Recipe("ab" * 8, 5, layer_psi=((0, 0.1),)),
        Recipe("ab" * 8, 5, noise=Noise("none")),
        Recipe("ab" * 8, 5, noise=Noise("none", 0, ((4, 1),), ((3, 0.5), (4, 0.5)))),
        Recipe("ab" * 8, 5, noise=Noise("random", 3)),
        Recipe("ab" * 8, 5, noise=Noise("stored", 0, ((0, 1),), ((0, 0.5), (5, 0)))),
        ALL,
    ],
    ids=lambda recipe: recipe.json[:60],
)
def test_the_script_makes_the_picture_as_defined(recipe, model_file, tmp_path, monkeypatch):
    picture = run(as_python(recipe, str(model_file)), tmp_path, monkeypatch).astype(int)
    assert np.abs(picture - defined(recipe, model_file)).max() <= 1  # rounding at the edge between two values
    assert picture.std() > 5


def test_every_part_of_the_recipe_shows(model_file, tmp_path, monkeypatch):
    """So that the comparison above could fail."""
    whole = defined(ALL, model_file).astype(int)
    parts = [
        {"source": 1}, {"label": 0}, {"psi": 0.6}, {"cutoff": None}, {"layer_psi": ()}, {"mixes": ALL.mixes[:1]},
        {"noise": Noise()},
    ]  # fmt: skip
    for part in parts:
        assert np.abs(whole - defined(replace(ALL, **part), model_file)).max() > 3, part


@settings(steady, max_examples=10)
@given(st.text(max_size=20))
def test_no_file_name_breaks_out_of_the_script(name):
    script = as_python(Recipe("ab" * 8), name)
    first = next(node for node in compile_lines(script) if "stylegan.load" in node)
    assert eval(first.split("stylegan.load(", 1)[1].rsplit(")  # its digest", 1)[0]) == name


def compile_lines(script: str) -> list[str]:
    compile(script, "script", "exec")
    return script.splitlines()


@pytest.mark.parametrize(
    ("recipe", "sentence"),
    [
        (Recipe("ab" * 8, edits=(Edit(Direction("smile", "ab" * 8), 1),)), "moved along directions cannot be copied"),
        (Recipe("ab" * 8, Stored("ab" * 8)), "stored latent cannot be copied"),
        (Recipe("ab" * 8, mixes=(Mix(Blend(1, Stored("ab" * 8), 0.5), ((0, 1),)),)), "stored latent cannot be copied"),
    ],
)
def test_what_lives_in_the_apps_files_is_told(recipe, sentence):
    with pytest.raises(RecipeError, match=sentence):
        as_python(recipe, "model.safetensors")
