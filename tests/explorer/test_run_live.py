"""Live pictures of a snapshot: those that the engine makes of the same recipes."""

from dataclasses import replace

import numpy as np
import pytest
import tiny_models

from explorer import run_live
from explorer.adapt import adapted, fresh
from explorer.engine import Engine
from explorer.library import Library
from explorer.parts import Mix
from explorer.values import RecipeError


@pytest.fixture
def shown(tmp_path):
    """`shown(seeds, psi, recipe)` of a snapshot beside a library with another model; and that library."""
    library = Library([tiny_models.make(tmp_path, "stage")])
    engine, path = Engine(library, 16), tiny_models.make(tmp_path, "snapshot", seed=1)

    def show(seeds, psi=0.7, recipe=None):
        recipe = recipe or fresh(library.card(library.default))
        return run_live.pictures(engine, library, path, seeds, psi, recipe, "someone")

    show.library, show.engine = library, engine
    return show


def test_seeds_are_what_explore_makes_of_them(shown):
    found = shown([0, 3, 4, 5, 9], 0.5)
    assert found.sheet.shape == (2 * 16, 4 * 16, 3)
    assert found.columns == 4
    assert [recipe.source for recipe in found.recipes] == [0, 3, 4, 5, 9]
    assert {recipe.psi for recipe in found.recipes} == {0.5}
    last = shown.engine.render(found.recipes[4])
    assert np.array_equal(found.sheet[16:32, :16], last)
    assert not np.array_equal(found.sheet[16:32, 16:32], last)  # a gap
    assert len(shown.library.cards()) == 1  # a glance


def test_without_seeds_the_picture_of_the_stage_is_drawn_by_the_snapshot(shown):
    recipe = replace(fresh(shown.library.card(shown.library.default)), source=7, mixes=(Mix(8, ((4, 1.0),)),), psi=0.9)
    found = shown([], recipe=recipe)
    (kept,) = found.recipes
    assert kept == adapted(recipe, shown.library.card(kept.model))
    assert kept.mixes == recipe.mixes
    assert kept.model != recipe.model
    assert np.array_equal(found.sheet, shown.engine.render(kept))


def test_wrong_numbers(shown):
    with pytest.raises(RecipeError, match="ψ"):
        shown([0], 99.0)
    with pytest.raises(RecipeError):
        shown([-1])
