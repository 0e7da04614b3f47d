"""Keys from all over the page: what Explore, Mix, Directions and the gallery show becomes keys of one film."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch
from app_server import Served, serve
from steps import recipe, said, settled, until

import stylegan
from explorer import film_file
from explorer.film import DirectionSweep, Film
from stylegan.directions import Direction, DirectionSet, save_directions
from stylegan.directions.direction import unit


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The app with two directions beside its first model."""
    folder = tmp_path_factory.mktemp("app")
    with serve(folder) as server:
        path = folder / "plain.safetensors"
        v = np.linalg.qr(np.random.RandomState(0).randn(16, 2))[0].T
        made = (
            Direction(name, unit(torch.from_numpy(w), name), 1.0) for name, w in zip(("age", "smile"), v, strict=True)
        )
        save_directions(DirectionSet(stylegan.load(path).digest, tuple(made)), folder / "plain.directions.safetensors")
        server.app.library.refresh()
        yield server


def field(page, name):
    return page.locator(f"#film [name={name}]")


def written(page):
    """The film in the tab, saved as JSON."""
    with page.expect_download() as download:
        page.locator("#film [data-act=write]").click()
    return Film.from_json(download.value.path().read_text())


def test_pictures_of_all_tabs_become_keys(visit, served):
    page = visit("?seed=5&psi=0.6", url=served.url)
    settled(page, 1)
    made = [recipe(page)]
    page.keyboard.press("k")
    said(page, "Kept in the gallery.")
    page.locator("#stage [data-tool=film]").click()  # Explore, before the tab is ever opened
    said(page, "Key 1 of the film.")
    page.get_by_role("tab", name="Mix").click()
    page.locator("#mixer .choose button", has_text="coarse").click()
    made.append(until(page, "recipe.mixes?.length === 1"))
    page.locator("body").press("f")
    said(page, "Key 2 of the film.")
    page.get_by_role("tab", name="Directions", exact=True).click()
    page.locator("#steer").get_by_label("smile", exact=True).fill("2")
    made.append(until(page, "recipe.edits?.length === 1"))
    page.keyboard.press("Escape")
    page.locator("#stage [data-tool=film]").click()
    said(page, "Key 3 of the film.")
    page.get_by_role("tab", name="Film").click()
    page.wait_for_function("document.querySelectorAll('#film .key').length === 3")
    field(page, "seeds").fill("8")
    page.locator("#film [data-act=seeds]").click()
    page.wait_for_function("document.querySelectorAll('#film .key').length === 4")
    made.append(replace(made[2], source=8))
    page.get_by_text("Kept pictures: a click makes one a key").or_(page.get_by_text("Kept pictures")).first.click()
    page.locator("#film-kept .cell[data-drawn]").click()
    page.wait_for_function("document.querySelectorAll('#film .key').length === 5")
    made.append(made[0])
    page.get_by_role("tab", name="Gallery").click()
    page.locator("#gallery .cell[data-drawn]").click()
    until(page, "!recipe.edits && !recipe.mixes")
    page.locator("#stage [data-tool=film]").click()  # with the tab open
    said(page, "Key 6 of the film.")
    made.append(made[0])
    page.get_by_role("tab", name="Film").click()
    assert [key.recipe for key in written(page).keys] == made
    page.wait_for_function("[...document.querySelectorAll('#film .key canvas')].every((one) => one.width > 1)")


def test_a_sweep_along_the_direction_that_the_picture_is_steered_along(visit, served):
    page = visit("?seed=3", url=served.url)
    page.get_by_role("tab", name="Directions", exact=True).click()
    page.locator("#steer").get_by_label("smile", exact=True).fill("1")
    start = until(page, "recipe.edits?.length === 1")
    page.get_by_role("tab", name="Film").click()
    page.wait_for_function("document.querySelector('#film [name=direction]').options.length === 2")
    field(page, "kind").select_option("direction")
    field(page, "step").fill("0.4")
    field(page, "step").blur()
    page.wait_for_function("document.querySelector('#film .facts').textContent.startsWith('10 frames')")
    page.locator("#film [data-act=make]").click()
    page.locator("#film .job.done .save").wait_for()
    with page.expect_download() as download:
        page.locator("#film .job .save").click()
    film = film_file.read(download.value.path().read_bytes())
    assert film.sweep == DirectionSweep(start.edits[0].direction, -3, 3)
    assert [key.recipe for key in film.keys] == [start]


def test_keys_of_two_models_are_refused_in_one_sentence(visit, served):
    page = visit("?seed=3", url=served.url)
    page.get_by_role("tab", name="Film").click()
    page.locator("#film [data-act=add]").click()
    page.get_by_label("Model").click()
    page.get_by_role("option", name="The classes").click()
    until(page, f"recipe.model === '{served.app.library.cards()[1].digest}'")
    page.locator("#film [data-act=add]").click()
    page.wait_for_function(
        "document.querySelector('#film .wrong').textContent.includes('a film stays with one of them')"
    )
