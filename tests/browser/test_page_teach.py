"""Finding directions in a browser: from labels to a kept slider that moves the picture; fits; components; bad input."""

import numpy as np
import pytest
from steps import pixels, recipe, until

from stylegan.directions import principal_components

DRAWN = "document.querySelectorAll('#teach .line button').length === 24"


@pytest.fixture
def open_(visit):
    def open_(part, page=None):
        page = page or visit()
        page.get_by_role("tab", name="Directions", exact=True).click()
        page.get_by_role("tab", name=part, exact=True).click()
        return page

    return open_


def said(page, words):
    page.wait_for_function("(words) => document.querySelector('#stage .error').textContent.includes(words)", arg=words)


@pytest.fixture(scope="module")
def truth(served):
    """What is so: whether a seed lies on the far side of the mean along the first principal component of W."""
    pool = served.app.finder.pool(served.app.library.default, None)
    (along,) = principal_components(pool.w, 1)
    return dict(zip(pool.seeds, (along.place(pool.w) > 0).tolist(), strict=True)), pool, along


def teach(page, known):
    """Label the page: one click for those that have it, two for those that clearly have not."""
    for cell in page.locator("#teach .line button").all():
        seed = int(cell.get_attribute("aria-label").split()[1].rstrip(":"))
        cell.click()
        if not known[seed]:
            cell.click()


def test_from_labels_to_a_kept_slider_that_works(open_, served, truth):
    known, pool, along = truth
    page = open_("Teach")
    page.wait_for_function(DRAWN)
    for _ in range(2):
        seeds = page.locator("#teach .line button").first.get_attribute("aria-label").split()[1]
        teach(page, known)
        page.locator("#teach [data-next]").click()
        page.wait_for_function(
            "(seed) => !document.querySelector('#teach .line button').ariaLabel.includes(seed)", arg=seeds
        )
    page.wait_for_selector("#teach .card.looked")
    assert "least sure" in page.locator("#teach .why").text_content()
    assert "of labels kept out are right" in page.locator("#teach .side .told").text_content()
    assert page.locator("#teach .chart svg").get_attribute("aria-label").endswith("after 48 labels")
    page.reload()
    page.wait_for_function("window.explorer && explorer.answered > 0 && explorer.idle()")
    open_("Teach", page)
    page.wait_for_selector("#teach .card.looked")  # labels survive
    page.locator("#teach [data-name]").fill("light")
    page.locator("#teach .card").get_by_role("button", name="Keep").click()
    page.get_by_role("button", name="steer along it").click()
    page.wait_for_selector("#steer .row")
    before = pixels(page)
    page.locator("#steer").get_by_label("light", exact=True).fill("3")
    (edit,) = until(page, "recipe.edits?.length === 1").edits
    assert (edit.direction.name, edit.strength) == ("light", 3)
    after = pixels(page)
    assert not np.array_equal(after, before)
    assert np.array_equal(after, served.app.engine.render(recipe(page)))
    vector = served.app.library.directions(recipe(page).model)[edit.direction.digest].vector
    assert np.corrcoef(pool.w @ vector, pool.w @ along.vector)[0, 1] > 0.8


def test_labels_by_keys_and_by_a_third_click(open_):
    page = open_("Teach")
    page.wait_for_function(DRAWN)
    first = page.locator("#teach .line button").first
    for label in ("yes", "no", ""):
        first.click()
        assert first.get_attribute("data-label") == label
    page.keyboard.press("ArrowRight")
    page.keyboard.press("+")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("-")
    page.wait_for_function("document.querySelector('#teach .no').textContent === '1 has not'")
    marked = "[...document.querySelectorAll('#teach .line button')].map((b) => b.dataset.label)"
    labels = page.evaluate(marked)
    assert (labels[1], labels[7], sum(map(bool, labels))) == ("yes", "no", 2)
    assert recipe(page).source == 0  # the arrows were the grid's
    page.locator("#teach [data-over]").click()
    page.wait_for_function(f"{DRAWN} && {marked}.every((label) => !label)")


def test_damaged_labels_are_told(open_):
    page = open_("Teach")
    page.wait_for_function(DRAWN)
    for text, words in (("seed,a\n1,0.5\n", "labels are rows"), ("1,nan\n", "not a finite number"), ("x", "rows seed")):
        page.locator("#teach [type=file]").set_input_files(
            {"name": "mine.csv", "mimeType": "text/csv", "buffer": text.encode()}
        )
        said(page, words)
    rows = "".join(f"{seed},1\n" for seed in range(30))
    page.locator("#teach [type=file]").set_input_files({"name": "mine.csv", "mimeType": "", "buffer": rows.encode()})
    page.wait_for_function("document.querySelector('#teach .yes').textContent === '30 have it'")
    assert page.locator("#teach .card").count() == 0


def test_a_fit_to_measures_and_to_a_damaged_table(open_):
    page = open_("Fit")
    page.locator("#find [data-count]").fill("400")
    page.locator("#find [data-go]").click()
    page.wait_for_selector("#find .card.looked")
    assert "in Z" in page.locator("#find table").text_content()
    assert "400 samples" in page.locator("#find .card").text_content()
    constant = "\n".join(f"{seed},3" for seed in range(90))
    for text, words in (("1,2\n2,nan\n", "'nan' is not a finite number"), (constant, "same for all 90")):
        page.locator("#find [type=file]").set_input_files(
            {"name": "mine.csv", "mimeType": "text/csv", "buffer": text.encode()}
        )
        page.wait_for_function("document.querySelector('#find .about').textContent.startsWith('mine.csv')")
        page.evaluate("explorer.error('')")
        page.locator("#find [data-go]").click()
        said(page, words)


def test_components_of_a_band_are_kept(open_):
    page = open_("Unsupervised")
    page.get_by_role("button", name="coarse").last.click()
    page.locator("#components [data-count]").fill("2")
    page.locator("#components [data-go]").click()
    page.wait_for_selector("#components .card.looked")
    assert page.locator("#components .card").count() == 2
    page.locator("#components .card").first.get_by_label("Name of the direction").fill("turn")
    page.locator("#components .card").first.get_by_role("button", name="Keep").click()
    page.get_by_role("button", name="steer along it").click()
    page.locator("#steer").get_by_label("turn", exact=True).fill("2")
    (edit,) = until(page, "recipe.edits?.length === 1").edits
    assert edit.layers == (0, 1, 2, 3)
