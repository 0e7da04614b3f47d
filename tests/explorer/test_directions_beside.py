"""A model's directions lie in a file beside it: the library finds them, recipes move along them, scripts load them."""

import numpy as np
import pytest
import tiny_models
import torch
from PIL import Image

import stylegan
from explorer.engine import Engine
from explorer.library import Library
from explorer.parts import Direction as Named
from explorer.parts import Edit
from explorer.recipe import Recipe, RecipeError
from explorer.script import as_python
from explorer.vectors import DirectionVector, step
from stylegan import directions
from stylegan.directions import Direction, DirectionSet, save_directions
from stylegan.directions.direction import unit


def found(count=3, width=16):
    rng = np.random.RandomState(4)
    vectors = [unit(torch.from_numpy(rng.randn(width)), "it") for _ in range(count)]
    return tuple(Direction(f"d{i}", vector, 0.5 + i, layers=(i,)) for i, vector in enumerate(vectors))


@pytest.fixture
def model(tmp_path):
    path = tiny_models.make(tmp_path)
    save_directions(DirectionSet(stylegan.load(path).digest, found()), tmp_path / "tiny.directions.safetensors")
    return path


def test_the_library_finds_them(model):
    library = Library([model])
    digest = library.default
    assert library.problems == []
    assert library.card(digest).has_directions
    known = library.directions(digest)
    assert [(d.name, d.digest, d.sigma) for d in known.values()] == [(d.name, d.digest, d.sigma) for d in found()]
    assert [d.layers for d in library.directions_beside(digest)] == [(0,), (1,), (2,)]
    mine = DirectionVector("mine", "5a" * 16, torch.eye(16)[0], 1.0)
    library.add_directions(digest, [mine])
    assert len(library.directions(digest)) == 4
    model.with_name("tiny.directions.safetensors").unlink()
    library.refresh()
    assert list(library.directions(digest)) == [mine.digest]
    assert library.directions_beside(digest) == ()


def test_the_companions_of_a_model(model):
    library = Library([model])
    assert library.companion(library.default, ".directions") == model.with_name("tiny.directions.safetensors")
    assert library.companion(library.default, ".attributes") is None


@pytest.mark.parametrize(
    ("made", "said", "kept"),
    [
        (lambda path: save_directions(DirectionSet("ab" * 32, found()), path), "found in another model", 3),
        (
            lambda path: save_directions(DirectionSet("ab" * 32, found(1, 12)), path),
            "width 12; this model's w has 16",
            0,
        ),
        (lambda path: path.write_bytes(b"something else"), "not a whole safetensors file", 0),
    ],
)
def test_what_is_wrong_with_the_file_is_said_once(model, made, said, kept):
    made(model.with_name("tiny.directions.safetensors"))
    library = Library([model])
    (problem,) = library.problems
    assert said in problem
    assert problem.startswith("tiny.directions.safetensors: ")
    assert len(library.directions(library.default)) == kept
    assert library.card(library.default).has_directions == bool(kept)


def recipe_of(digest):
    a, b, c = (Named(d.name, d.digest) for d in found())
    edits = (Edit(a, 2.5, None, (b, c)), Edit(b, -1.0, (1, 3)))
    return Recipe(digest, 3, psi=0.6, edits=edits)


def test_the_engine_moves_as_the_library_does(model):
    engine = Engine(Library([model]))
    recipe = recipe_of(engine.library.default)
    G = stylegan.load(model)
    a, b, c = found()
    w = G.truncate(G.mapping(stylegan.seeds_to_z([3], 16)), psi=0.6)
    w = directions.steer(w, a, 2.5, range(6), [b, c])
    w = directions.steer(w, b, -1.0, [1, 3])
    torch.testing.assert_close(engine.w(recipe), w[0], atol=1e-5, rtol=0)
    assert not np.array_equal(engine.render(recipe), engine.render(Recipe(recipe.model, 3, psi=0.6)))


def test_the_script_makes_the_engines_picture(model, tmp_path, monkeypatch):
    engine = Engine(Library([model]))
    recipe = recipe_of(engine.library.default)
    script = as_python(recipe, str(model), str(model.with_name("tiny.directions.safetensors")))
    monkeypatch.chdir(tmp_path)
    exec(compile(script, "script", "exec"), {})
    with Image.open("picture.png") as image:
        picture = np.asarray(image).astype(int)
    assert np.abs(picture - engine.render(recipe)).max() <= 1
    with pytest.raises(RecipeError, match="moved along directions"):
        as_python(recipe, str(model))
    assert "directions" not in as_python(Recipe(recipe.model), str(model), "any.directions.safetensors")


def test_a_step_within_its_locks_is_refused_by_name():
    a, b, _ = map(DirectionVector.of, found())
    assert step(a, [b], 2.0).norm().item() == pytest.approx(2 * a.sigma, rel=1e-5)
    with pytest.raises(RecipeError, match="d0 cannot move while d1, d0 is held still"):
        step(a, [b, a], 1.0)
