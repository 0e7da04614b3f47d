"""Fits in a browser: to attributes, to files of scores, to one's own labels; progress, cancel, strips that follow."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from app_server import Served, serve
from steps import until

from stylegan.directions import AttributeScorer, save_scorer
from stylegan.directions.attribute_net import AttributeNet, ScorerConfig
from stylegan.directions.targets import Target

TARGETS = (Target("mouth_open", "continuous"), Target("age", "continuous"), Target("worn", "continuous"))
LOOKED = "document.querySelectorAll('#find .card.looked').length"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The app with an attribute scorer beside its first model, which reads two of three attributes well."""
    folder: Path = tmp_path_factory.mktemp("app")
    net = AttributeNet(ScorerConfig(TARGETS, 32, (4, 4, 4, 4))).eval().requires_grad_(False)
    quality = {"mouth_open": {"r2": 0.9}, "age": {"r2": 0.8}, "worn": {"r2": 0.1}}
    save_scorer(AttributeScorer(net, quality), folder / "plain.attributes.safetensors")
    with serve(folder) as server:
        yield server


@pytest.fixture
def page(visit, served):
    page = visit(url=served.url)
    page.get_by_role("tab", name="Directions", exact=True).click()
    return open_(page, "Fit")


def open_(page, part):
    page.get_by_role("tab", name=part, exact=True).click()
    return page


def choose(page, text):
    page.locator("#find").get_by_role("button", name=text, exact=True).click()


def send(page, box, rows):
    page.locator(f"{box} [type=file]").set_input_files(
        {"name": "mine.csv", "mimeType": "text/csv", "buffer": "\n".join(rows).encode()}
    )


def test_attributes_are_fitted_named_in_words_and_read_when_steered(page):
    chips = page.locator("#find .names button").all_text_contents()
    assert chips == ["mouth open", "age", "worn", "all"]
    assert "reads it badly" in page.locator("#find .names button").nth(2).get_attribute("title")
    choose(page, "age")
    page.locator("#find [data-count]").fill("300")
    page.locator("#find [data-go]").click()
    page.wait_for_function(f"{LOOKED} === 2")
    card = page.locator("#find .card").first
    assert card.get_by_label("Name of the direction").input_value() == "mouth open"
    strip = card.locator("img").first.get_attribute("src")
    page.evaluate("explorer.edit('seed', 5)")
    until(page, "recipe.source === 5")
    page.wait_for_function("(old) => document.querySelector('#find .card img').src !== old", arg=strip)  # it follows
    card.get_by_role("button", name="Keep").click()
    card.get_by_role("button", name="steer along it").click()
    page.locator("#steer").get_by_label("mouth open", exact=True).fill("3")
    until(page, "recipe.edits?.[0].direction.name === 'mouth open'")
    page.wait_for_function("/σ/.test(document.querySelector('#steer .row .reading:not(.none)')?.textContent)")
    open_(page, "Fit")
    page.locator("#find [data-go]").click()
    page.wait_for_function("document.querySelector('#find .card input')?.value === 'mouth open 2'")  # the name is taken


def test_a_fit_tells_how_far_it_is_and_can_be_cancelled(page):
    page.locator("#find [data-count]").fill("50000")
    page.locator("#find [data-go]").click()
    page.wait_for_function(
        "/^sampling, [1-9][0-9]* of 50000, [0-9]+ s left$/.test(document.querySelector('#find .told').textContent)"
    )
    assert page.locator("#find [data-go]").text_content() == "Cancel"
    assert 0 < page.locator("#find progress").evaluate("(bar) => bar.value") < 1
    page.locator("#find [data-go]").click()
    page.wait_for_function("document.querySelector('#find .told').textContent === 'Cancelled.'")
    assert page.locator("#find [data-go]").text_content() == "Find"
    assert page.locator("#find .card").count() == 0


def test_scores_in_a_file_and_labels_of_ones_own(page, served):
    pool = served.app.finder.pool(served.app.library.default, None)
    along = pool.w.numpy()[:, 3]
    send(page, "#find", [f"{seed},{value:.5f}" for seed, value in zip(pool.seeds[:300], along, strict=False)])
    page.wait_for_function("document.querySelector('#find .about').textContent === 'mine.csv, 300 lines.'")
    choose(page, "Ridge regression")
    page.locator("#find [data-go]").click()
    page.wait_for_function(f"{LOOKED} === 1")
    assert "R²" in page.locator("#find .card table").text_content()
    assert follows(page, served, "mine", pool, along) > 0.97
    open_(page, "Teach")
    page.wait_for_function("document.querySelectorAll('#teach .line button').length === 24")
    labels = [f"{seed},{int(value > along.mean())}" for seed, value in zip(pool.seeds[:120], along, strict=False)]
    send(page, "#teach", ["seed,bright", *labels])
    page.wait_for_selector("#teach .card.looked")
    open_(page, "Fit")
    choose(page, "My labels")
    assert "Your 120 labels" in page.locator("#find .about").text_content()
    choose(page, "Linear SVM")
    page.locator("#find [data-go]").click()
    page.wait_for_function(f"{LOOKED} === 1 && /120 samples/.test(document.querySelector('#find .card').textContent)")
    assert follows(page, served, "bright", pool, along) > 0.8


def follows(page, served, name, pool, along):
    """Keep the direction that was found; its correlation with what it was fitted to."""
    card = page.locator("#find .card").first
    assert card.get_by_label("Name of the direction").input_value() == name
    card.get_by_role("button", name="Keep").click()
    card.get_by_role("button", name="steer along it").wait_for()
    app = served.app
    found = app.directions(None, "").named(app.library.card(app.library.default), name)
    return np.corrcoef(found.place(pool.w), along)[0, 1]
