"""The Directions tab in a browser: sliders of the model's directions move the picture, with locks and layers."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from app_server import Served, serve
from steps import pixels, recipe, until

import stylegan
from stylegan.directions import Direction, DirectionSet, save_directions
from stylegan.directions.direction import unit


def made(name, seed, **more):
    return Direction(name, unit(torch.from_numpy(np.random.RandomState(seed).randn(16)), name), 1.0 + seed, **more)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The app with three directions beside its first model."""
    folder: Path = tmp_path_factory.mktemp("app")
    with serve(folder) as server:
        path = folder / "plain.safetensors"
        found = (made("smile", 0), made("age", 1), made("glasses", 2, layers=(0, 1)))
        save_directions(DirectionSet(stylegan.load(path).digest, found), folder / "plain.directions.safetensors")
        server.app.library.refresh()
        yield server


@pytest.fixture
def page(visit, served):
    page = visit(url=served.url)
    page.get_by_role("tab", name="Directions", exact=True).click()
    page.wait_for_selector("#steer .row")
    return page


def slide(page, name, value):
    page.locator("#steer").get_by_label(name, exact=True).fill(str(value))


def test_sliders_move_the_picture_and_follow_it(page):
    assert page.locator("#steer .name").all_text_contents() == ["smile", "age", "glasses"]
    before = pixels(page)
    slide(page, "smile", 2.5)
    (edit,) = until(page, "recipe.edits?.length === 1").edits
    assert (edit.direction.name, edit.strength, edit.layers, edit.locks) == ("smile", 2.5, None, ())
    assert not np.array_equal(pixels(page), before)
    slide(page, "glasses", -1)
    edits = until(page, "recipe.edits?.length === 2").edits
    assert edits[1].layers == (0, 1)  # where it is meant to act
    page.wait_for_function("document.querySelectorAll('#steps .cell').length >= 2")
    page.keyboard.press("Escape")
    page.evaluate("explorer.tools.undo()")
    until(page, "(recipe.edits ?? []).length <= 1")
    page.wait_for_function("document.querySelector('#steer [aria-label=glasses]').value === '0'")


def test_a_locked_direction_is_held_still_by_the_others(page):
    slide(page, "smile", 2)
    until(page, "recipe.edits?.length === 1")
    page.locator("#steer .row").nth(1).locator(".lock").click()
    (edit,) = until(page, "recipe.edits?.[0].locks?.length === 1").edits
    assert [lock.name for lock in edit.locks] == ["age"]
    slide(page, "glasses", 1)
    edits = until(page, "recipe.edits?.length === 2").edits
    assert [lock.name for lock in edits[1].locks] == ["age"]
    page.locator("#steer .row").nth(1).locator(".lock").click()
    assert all(not edit.locks for edit in until(page, "recipe.edits?.every((edit) => !edit.locks)").edits)


def test_another_model_has_other_directions(page):
    page.get_by_label("Model").click()
    page.get_by_role("option", name="The classes").click()
    page.wait_for_function("!document.querySelector('#steer .row')")
    assert "no directions yet" in page.locator("#steer .note").text_content()
    assert recipe(page).edits == ()


def test_programs_steer_as_the_page_does(served):
    from gradio_client import Client

    client = Client(served.url, verbose=False)
    assert [one["name"] for one in client.predict(api_name="/directions")] == ["smile", "age", "glasses"]
    _, made, reading = client.predict(3, "glasses", -1.5, "", "smile, age", api_name="/steer")
    (edit,) = made["edits"]
    assert (edit["direction"]["name"], edit["strength"], edit["layers"]) == ("glasses", -1.5, [0, 1])
    assert {lock["name"] for lock in edit["locks"]} == {"smile", "age"}
    assert 0 < reading["left"] < 1
    assert len(client.predict(api_name="/entanglement")["rows"]) == 3
