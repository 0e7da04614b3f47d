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
        in_z = [unit(torch.eye(16)[i] + 1, "z") for i in (3, 5)]
        found = (
            made("smile", 0, z_vector=in_z[0]), made("age", 1, z_vector=in_z[1]), made("glasses", 2, layers=(0, 1))
        )  # fmt: skip
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


def test_readings_traversal_and_layers_of_the_chosen_direction(page):
    page.get_by_role("button", name="glasses", exact=True).click()
    page.wait_for_function("document.querySelector('#steer-layers b').textContent === 'glasses'")
    page.wait_for_function("document.querySelectorAll('#traversal .cell').length === 7")
    slide(page, "glasses", 2)
    until(page, "recipe.edits?.[0].strength === 2")
    page.locator("#steer-layers .choose").get_by_role("button", name="all", exact=True).click()
    (edit,) = until(page, "recipe.edits?.length === 1 && !recipe.edits[0].layers").edits
    assert edit.direction.name == "glasses"
    page.locator("#steer .others summary").click()
    page.wait_for_function(
        "[...document.querySelectorAll('#steer .other')].some((line) => /^brightness/.test(line.textContent))"
    )
    page.get_by_label("Further seeds").fill("4,5")
    page.get_by_label("Further seeds").press("Enter")
    page.wait_for_function("document.querySelectorAll('#traversal .cell').length === 21")
    page.locator("#steer").get_by_label("glasses, in standard deviations").fill("60")
    page.locator("#steer").get_by_label("glasses, in standard deviations").press("Enter")
    page.wait_for_function("/left the region/.test(document.querySelector('#steer .warning').textContent)")


def test_entanglement_as_cosines_and_measured(page):
    page.get_by_role("tab", name="Entanglement").click()
    page.wait_for_function("document.querySelectorAll('#entangled td[data-at]').length === 9")
    assert page.locator("#entangled td[data-at='0 0']").text_content() == "1.00"
    page.get_by_role("button", name="Measured").click()
    page.locator("#entangled [data-seeds]").fill("4")
    page.locator("#entangled [data-go]").click()
    page.wait_for_function("document.querySelectorAll('#entangled td[data-at]').length === 33")
    page.locator("#entangled td[data-at='1 0']").hover()
    assert "+1σ of age changes brightness by" in page.locator("#entangled .hover").text_content()
    with page.expect_download() as download:
        page.locator("#entangled [data-csv]").click()
    assert Path(download.value.path()).read_text().startswith("direction,score,change,standard_error")


def heat(page, count, **words):
    page.wait_for_function(
        "([count, words]) => document.querySelectorAll('#entangled td[data-at]').length === count "
        "&& document.querySelector('#entangled .state .told').textContent.includes(words)",
        arg=[count, words.get("told", "")],
    )


def test_tables_are_of_the_locks_the_space_and_the_model_on_screen(page):
    page.locator("#steer .row").nth(0).locator(".lock").click()
    page.get_by_role("tab", name="Entanglement").click()
    heat(page, 9, told="Cosines in W: rows as they are")
    page.locator("#entangled").get_by_role("button", name="Z", exact=True).click()
    heat(page, 4, told="No direction in Z: glasses")
    page.get_by_role("button", name="Measured").click()
    measure(page)
    heat(page, 22, told="Change per σ in Z")
    page.locator("#entangled").get_by_role("button", name="W", exact=True).click()
    heat(page, 0)  # what was measured in Z is not shown as if it were of W
    assert "Not measured yet in W" in page.locator("#entangled .hover").text_content()
    measure(page)
    heat(page, 33, told="mean of 4 seeds.")
    page.locator("#entangled [data-locks]").check()
    heat(page, 0)
    measure(page)
    heat(page, 33, told="with smile held still")
    page.locator("#entangled td[data-at='1 0']").hover()
    assert "% of age is left" in page.locator("#entangled .hover").text_content()
    page.locator("#entangled [data-locks]").uncheck()
    heat(page, 33, told="mean of 4 seeds.")  # what was measured before comes back
    page.get_by_label("Model").click()
    page.get_by_role("option", name="The classes").click()
    heat(page, 0, told="no directions yet")


def measure(page):
    page.locator("#entangled [data-seeds]").fill("4")
    page.locator("#entangled [data-go]").click()


def test_a_measurement_tells_how_far_it_is_and_can_be_stopped(page):
    page.get_by_role("tab", name="Entanglement").click()
    page.get_by_role("button", name="Measured").click()
    page.locator("#entangled [data-seeds]").fill("2000")
    page.locator("#entangled [data-go]").click()
    page.wait_for_function(
        "/^measuring .*, [0-9]+ s left$/.test(document.querySelector('#entangled .state .told').textContent) "
        "&& document.querySelector('#entangled progress').value > 0"
    )
    page.locator("#entangled").get_by_role("button", name="Stop").click()
    page.wait_for_function("document.querySelector('#entangled .state .told').textContent === 'Stopped.'")
    assert page.locator("#entangled [data-go]").text_content() == "Measure"


def test_a_file_comes_in_and_its_direction_is_renamed_and_forgotten(page, tmp_path):
    np.save(tmp_path / "hat_boundary.npy", np.eye(16)[:1])
    page.locator("#direction-import input[type=file], input[type=file][accept*=npy]").first.set_input_files(
        tmp_path / "hat_boundary.npy"
    )
    page.get_by_role("button", name="hat", exact=True).click()
    slide(page, "hat", 1)
    assert until(page, "recipe.edits?.length === 1").edits[0].direction.name == "hat"
    page.locator("#direction-name input, #direction-name textarea").fill("bonnet")
    page.locator("#direction-rename").click()
    page.get_by_role("button", name="bonnet", exact=True).click()
    page.locator("#direction-forget").click()
    page.wait_for_function("document.querySelectorAll('#steer .row').length === 3")
    until(page, "!recipe.edits")


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
