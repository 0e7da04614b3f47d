"""Kept directions: a file each, listed for whom they belong to, known to the engine by digest."""

import os

import numpy as np
import pytest
import tiny_models
import torch

import stylegan
from explorer import context
from explorer.context import AppContext
from explorer.options import Options
from explorer.parts import Direction as Named
from explorer.parts import Edit
from explorer.recipe import Recipe, RecipeError
from stylegan.directions import Direction, DirectionSet, save_directions
from stylegan.directions.direction import unit
from stylegan.errors import InputError


def made(name, seed=0, width=16):
    return Direction(name, unit(torch.from_numpy(np.random.RandomState(seed).randn(width)), name), 0.5 + seed)


@pytest.fixture
def opened(tmp_path):
    path = tiny_models.make(tmp_path)
    save_directions(
        DirectionSet(stylegan.load(path).digest, (made("age", 9),)), tmp_path / "tiny.directions.safetensors"
    )

    def open_app(**options):
        return AppContext.open(
            Options(models=(path,), folder=tmp_path / "m", directions=tmp_path / "directions", device="cpu", **options)
        )

    return open_app


def names(app, visitor=None, key=""):
    return [direction.name for direction in app.directions(visitor, key).of(card_of(app))]


def card_of(app):
    return app.library.card(app.library.default)


def test_kept_ones_follow_those_of_the_model_and_survive_a_restart(opened):
    app = opened()
    store, card = app.directions(None, ""), card_of(app)
    for i, name in enumerate(("zebra", "apple", "mango")):
        store.keep(card, made(name, i))
        for file in (app.options.directions / "own").rglob("*.safetensors"):
            os.utime(file, ns=(0, file.stat().st_mtime_ns - 10**9))  # so that the clock's steps do not matter
    assert names(app) == ["age", "zebra", "apple", "mango"]
    assert store.keep(card, made("zebra again", 0)).name == "zebra"  # the same one
    again = opened()
    assert names(again) == ["age", "zebra", "apple", "mango"]
    digest = made("apple", 1).digest
    assert again.directions(None, "").rename(card, digest, "pear").digest == digest
    assert names(again) == ["age", "zebra", "pear", "mango"]
    assert again.library.directions(card.digest)[digest].name == "pear"
    again.directions(None, "").forget(card, digest)
    assert names(again) == ["age", "zebra", "mango"]
    with pytest.raises(InputError, match="no direction"):
        again.directions(None, "").forget(card, digest)


def test_the_engine_moves_along_whatever_anybody_keeps(opened):
    demo = opened(share=True)
    card, direction = card_of(demo), made("mine", 3)
    recipe = Recipe(card.digest, edits=(Edit(Named("mine", direction.digest), 2.0),))
    with pytest.raises(RecipeError, match="has no direction mine"):
        demo.engine.render(recipe)
    demo.directions(None, "ann").keep(card, direction)
    picture = demo.engine.render(recipe)
    assert not np.array_equal(picture, demo.engine.render(Recipe(card.digest)))
    assert names(demo, key="ann") == ["age", "mine"]
    assert names(demo, key="bob") == names(demo, "user") == names(opened()) == ["age"]
    demo.directions(None, "ann").forget(card, direction.digest)
    demo.engine.check(recipe)  # one can still undo to it


def test_what_cannot_be_kept_is_said(opened, monkeypatch):
    app = opened()
    store, card = app.directions(None, ""), card_of(app)
    with pytest.raises(InputError, match="width 12; the w of The tiny has 16"):
        store.keep(card, made("narrow", width=12))
    with pytest.raises(InputError, match="'age' already"):
        store.keep(card, made("age"))
    store.keep(card, made("mouth_open", 5))
    with pytest.raises(InputError, match="'mouth open' already"):  # on pages they are one name
        store.keep(card, made("mouth open", 6))
    assert store.rename(card, made("mouth_open", 5).digest, "mouth open").name == "mouth open"
    store.forget(card, made("mouth_open", 5).digest)
    assert store.free_name(card, "age") == "age 2"
    assert len(store.free_name(card, "age")) <= 64
    with pytest.raises(InputError, match="belongs to the file beside the model"):
        store.forget(card, made("age", 9).digest)
    for digest in ("../../x", "", None, "zz" * 16):
        with pytest.raises(InputError, match="digest"):
            store.forget(card, digest)
    store.keep(card, made("one", 1))
    with pytest.raises(InputError, match="1 to 64 printable"):
        store.rename(card, made("one", 1).digest, "")
    monkeypatch.setattr(context, "VISITOR_DIRECTIONS", 1)
    visitor = opened(share=True).directions(None, "ann")
    visitor.keep(card, made("one", 1))
    with pytest.raises(InputError, match="At most 1"):
        visitor.keep(card, made("two", 2))
    assert store.named(card, "one").digest == store.named(card, made("one", 1).digest).digest
    with pytest.raises(InputError, match="no direction 'two'; there are: age, one"):
        store.named(card, "two")


def test_damaged_files_are_passed_over(opened):
    app = opened()
    store, card = app.directions(None, ""), card_of(app)
    store.keep(card, made("good", 1))
    store.keep(card, made("bad", 2))
    (file,) = (app.options.directions / "own").rglob(f"{made('bad', 2).digest}*")
    file.write_bytes(b"nonsense")
    file.with_name(f"{'ab' * 16}.directions.safetensors").write_bytes(
        file.with_name(f"{made('good', 1).digest}.directions.safetensors").read_bytes()
    )
    assert names(app) == names(opened()) == ["age", "good"]


def test_a_demo_forgets_the_visitors_of_longest_ago_and_never_the_owner(opened, monkeypatch):
    monkeypatch.setattr(context, "VISITORS", 1)
    owner, demo = opened(), opened(share=True)
    card = card_of(demo)
    owner.directions(None, "").keep(card, made("mine", 7))
    for i, key in enumerate("ab"):
        demo.directions(None, key).keep(card, made("it", i))
        for folder in (demo.options.directions / "visitors").iterdir():
            os.utime(folder, (0, folder.stat().st_mtime - 10))
    demo.make_room()
    assert [names(demo, key=key) for key in "ab"] == [["age"], ["age", "it"]]
    assert names(owner) == ["age", "mine"]
