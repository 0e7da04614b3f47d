"""The Mix tab in a real browser: the mix on the stage, the strip, the matrix, seeds picked from pictures."""

import json

import numpy as np
import pytest
from steps import control, pixels, recipe, said, settled, shows, until

from explorer.recipe import Mix

COARSE = tuple((layer, 1.0) for layer in range(4))


@pytest.fixture
def mix(visit):
    """A page with the tab open and its figures asked for."""

    def open_(query: str = "?seed=5", **size):
        page = visit(query, **size)
        page.get_by_role("tab", name="Mix").click()
        figure(page, 4, 7)
        return page

    return open_


def figure(page, rows, columns):
    """Wait until the matrix has this size and is painted; what its cells show."""
    page.wait_for_function(
        """(count) => {
            const cells = [...document.querySelectorAll('#matrix .cell')];
            return cells.length === count && cells.slice(1).every((cell) => cell.dataset.drawn === cell.dataset.recipe);
        }""",
        arg=rows * columns,
    )
    return [
        json.loads(text) if text else None
        for text in page.evaluate("[...document.querySelectorAll('#matrix .cell')].map((cell) => cell.dataset.recipe)")
    ]


def source(data):
    return data.get("source", 0)


def layers(page):
    return page.evaluate(
        "[...document.querySelectorAll('#mixer .ticks button')].flatMap((b, i) => b.ariaPressed === 'true' ? [i] : [])"
    )


def test_opening_leaves_the_picture_and_what_the_hand_sets_shows_in_it(mix, served):
    page = mix()
    cells = figure(page, 4, 7)
    assert cells[0] is None
    assert [source(cell) for cell in cells[1:7]] == [3, 4, 5, 6, 7, 8]
    assert [source(cells[i]) for i in (7, 14, 21)] == [0, 1, 2]
    assert cells[8]["mixes"] == [{"source": 3, "layers": [[layer, 1] for layer in range(4)]}]
    assert recipe(page).mixes == ()
    assert page.locator("#mix-strip .cell").all_inner_texts() == ["A", "coarse", "middle", "B"]
    assert page.get_by_role("button", name="fine", exact=True).is_disabled()
    assert page.locator("#mix-note").inner_text() == "This model ends at 16²: it has no fine layers."
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("button", name="In picture").click()
    assert until(page, "recipe.mixes").mixes == (Mix(1, COARSE),)
    assert np.array_equal(pixels(page), served.app.engine.render(recipe(page)))
    control(page, "mix-seed").fill("77")
    until(page, "recipe.mixes[0].source === 77")
    page.get_by_role("button", name="middle", exact=True).click()
    assert until(page, "recipe.mixes[0].layers.length === 2").mixes == (Mix(77, ((4, 1.0), (5, 1.0))),)
    page.get_by_title("Layer 0 at 4²").click()
    control(page, "mix-amount").fill("40")
    until(page, "recipe.mixes[0].layers.length === 3 && recipe.mixes[0].layers[0][1] === 0.4")
    page.get_by_text("Amount per layer", exact=True).click()
    page.get_by_label("Amount, layer 4 at 16²").fill("0.9")
    assert until(page, "recipe.mixes[0].layers[1][1] === 0.9").mixes == (Mix(77, ((0, 0.4), (4, 0.9), (5, 0.4))),)
    assert np.array_equal(pixels(page), served.app.engine.render(recipe(page)))
    page.get_by_label("From layer").fill("2")
    until(page, "JSON.stringify(recipe.mixes[0].layers.map((pair) => pair[0])) === '[2,3,4,5]'")
    page.get_by_label("To layer").fill("3")
    until(page, "JSON.stringify(recipe.mixes[0].layers.map((pair) => pair[0])) === '[2,3]'")
    page.get_by_role("button", name="In picture").click()
    until(page, "!recipe.mixes")
    assert layers(page) == [2, 3]  # kept for the next time


def test_a_click_in_the_matrix_is_the_picture_and_the_matrix_follows_the_picture(mix, served):
    page = mix()
    settled(page, 1)
    page.get_by_role("group", name="Mixes").get_by_label("A 2 + B 6").click()
    until(page, "recipe.mixes")
    settled(page, 2)
    assert (recipe(page).source, recipe(page).mixes) == (2, (Mix(6, COARSE),))
    shows(page, "mix-seed", 6)
    assert np.array_equal(pixels(page), served.app.engine.render(recipe(page)))
    page.locator("body").press("z")
    until(page, "!recipe.mixes")
    assert recipe(page).source == 5
    page.get_by_role("tab", name="Explore").click()
    shows(page, "seed", 5)
    page.get_by_role("tab", name="Mix").click()
    control(page, "mix-amount").fill("50")
    page.get_by_role("button", name="all", exact=True).click()
    page.locator("body").press("ArrowUp")
    page.wait_for_function(
        """[...document.querySelectorAll('#matrix .cell')].slice(8, 14).every((cell) => {
            const { psi, mixes: [mix] } = JSON.parse(cell.dataset.drawn);
            return psi === 0.75 && mix.layers.length === 6 && mix.layers.every((pair) => pair[1] === 0.5);
        })"""
    )


def test_typed_and_picked_seeds(mix):
    page = mix()
    page.locator("#mix-rows").get_by_role("textbox").fill("9")
    page.locator("#mix-columns").get_by_role("textbox").fill("1,4-5")
    page.keyboard.press("Enter")
    cells = figure(page, 2, 4)
    assert ([source(cell) for cell in cells[1:4]], source(cells[4])) == ([1, 4, 5], 9)
    page.get_by_text("Pick seeds", exact=True).click()
    page.get_by_role("group", name="Pictures to pick").get_by_label("seed 12").click()
    figure(page, 3, 4)
    assert page.locator("#mix-rows").get_by_role("textbox").input_value() == "9,12"
    page.locator("#mix-target").get_by_label("columns").check()
    page.get_by_role("group", name="Pictures to pick").get_by_label("seed 4", exact=True).click()
    assert [source(cell) for cell in figure(page, 3, 3)[1:3]] == [1, 5]
    assert recipe(page).source == 5


def test_bad_input_is_told_and_nothing_is_lost(mix):
    page = mix()
    control(page, "mix-seed").fill("99999999999")
    said(page, "A seed is a whole number")
    shows(page, "mix-seed", 1)
    for text, words in (("0-99", "at most 12 seeds"), ("a<b>", "seeds are typed like 0-3,8")):
        page.locator("#mix-rows").get_by_role("textbox").fill(text)
        page.keyboard.press("Enter")
        page.get_by_text(words).first.wait_for()
    figure(page, 4, 7)
    for value in (
        "null",
        "{b: 1}",
        "{b: 'x', amounts: [[0, 1]]}",
        "{b: 1, amounts: [[40, 1]]}",
        "{b: 1, amounts: [[0, 7]]}",
    ):
        page.evaluate(f"explorer.error(''); explorer.edit('mix', {value})")
        page.wait_for_function("explorer.idle() && document.querySelector('#stage .error').textContent")
    assert recipe(page).mixes == ()
