"""The Film tab in a real browser: from key pictures to a film that plays."""

import json

import pytest
from steps import recipe, until

from explorer import film_file
from explorer.film import Circle, Film, PsiSweep


@pytest.fixture
def page(visit):
    page = visit("?seed=5&psi=0.6")
    page.get_by_role("tab", name="Film").click()
    page.locator("#film .screen.bare").wait_for()
    return page


def act(page, name):
    page.locator(f"#film [data-act={name}]").click()


def field(page, name):
    return page.locator(f"#film [name={name}]")


def keys(page, *seeds):
    """Wait until the strip has these seeds, all painted."""
    page.wait_for_function(
        """(seeds) => {
            const keys = [...document.querySelectorAll('#film .key')];
            const given = keys.map((key) => JSON.parse(key.dataset.recipe).source ?? 0);
            return String(given) === String(seeds) && keys.every((key) => key.firstChild.width > 1);
        }""",
        arg=list(seeds),
    )


def previewed(page, words):
    page.wait_for_function(
        "(words) => document.querySelector('#film .facts').textContent.includes(words)"
        " && !document.querySelector('#film .screen.waiting')",
        arg=words,
    )


def told(page, words):
    page.wait_for_function("(words) => document.querySelector('#film .wrong').textContent.includes(words)", arg=words)


def made(page):
    """Make the film; its file."""
    act(page, "make")
    page.locator("#film .job.done .save").wait_for()
    with page.expect_download() as download:
        page.locator("#film .job .save").click()
    return download.value.path().read_bytes()


def test_from_two_keys_to_a_playing_video(page):
    act(page, "make")
    told(page, "at least two key pictures")
    act(page, "add")
    page.locator("body").press("ArrowRight")
    until(page, "recipe.source === 6")
    act(page, "add")
    keys(page, 5, 6)
    previewed(page, "50 frames of 256 × 256 pixels")
    field(page, "step").fill("0.6")
    field(page, "fps").fill("10")
    field(page, "end").select_option("loop")
    previewed(page, "12 frames")
    act(page, "make")
    page.wait_for_function("document.querySelector('#film video')?.currentTime > 0.1")
    assert page.evaluate("document.querySelector('#film video').duration") == pytest.approx(1.2, abs=0.05)
    assert page.evaluate("document.querySelector('#film video').videoWidth") == 256
    with page.expect_download() as download:
        page.locator("#film .job .save").click()
    assert download.value.suggested_filename == "film.mp4"
    film = film_file.read(download.value.path().read_bytes())
    assert (film.end, film.step_sec, film.fps, film.size) == ("loop", 0.6, 10, 256)
    assert [(key.recipe.source, key.recipe.psi) for key in film.keys] == [(5, 0.6), (6, 0.6)]
    field(page, "step").fill("0.8")
    field(page, "step").blur()
    previewed(page, "16 frames")  # in place of the video, and it plays
    page.wait_for_function(
        "!document.querySelector('#film video') && document.querySelector('#film .scrub').value > 0.1"
    )


def test_the_strip(page):
    field(page, "seeds").fill("1-3")
    page.keyboard.press("Enter")
    keys(page, 1, 2, 3)
    act(page, "left")
    keys(page, 1, 3, 2)
    act(page, "copy")
    keys(page, 1, 3, 3, 2)
    act(page, "delete")
    keys(page, 1, 3, 2)
    page.get_by_role("option", name="Key 1").click()
    until(page, "recipe.source === 1")
    act(page, "right")
    keys(page, 3, 1, 2)
    page.get_by_role("option", name="Key 1").drag_to(page.get_by_role("option", name="Key 3"))
    keys(page, 1, 2, 3)
    field(page, "hold").fill("1.5")
    field(page, "hold").blur()
    page.get_by_text("3 · 1.5 s").wait_for()
    previewed(page, "138 frames")  # 2 × 50 + 1.5 s
    page.locator("body").press("ArrowRight")
    until(page, "recipe.source !== 3 && recipe.source !== 1")
    act(page, "replace")
    page.reload()  # the draft is kept in the browser
    page.wait_for_function("window.explorer && explorer.answered > 0 && explorer.idle()")
    page.get_by_role("tab", name="Film").click()
    page.get_by_text("3 · 1.5 s").wait_for()
    act(page, "clear")
    page.locator("#film .screen.bare").wait_for()


def test_sweeps_and_a_film_file(page, tmp_path):
    field(page, "kind").select_option("psi")
    field(page, "step").fill("1")
    field(page, "format").select_option("webp")
    field(page, "grid").fill("5-8")
    field(page, "grid").blur()
    previewed(page, "25 frames of 512 × 512 pixels")
    film = film_file.read(made(page))
    assert (film.sweep, film.seeds, film.keys[0].recipe) == (PsiSweep(-1, 1), (5, 6, 7, 8), recipe(page))
    page.locator("#film .made img").wait_for()
    field(page, "kind").select_option("circle")
    field(page, "grid").fill("")
    field(page, "end").select_option("loop")
    previewed(page, "25 frames of 256 × 256 pixels")
    with page.expect_download() as download:
        act(page, "write")
    film = Film.from_json(download.value.path().read_text())
    assert (film.sweep, film.end) == (Circle(), "loop")
    (tmp_path / "film.json").write_text(film.json)
    page.locator("body").press("ArrowRight")
    until(page, "recipe.source === 6")
    field(page, "kind").select_option("keys")
    page.locator("#film input[type=file]").set_input_files(tmp_path / "film.json")
    until(page, "recipe.source === 5")
    assert field(page, "kind").input_value() == "circle"
    page.locator("#film .scrub").fill("0.5")
    act(page, "show")
    until(page, "recipe.source.a !== undefined")  # a frame is a recipe like any other


def test_mistakes_are_told_and_work_can_be_cancelled(page, tmp_path):
    field(page, "seeds").fill("nothing")
    act(page, "seeds")
    told(page, "seeds are typed like")
    field(page, "seeds").fill("1,2")
    act(page, "seeds")
    keys(page, 1, 2)
    for name, value, words in (
        ("fps", "0", "Frames per second"), ("step", "", "seconds from one key"), ("step", "601", "from 0 to 600"),
        ("grid", "1,x", "seeds are typed like"),
    ):  # fmt: skip
        before = field(page, name).input_value()
        field(page, name).fill(value)
        field(page, name).blur()
        told(page, words)
        field(page, name).fill(before)
        field(page, name).blur()
        previewed(page, "frames")
    (tmp_path / "no.json").write_text(json.dumps({"version": 1, "keys": []}))
    page.locator("#film input[type=file]").set_input_files(tmp_path / "no.json")
    told(page, "at least two key pictures")
    field(page, "step").fill("300")
    field(page, "step").blur()
    act(page, "make")
    page.locator("#film .told", has_text="rendering").wait_for()
    act(page, "cancel")
    page.get_by_text("Cancelled; nothing was kept.").wait_for()


def test_on_a_phone_nothing_is_cut(visit):
    page = visit(width=390, height=844)
    page.locator(".overflow-menu button").first.click()
    page.locator(".overflow-dropdown").get_by_text("Film").click()
    field(page, "seeds").fill("0-7")
    page.keyboard.press("Enter")
    keys(page, *range(8))
    previewed(page, "frames")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
