"""The Truncation tab in a real browser: seeds × ψ."""

import json

import numpy as np
import pytest
from steps import pixels, recipe, until


@pytest.fixture
def page(visit):
    page = visit("?seed=5&psi=0.3")
    page.get_by_role("tab", name="Truncation").click()
    return page


def figure(page, count):
    """Wait until the sheet has so many cells and is painted; (source, ψ) of each."""
    page.wait_for_function(
        """(count) => {
            const cells = [...document.querySelectorAll('#psi-sheet .cell')];
            return cells.length === count && cells.every((cell) => cell.dataset.drawn === cell.dataset.recipe);
        }""",
        arg=count,
    )
    texts = page.evaluate("[...document.querySelectorAll('#psi-sheet .cell')].map((cell) => cell.dataset.recipe)")
    recipes = [json.loads(text) for text in texts]
    return [(one.get("source", 0), one.get("psi", 0.7)) for one in recipes]


def field(page, name):
    return page.locator(f"#{name}").get_by_role("textbox")


def test_the_figure_a_click_and_other_seeds_and_values(page, served):
    cells = figure(page, 30)
    assert cells == [(seed, psi) for seed in range(5) for psi in (1, 0.7, 0.5, 0, -0.5, -1)]
    page.get_by_role("group", name="Rows are seeds").get_by_label("seed 3, ψ −0.5").click()
    until(page, "recipe.psi === -0.5 && recipe.source === 3")
    assert np.array_equal(pixels(page), served.app.engine.render(recipe(page)))
    page.locator("body").press("z")
    until(page, "recipe.psi === 0.3 && recipe.source === 5")
    field(page, "psi-seeds").fill("91,388")
    field(page, "psi-list").fill("2, -2, 0.25")
    page.keyboard.press("Enter")
    assert figure(page, 6) == [(seed, psi) for seed in (91, 388) for psi in (2, -2, 0.25)]


def test_bad_input_is_told_and_nothing_is_lost(page):
    figure(page, 30)
    for name, text, words in (
        ("psi-seeds", "0-24", "at most 24 seeds"),
        ("psi-seeds", "five", "seeds are typed like"),
        ("psi-list", "NaN", "numbers are typed like"),
        ("psi-list", "99", "ψ is a number from -10 to 10"),
        ("psi-list", "", "type 1 to 12 numbers"),
    ):
        before = field(page, name).input_value()
        field(page, name).fill(text)
        page.keyboard.press("Enter")
        page.get_by_text(words).first.wait_for()
        field(page, name).fill(before)
    figure(page, 30)


def test_on_a_phone_nothing_of_the_figures_is_cut(visit):
    page = visit(width=390, height=844)
    for name, cells in (("Mix", "#matrix"), ("Noise", "#noise-drawn"), ("Truncation", "#psi-sheet")):
        tab = page.get_by_role("tab", name=name)
        if not tab.is_visible():  # the last tabs stand in a menu
            page.locator(".overflow-menu button").first.click()
            tab = page.locator(".overflow-dropdown").get_by_text(name)
        tab.click()
        page.wait_for_function(f"document.querySelector('{cells} .cell[data-drawn]')?.offsetParent")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
