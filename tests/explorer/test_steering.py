"""Steering: moves as browsers send them, traversals, readings of the picture, what locks leave, tables, files."""

import csv
import io

import numpy as np
import pytest
import tiny_models
import torch

import stylegan
from explorer import direction_import, entangling, sheets, steering
from explorer.context import AppContext
from explorer.options import Options
from explorer.parts import Edit
from explorer.recipe import Recipe, RecipeError
from stylegan.directions import (
    AttributeScorer,
    Direction,
    DirectionSet,
    load_directions,
    save_directions,
    save_scorer,
    write_boundary,
)
from stylegan.directions.attribute_net import AttributeNet, ScorerConfig
from stylegan.directions.direction import unit
from stylegan.directions.targets import Target
from stylegan.errors import InputError


def along(*numbers, name="it", sigma=1.0, **more):
    vector = torch.zeros(16)
    vector[: len(numbers)] = torch.tensor(numbers, dtype=torch.float32)
    return Direction(name, unit(vector, name), sigma, **more)


X, Y = along(1, name="x", z_vector=unit(torch.eye(16)[3], "z")), along(0.6, 0.8, name="y")


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    folder = tmp_path_factory.mktemp("steer")
    path = tiny_models.make(folder)
    save_directions(DirectionSet(stylegan.load(path).digest, (X, Y)), folder / "tiny.directions.safetensors")
    return AppContext.open(Options(models=(path,), folder=folder / "m", directions=folder / "d", device="cpu"))


@pytest.fixture
def card(app):
    return app.library.card(app.library.default)


@pytest.fixture
def known(app, card):
    return app.library.directions(card.digest)


def test_moves_come_from_browsers(known, card):
    plain = Recipe(card.digest, 3)
    moved = steering.moved(plain, known, {"digest": X.digest, "strength": 2, "layers": [0, 2], "locks": [Y.digest]})
    (edit,) = moved.edits
    assert (edit.direction.name, edit.strength, edit.layers) == ("x", 2.0, (0, 2))
    assert [lock.name for lock in edit.locks] == ["y"]
    shown = steering.shown(moved, card)
    assert shown["moves"] == [{"digest": X.digest, "strength": 2.0, "layers": [0, 2]}]
    assert shown["locks"] == [Y.digest]
    assert steering.moved(moved, known, {"locks": []}).edits[0].locks == ()
    assert steering.moved(moved, known, {"clear": True}) == plain
    assert steering.shown(plain, card)["locks"] is None
    for value in ("x", {"locks": ["ab" * 16]}, {"locks": 3}, {"locks": [], "digest": 5, "strength": 1, "layers": None}):
        with pytest.raises(RecipeError):
            steering.moved(plain, known, value)


def test_a_traversal_is_a_row_for_each_seed(known, card):
    assert steering.strengths(3, 7) == [-3, -2, -1, 0, 1, 2, 3]
    for reach, columns in ((0, 7), (float("nan"), 7), (3, 4), (3, 99), (3, 1)):
        with pytest.raises(RecipeError):
            steering.strengths(reach, columns)
    chosen = steering.chosen({"digest": X.digest, "layers": None, "locks": [X.digest, Y.digest]}, known)
    made = sheets.traversal(Recipe(card.digest, 1), chosen, [1, 5], [-1, 0, 1])
    assert [recipe.source for recipe in made.recipes] == [1, 1, 1, 5, 5, 5]
    assert [[edit.strength for edit in recipe.edits] for recipe in made.recipes[:3]] == [[-1.0], [], [1.0]]
    assert [lock.name for lock in made.recipes[0].edits[0].locks] == ["y"]
    assert steering.chosen(None, known) is None


def test_what_the_locks_leave_is_a_cosine(app, card):
    left = app.readings.left(card.digest, [X.digest, Y.digest], [X.digest])
    assert left == {X.digest: 1.0, Y.digest: pytest.approx(0.8, abs=1e-6)}  # y without its part along x
    with pytest.raises(RecipeError, match="no direction"):
        app.readings.left(card.digest, ["ab" * 16], [])


def test_readings_are_the_scores_of_what_is_shown(app, card):
    edit = Edit(steering.named([X.digest], app.library.directions(card.digest))[0], 2.0)
    recipe = Recipe(card.digest, 5, edits=(edit,))
    reading = app.readings.of(recipe)
    picture = app.engine.render(recipe).astype(np.float64) / 255
    brightness = next(score for score in reading.scores if score.name == "brightness")
    assert brightness.value == pytest.approx((picture @ [0.299, 0.587, 0.114]).mean(), abs=1e-5)
    again = app.readings.of(Recipe(card.digest, 5))
    assert brightness.before == pytest.approx(next(s for s in again.scores if s.name == "brightness").value, abs=1e-6)
    assert brightness.std > 0
    assert again.outside == ()
    far = Recipe(card.digest, 5, edits=(Edit(edit.direction, 60.0, (1, 2)),))
    assert app.readings.of(far).outside == (1, 2)


def test_the_models_own_scorer_reads_and_a_broken_one_is_told(app, card):
    config = ScorerConfig((Target("smile", "binary"),), resolution=32, channels=(2, 2, 2, 2))
    path = app.options.models[0].with_name("tiny.attributes.safetensors")
    save_scorer(AttributeScorer(AttributeNet(config).eval()), path)
    reading = app.readings.of(Recipe(card.digest))
    assert [(score.name, score.kind) for score in reading.scores] == [("smile", "binary")]
    path.write_bytes(b"nonsense")
    broken = app.readings.of(Recipe(card.digest))
    assert "not a whole safetensors file" in broken.problem
    assert "brightness" in [score.name for score in broken.scores]
    path.unlink()
    assert app.readings.of(Recipe(card.digest)).problem == ""


def test_cosines_with_and_without_locks(app, card):
    directions = entangling.found(app.engine, card.digest, [X.digest, Y.digest])
    table = entangling.cosine_table(directions, [], "w")
    np.testing.assert_allclose(table["mean"], [[1, 0.6], [0.6, 1]], atol=1e-6)
    held = entangling.cosine_table(directions, directions[:1], "w")
    np.testing.assert_allclose(held["mean"], [[1, 0.6], [0, 0.8]], atol=1e-6)
    rows = list(csv.DictReader(io.StringIO(held["csv"])))
    assert (rows[2]["direction"], rows[2]["with"], float(rows[2]["cosine"]), rows[2]["locks"]) == ("y", "x", 0.0, "x")
    in_z = entangling.cosine_table(directions, [], "z")
    assert (in_z["rows"], in_z["missing"]) == (["x"], ["y"])
    with pytest.raises(InputError, match="None of these directions has a vector in Z"):
        entangling.cosine_table(directions[1:], [], "z")
    with pytest.raises(RecipeError, match="no direction"):
        entangling.found(app.engine, card.digest, ["ab" * 16])


def test_the_measured_table_is_the_librarys(app, card):
    directions = entangling.found(app.engine, card.digest, [X.digest, Y.digest])
    *_, last = entangling.measured(app.engine, app.scorers, card.digest, directions, directions[:1], "w", 4)
    expected = stylegan.directions.finish(
        stylegan.directions.measure(
            app.library.generator(card.digest), stylegan.directions.PictureMeasures(), directions, directions[:1],
            seeds=4,
        )
    )  # fmt: skip
    np.testing.assert_allclose(last.table["mean"], expected.mean, atol=1e-4)
    assert last.table["locks"] == ["x"]
    assert last.table["left"][1] == pytest.approx(0.8, abs=1e-6)
    assert last.table["csv"].count("\n") == 2 * 11 + 1
    for seeds in (1, 10**9, "4", True):
        with pytest.raises(RecipeError):
            next(entangling.measured(app.engine, app.scorers, card.digest, directions, [], "w", seeds))


def test_what_the_locks_leave_nothing_of_is_left_out_of_the_measured_table(app, card):
    both = along(1, 1, name="both")
    *_, last = entangling.measured(app.engine, app.scorers, card.digest, [X, Y, both], [X, Y], "w", 2)
    assert (last.table["rows"], last.table["held"]) == (["x", "y"], ["both"])  # x and y are not held by themselves
    with pytest.raises(RecipeError, match="None of these directions can move"):
        next(entangling.measured(app.engine, app.scorers, card.digest, [both], [X, Y], "w", 2))
    with pytest.raises(RecipeError, match="y is held still, but has no direction in Z"):
        next(entangling.measured(app.engine, app.scorers, card.digest, [X], [Y], "z", 2))


def test_files_come_in_and_go_out(app, card, tmp_path):
    store = app.directions(None, "")
    path = tmp_path / "other.directions.safetensors"
    save_directions(DirectionSet("ab" * 32, (along(0, 1, name="y", layers=(1, 30)), X)), path)
    found = direction_import.take_in(app.engine, store, card, path)
    assert "found in another model" in found.words
    assert "1 is here already" in found.words
    assert [(direction.name, direction.layers) for direction in store.kept(card)] == [("y 2", (1,))]
    boundary = tmp_path / "smile_boundary.npy"
    write_boundary(along(0, 0, 1), boundary)
    (smile,) = direction_import.take_in(app.engine, store, card, boundary).added
    assert (smile.name, smile.method) == ("smile", "import")
    assert 0 < smile.sigma < 10
    out = tmp_path / "all.directions.safetensors"
    save_directions(direction_import.all_of(store, card), out)
    assert [direction.name for direction in load_directions(out).directions] == ["x", "y", "y 2", "smile"]
    np.save(tmp_path / "narrow.npy", np.ones((1, 12)))
    with pytest.raises(InputError, match=r"width 12; this model's w has 16"):
        direction_import.take_in(app.engine, store, card, tmp_path / "narrow.npy")
    (tmp_path / "note.txt").write_text("no")
    with pytest.raises(InputError, match="neither"):
        direction_import.take_in(app.engine, store, card, tmp_path / "note.txt")
    assert direction_import.file_name("../a b/c") == "a_b_c"
