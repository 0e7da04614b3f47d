"""Sheets as recipes: which picture is where."""

import pytest

from explorer import edits, sheets
from explorer.recipe import Blend, Mix, Recipe
from explorer.values import RecipeError
from stylegan.latents import bands

RECIPE = Recipe("0123456789abcdef", 7, psi=0.5, cutoff=4, mixes=(Mix(99, ((3, 1.0),)),))
BANDS = bands(10)


def test_contact_sheet():
    sheet = sheets.contact(RECIPE, range(10, 16), 4)
    assert [recipe.source for recipe in sheet.recipes] == [10, 11, 12, 13, 14, 15]
    assert {(recipe.psi, recipe.cutoff, recipe.mixes) for recipe in sheet.recipes} == {(0.5, 4, RECIPE.mixes)}
    assert (sheet.columns, sheet.rows) == (4, 2)


def test_mixing_matrix():
    blend = Blend(1, 2, 0.5)
    sheet = sheets.mixing(RECIPE, [1, blend], [5, 6, 7], {4: 1.0, 5: 0.25})
    assert (sheet.columns, sheet.rows) == (4, 3)
    first, second, third = (sheet.recipes[i : i + 4] for i in (0, 4, 8))
    assert first[0] is None
    assert [(recipe.source, recipe.mixes) for recipe in first[1:]] == [(5, ()), (6, ()), (7, ())]
    for row, source in ((second, 1), (third, blend)):
        assert [recipe.source for recipe in row] == [source] * 4
        assert row[0].mixes == ()
        assert [recipe.mixes for recipe in row[1:]] == [(Mix(b, ((4, 1.0), (5, 0.25))),) for b in (5, 6, 7)]
    assert all(recipe.psi == 0.5 for recipe in sheet.recipes if recipe)


def test_presets():
    sheet = sheets.presets(RECIPE, 5, BANDS, 0.5)
    assert [[layer for layer, _ in recipe.mixes[0].layers] for recipe in sheet.recipes] == [*map(list, BANDS.values())]
    assert {amount for recipe in sheet.recipes for _, amount in recipe.mixes[0].layers} == {0.5}
    assert sheets.presets(RECIPE, 5, bands(8)).recipes[2] is None  # nothing is fine in a 32² model


def test_truncation():
    own = edits.with_layer_psi(RECIPE, [1], 0.9)
    sheet = sheets.truncation(own, [91, 388])
    assert sheet.columns == 6
    assert [recipe.source for recipe in sheet.recipes] == [91] * 6 + [388] * 6
    assert [recipe.psi for recipe in sheet.recipes] == [1, 0.7, 0.5, 0, -0.5, -1] * 2
    assert {recipe.psi_of(layer) for recipe in sheet.recipes[5::6] for layer in range(10)} == {-1}


def test_noise_parts():
    everything, nothing, fine, coarser = sheets.noise_parts(edits.noise_off(RECIPE, [0, 9]), BANDS).recipes
    for recipe, on in ((everything, range(10)), (nothing, ()), (fine, (8, 9)), (coarser, range(8))):
        assert [layer for layer in range(10) if recipe.noise.strength_of(layer)] == list(on)


def test_what_is_at_a_point():
    sheet = sheets.contact(RECIPE, range(5), 3)  # cells of 10 with 2 between: 0-9, 12-21, 24-33
    assert sheet.at(0, 0, 10, 2) == sheet.recipes[0]
    assert sheet.at(21.9, 9.9, 10, 2) == sheet.recipes[1]
    assert sheet.at(12, 12, 10, 2) == sheet.recipes[4]
    for point in ((10.5, 0), (0, 11), (24, 12), (36, 0), (0, 24), (-1, 0), (0, -1)):
        assert sheet.at(*point, 10, 2) is None


def test_sheets_have_an_end():
    for make in (
        lambda: sheets.contact(RECIPE, range(401), 20),
        lambda: sheets.contact(RECIPE, [], 20),
        lambda: sheets.mixing(RECIPE, range(20), range(20), {0: 1.0}),
        lambda: sheets.truncation(RECIPE, range(100)),
    ):
        with pytest.raises(RecipeError, match="1 to 400 pictures"):
            make()
