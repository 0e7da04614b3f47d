"""The Noise tab in a real browser: layers and groups, what each counts, figures 4 and 5."""

import json
import threading

import numpy as np
import pytest
import tiny_models
from app_server import serve
from steps import pixels, recipe, said, until

from explorer import stochastic
from explorer.recipe import Noise


@pytest.fixture
def noise(visit):
    """A page with the tab open and its figures painted."""

    def open_(query: str = "?seed=5", **more):
        page = visit(query, **more)
        page.get_by_role("tab", name="Noise").click()
        page.wait_for_function("document.querySelectorAll('#noise-drawn .cell[data-drawn]').length === 8")
        return page

    return open_


def row(page, name):
    return page.get_by_role("group", name=name, exact=True)


def test_layers_groups_and_what_they_count(noise, served):
    page = noise()
    row(page, "Layer 2 at 8²").get_by_title("draw anew").click()
    now = until(page, "recipe.noise").noise
    assert [layer for layer, _ in now.seeds] == [2]
    row(page, "Layer 2 at 8²").get_by_role("textbox").fill("123")
    page.keyboard.press("Enter")
    assert until(page, "recipe.noise.seeds[0][1] === 123").noise == Noise(seeds=((2, 123),))
    row(page, "The middle layers").get_by_role("slider").fill("2.5")
    assert until(page, "recipe.noise.strengths").noise.strengths == ((4, 2.5), (5, 2.5))
    row(page, "Layer 4 at 16²").get_by_role("checkbox").uncheck()
    assert until(page, "recipe.noise.strengths[0][1] === 0").noise.strengths == ((4, 0.0), (5, 2.5))
    assert np.array_equal(pixels(page), served.app.engine.render(recipe(page)))
    page.wait_for_function("document.querySelector('#noise .row').querySelector('[type=checkbox]').indeterminate")
    row(page, "Layer 4 at 16²").get_by_role("checkbox").check()
    until(page, "recipe.noise.strengths[0][1] === 2.5")
    row(page, "All layers").get_by_title("draw anew").click()
    drawn = until(page, "recipe.noise.seeds.length === 6").noise
    assert len({seed for _, seed in drawn.seeds}) == 1
    row(page, "Layer 2 at 8²").get_by_role("textbox").fill("")
    page.keyboard.press("Enter")
    assert 2 not in dict(until(page, "recipe.noise.seeds.length === 5").noise.seeds)
    page.get_by_role("button", name="Reset all").click()
    assert until(page, "!recipe.noise").noise == Noise()
    page.wait_for_function(
        "[...document.querySelectorAll('#noise .row input[type=range]')].every((one) => one.value === '1')"
    )
    how_much_each_layer_counts_is_measured(page, served)


def how_much_each_layer_counts_is_measured(page, served):
    words = "[...document.querySelectorAll('#noise .row:not(.group) .change b')].map((bar) => bar.textContent)"
    page.wait_for_function(f"!document.querySelector('#noise .stale') && {words}.every(Boolean)")
    records = stochastic.influences(served.app.engine, recipe(page), 3)
    changes = [change for _, change in sorted((record.layer, record.change) for record in records)]
    for text, change in zip(page.evaluate(words), changes, strict=True):
        assert float(text) == pytest.approx(change, abs=0.06)
    row(page, "Layer 3 at 8²").get_by_role("checkbox").uncheck()
    until(page, "recipe.noise")
    page.wait_for_function(f"{words}[3] === 'none'")  # measured again, and dead


def test_realisations_their_spread_and_cancelling(noise, served, monkeypatch):
    page = noise()
    recipes = page.evaluate("[...document.querySelectorAll('#noise-drawn .cell')].map((cell) => cell.dataset.recipe)")
    assert [json.loads(text)["noise"] for text in recipes[1:]] == [{"mode": "random", "seed": n} for n in range(1, 8)]
    page.locator("#spread input").fill("12")
    page.get_by_role("button", name="Draw").click()
    page.get_by_text("over 12 pictures").wait_for()
    *_, last = stochastic.realisations(served.app.engine, recipe(page), 12)
    assert np.array_equal(pixels(page, "#spread canvas"), stochastic.heat_map(last.std))
    page.locator("#noise-parts .cell").nth(1).click()
    until(page, "recipe.noise.strengths.length === 6")
    page.get_by_text("of an earlier picture").wait_for()
    made, over = served.app.engine.pictures, threading.Event()

    def slow(recipes, visitor=None):
        for index, picture in made(recipes, visitor):
            over.wait(0.05)
            yield index, picture

    monkeypatch.setattr(served.app.engine, "pictures", slow)
    page.locator("#spread input").fill("100")
    page.get_by_role("button", name="Draw").click()
    page.get_by_text(" of 100").wait_for()
    page.locator("#spread").get_by_role("button", name="Cancel").click()
    page.wait_for_function("/over [0-9]+ pictures/.test(document.querySelector('#spread .told').textContent)")
    assert "100" not in page.locator("#spread .told").first.inner_text()
    over.set()


def test_bad_input_is_told_and_nothing_is_lost(noise):
    page = noise()
    for text in ("x", "1.5", "-4", "9999999999"):
        page.evaluate("explorer.error('')")
        row(page, "Layer 1 at 4²").get_by_role("textbox").fill(text)
        page.keyboard.press("Enter")
        said(page, "seed is a whole number")
        page.wait_for_function(
            "explorer.idle() && document.querySelectorAll('#noise .row input[type=text]')[3].value === ''"
        )
    for count in ("1", "101", "1e9", ""):
        page.evaluate("explorer.error('')")
        page.locator("#spread input").fill(count)
        page.get_by_role("button", name="Draw").click()
        said(page, "The heat map is over 2 to 100 pictures.")
    for value in ("null", "{layers: []}", "{layers: [0]}", "{layers: [0], strength: 99}", "{layers: [30], seed: 1}"):
        page.evaluate(f"explorer.error(''); explorer.edit('noise', {value})")
        page.wait_for_function("explorer.idle() && document.querySelector('#stage .error').textContent")
    assert recipe(page).noise == Noise()


def test_models_without_noise_and_with_few_layers(visit, tmp_path):
    silent = tiny_models.make(tmp_path, "silent", use_noise=False)
    small = tiny_models.make(tmp_path, "small", resolution=8)
    with serve(tmp_path, models=(silent, small)) as served:
        page = visit(url=served.url)
        page.get_by_role("tab", name="Noise").click()
        page.get_by_text("This model has no noise inputs, so there is nothing to redraw.").wait_for()
        assert not page.locator("#spread").is_visible()
        assert page.locator("#noise .row").count() == 0
        second = served.app.library.cards()[1].digest
        page.evaluate(f"explorer.edit('model', '{second}')")
        page.wait_for_function("document.querySelectorAll('#noise .row').length === 6")  # all, coarse and 4 layers
        page.get_by_text("a model of 8² has no fine layers").wait_for()
        page.get_by_role("tab", name="Mix").click()
        page.get_by_text("This model ends at 8²: it has no middle or fine layers.").wait_for()
        page.wait_for_function("document.querySelectorAll('#mix-strip .cell[data-drawn]').length === 3")
        page.evaluate(f"explorer.edit('model', '{served.app.library.default}')")
        page.wait_for_function("document.querySelectorAll('#mixer .ticks button').length === 6")
        page.context.close()  # before the app that it asks
