"""What browsers may send to the page's server functions: answers, or one sentence; never an exception."""

import base64
import io
import json
import math

import numpy as np
import pytest
import tiny_models
from PIL import Image

from explorer import png
from explorer.context import AppContext
from explorer.options import Options
from explorer.recipe import Recipe, Stored
from explorer.values import show


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    folder = tmp_path_factory.mktemp("app")
    files = (tiny_models.make(folder, "a"), tiny_models.make(folder, "b", seed=1, label_dim=3, resolution=32))
    return AppContext.open(Options(models=files, folder=folder / "models", gallery=folder / "gallery"))


@pytest.fixture(scope="module")
def page(app):
    from explorer.ui import shell

    return shell.build(app)


@pytest.fixture(scope="module")
def call(page):
    """`call(component, function, data)`: as a browser does."""
    components = {getattr(block, "elem_id", None): block for block in page.blocks.values()}

    def call(component, function, data):
        answer = getattr(components[component], function)(data)
        json.dumps(answer, allow_nan=False)
        return answer

    return call


def frame(app, edits=(), **more):
    return {"visitor": "v", "base": Recipe(app.library.default).json, "edits": list(edits), **more}


def shown(uri):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))))


def test_a_frame_is_the_picture_of_the_edited_recipe_and_what_controls_show(app, call):
    answer = call("stage", "frame", frame(app, [["seed", 7], ["psi", -0.5], ["layer_psi", [2, 0.25]]]))
    recipe = Recipe.from_json(answer["recipe"])
    assert recipe == Recipe(app.library.default, 7, psi=-0.5, layer_psi=((2, 0.25),))
    assert np.array_equal(shown(answer["image"]), app.engine.render(recipe))
    values = answer["values"]
    assert (values["seed"], values["psi"], values["cutoff"], values["model"]) == (7, -0.5, -1, recipe.model)
    assert [(bar["value"], bar["own"]) for bar in values["layer_psi"]][1:4] == [
        (-0.5, False),
        (0.25, True),
        (-0.5, False),
    ]
    assert answer["words"].startswith("seed 7")
    assert answer["query"].startswith("r=")


def test_what_controls_show_makes_the_same_recipe_again(app, call):
    """Controls that are set from a recipe, and ask for what they show, change nothing."""
    for base in (
        Recipe(app.library.default, 3, psi=0.1, cutoff=3),
        Recipe(app.library.cards()[1].digest, 4, 2, 1.1, 5),
    ):
        values = call("stage", "frame", frame(app, base=base.json))["values"]
        edits = [[name, values[name]] for name in ("model", "seed", "psi", "cutoff", "label", "recipe")]
        assert call("stage", "frame", frame(app, edits, base=base.json))["recipe"] == base.json


def test_controls_show_what_they_can_of_values_beyond_them(app, call):
    base = Recipe(app.library.default, 3, psi=9.0)
    assert call("stage", "frame", frame(app, base=base.json))["values"]["psi"] == 1.5


@pytest.mark.parametrize(
    "edit",
    [
        ["seed", -1], ["seed", 2**32], ["seed", 1.5], ["seed", "7"], ["seed", None], ["seed", True], ["seed", [1]],
        ["seed", 10**5000], ["psi", math.nan], ["psi", math.inf], ["psi", "0.5"], ["psi", 11], ["psi", None],
        ["psi", {}], ["cutoff", 99], ["cutoff", -2], ["cutoff", 1.5], ["cutoff", 7], ["label", 3], ["label", "x"],
        ["blend", 1], ["blend", [0.5]], ["blend", [0.5, 1, "q"]], ["blend", [9, 1, "w"]], ["blend", [0.5, -1, "w"]],
        ["layer_psi", [6, 0]], ["layer_psi", 3], ["layer_psi", [0, math.nan]], ["layer_psi", ["0", 0]],
        ["model", "ffff"], ["model", 3], ["recipe", "{"], ["recipe", 5], ["recipe", "seed=x"], ["recipe", "[" * 9000],
        ["recipe", '{"version": 2}'], ["nonsense", 1], ["psi"], "psi", 5, [5, 5], ["psi", 1, 2],
    ],
    ids=lambda edit: show(edit),
)  # fmt: skip
def test_bad_edits_are_one_sentence(app, call, edit):
    answer = call("stage", "frame", frame(app, [edit]))
    assert set(answer) == {"error"}
    assert answer["error"].endswith(".")
    assert "log" not in answer["error"]
    assert "\n" not in answer["error"]


@pytest.mark.parametrize("function", ["frame", "png_file", "python_text", "opened"])
@pytest.mark.parametrize("data", [None, 5, "x", [], {}, {"base": 5}, {"recipe": "{}"}, {"png": 3}, {"png": "%%%"}])
def test_requests_of_no_shape_are_one_sentence(call, function, data):
    answer = call("stage", function, data)
    assert set(answer) == {"error"}
    assert "log" not in answer["error"]


@pytest.mark.parametrize(
    "change",
    [
        {"visitor": 5}, {"visitor": "x" * 1000}, {"base": ""}, {"base": "x" * 10**6}, {"edits": {}},
        {"edits": [["psi", 0]] * 999},
    ],
    ids=lambda change: next(iter(change)),
)  # fmt: skip
def test_frames_of_wrong_requests_are_one_sentence(app, call, change):
    answer = call("stage", "frame", {**frame(app), **change})
    assert set(answer) == {"error"}


def test_a_png_comes_with_its_recipe_and_is_read_back(app, call):
    recipe = Recipe(app.library.default, 11)
    answer = call("stage", "png_file", {"recipe": recipe.json})
    file = base64.b64decode(answer["data"].partition(",")[2])
    assert png.read(file) == recipe
    assert answer["name"].endswith(".png")
    assert call("stage", "opened", {"png": base64.b64encode(file).decode()}) == {"recipe": recipe.json}


def test_a_png_as_wide_as_a_continent_is_read_without_its_pixels(app, call):
    """Only the header says 30,000 × 30,000; nothing decodes it."""
    recipe = Recipe(app.library.default, 11)
    file = bytearray(png.encode(np.zeros((4, 4, 3), np.uint8), recipe))
    file[16:24] = (30_000).to_bytes(4, "big") * 2
    assert call("stage", "opened", {"png": base64.b64encode(file).decode()}) == {"recipe": recipe.json}


def test_python_is_a_script_or_a_reason(app, call):
    assert "stylegan.load" in call("stage", "python_text", {"recipe": Recipe(app.library.default, 1).json})["text"]
    stored = Recipe(app.library.default, Stored("0123456789abcdef"))
    assert "error" in call("stage", "python_text", {"recipe": stored.json})


def test_a_strip_is_the_pictures_side_by_side(app, call):
    recipes = [Recipe(app.library.default, seed).json for seed in range(3)]
    assert shown(call("seeds", "strip", {"visitor": "v", "recipes": recipes})["image"]).shape == (16, 48, 3)


@pytest.mark.parametrize(
    "recipes", [None, [], "x", [5], ["{}"], [["x"]], ["x" * 10**6], [Recipe("abcdefab").json] * 99]
)
def test_impossible_strips_are_one_sentence(call, recipes):
    answer = call("seeds", "strip", {"visitor": "v", "recipes": recipes})
    assert set(answer) == {"error"}
    assert "log" not in answer["error"]


def test_models_of_any_shape_have_controls(tmp_path):
    """Without styles (one w for all layers), with one layer pair, with classes: every control has something to show."""
    from explorer.ui import shell

    files = (
        tiny_models.make(tmp_path, "one", use_styles=False, use_noise=False),
        tiny_models.make(tmp_path, "small", resolution=8, label_dim=2),
    )
    app = AppContext.open(Options(models=files, folder=tmp_path / "models", gallery=tmp_path / "gallery"))
    stage = next(block for block in shell.build(app).blocks.values() if getattr(block, "elem_id", None) == "stage")
    for card in app.library.cards():
        answer = stage.frame({"visitor": "v", "base": Recipe(card.digest, 1).json, "edits": [["psi", 0.3]]})
        assert len(answer["values"]["layer_psi"]) == card.num_ws


def test_private_events_are_not_in_the_api(page):
    assert set(page.get_api_info()["named_endpoints"]) >= {"/generate", "/render", "/models"}
    assert page.get_api_info()["unnamed_endpoints"] == {}
    assert not [
        name for name in page.get_api_info()["named_endpoints"] if name.startswith(("/lambda", "/step", "/move"))
    ]
