"""What leaves the page and comes back: PNG, link, recipe, Python, gallery; and that visitors are alone."""

import zipfile

import numpy as np
from app_server import serve
from steps import control, pixels, recipe, said, settled, until

from explorer import png
from explorer.recipe import Recipe

DROP = """([bytes, name]) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([new Uint8Array(bytes)], name, { type: "image/png" }));
    document.querySelector("#stage canvas").dispatchEvent(
        new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true }));
}"""


def test_a_saved_png_brings_its_picture_back(visit, served):
    page = visit("?seed=8&psi=0.4")
    made = recipe(page)
    with page.expect_download() as download:
        page.keyboard.press("s")
    file = download.value.path().read_bytes()
    assert png.read(file) == made
    page.keyboard.press("ArrowRight")
    until(page, "recipe.source === 9")
    page.evaluate(DROP, [list(file), "picture.png"])
    assert until(page, "recipe.source === 8") == made
    assert np.array_equal(pixels(page), served.app.engine.render(made))


def test_files_that_carry_no_recipe_are_refused_and_nothing_is_lost(visit, served):
    page = visit("?seed=8")
    settled(page, 1)
    other = png.encode(np.zeros((4, 4, 3), np.uint8), Recipe("0123456789abcdef"))
    for file, words in (
        (b"GIF89a", "not a PNG"),
        (b"", "not a PNG"),
        (other[:60], "cut short"),
        (other, "is not here"),
    ):
        page.evaluate(DROP, [list(file), "x.png"])
        said(page, words)
        page.evaluate("explorer.error('')")
    assert recipe(page).source == 8


def test_a_link_opens_the_same_picture_and_reloading_keeps_it(visit, served):
    page = visit("?seed=4")
    control(page, "psi").fill("-0.3")
    settled(page, 2)
    page.get_by_label("Copy a link").click()
    said(page, "Link copied.")
    link = page.evaluate("navigator.clipboard.readText()")
    assert link.startswith(served.url)
    other = visit(link.removeprefix(f"{served.url}/"))
    assert recipe(other) == recipe(page)
    page.reload()
    page.wait_for_function("window.explorer && explorer.answered > 0 && explorer.idle()")
    assert recipe(page) == recipe(other)


def test_a_broken_link_opens_the_first_picture_and_says_why(visit):
    page = visit("?seed=oops")
    said(page, "The link's seed cannot be 'oops'")
    assert recipe(page).source == 0


def test_a_pasted_recipe_is_shown_and_a_damaged_one_is_told(visit):
    page = visit()
    page.get_by_text("Recipe", exact=True).click()
    page.locator("#recipe textarea").fill("seed=77&psi=0.5")
    page.get_by_role("button", name="Show", exact=True).click()
    assert until(page, "recipe.source === 77").psi == 0.5
    page.wait_for_function("document.querySelector('#recipe textarea').value.includes('77,')")
    page.locator("#recipe textarea").fill('{"version": 1, "model": "<img src=x onerror=alert(1)>"}')
    page.get_by_role("button", name="Show", exact=True).click()
    said(page, "The model digest is")
    assert recipe(page).source == 77


def test_python_is_copied(visit):
    page = visit("?seed=6")
    page.get_by_label("Copy as a Python script").click()
    said(page, "Python copied.")
    assert "stylegan.load" in page.evaluate("navigator.clipboard.readText()")


def test_kept_pictures_survive_a_restart_and_are_alone(visit, served, tmp_path):
    with serve(tmp_path) as server:
        page = visit("?seed=21", url=server.url)
        settled(page, 1)
        page.keyboard.press("k")
        said(page, "Kept in the gallery.")
        page.keyboard.press("ArrowRight")
        settled(page, 2)
        page.get_by_label("Keep in the gallery").click()
        page.get_by_role("tab", name="Gallery").click()
        page.wait_for_function("document.querySelectorAll('#gallery .cell[data-drawn]').length === 2")
        page.close()
    with serve(tmp_path) as server:
        page = visit(url=server.url)
        page.get_by_role("tab", name="Gallery").click()
        page.locator("#gallery .cell[data-drawn]").nth(1).click()
        assert until(page, "recipe.source === 21").source == 21
        with page.expect_download() as download:
            page.get_by_role("button", name="Save all as zip").click()
        with zipfile.ZipFile(download.value.path()) as archive:
            assert [png.read(archive.read(name)).source for name in archive.namelist()] == [22, 21]
        page.get_by_role("button", name="Remove this picture").click()
        page.wait_for_function("document.querySelectorAll('#gallery .cell').length === 1")
        page.close()


def test_two_visitors_do_not_see_each_other(visit):
    one, two = visit("?seed=1"), visit("?seed=2")
    settled(one, 1)
    one.keyboard.press("ArrowUp")
    settled(one, 2)
    assert recipe(two).json == Recipe(recipe(two).model, 2).json
    settled(two, 1)
    two.keyboard.press("z")
    assert recipe(two).source == 2
    one.keyboard.press("z")
    assert until(one, "recipe.psi === undefined").source == 1


def test_the_models_tab_shows_cards_as_text_and_chooses(visit, served):
    page = visit()
    page.get_by_role("tab", name="Models").click()
    page.get_by_role("heading", name="The classes").wait_for()
    page.locator(".cards article", has_text="The classes").get_by_role("button", name="Show").click()
    until(page, f"recipe.model === '{served.app.library.cards()[1].digest}'")
    page.get_by_text("Open another file").click()
    page.locator("#import-path textarea, #import-path input").fill("/no/such/file.pkl")
    page.get_by_role("button", name="Convert and add").click()
    page.get_by_text("There is no file /no/such/file.pkl").wait_for()


def test_a_demo_has_no_import_and_a_gallery_for_each_visitor(visit, tmp_path):
    with serve(tmp_path, share=True) as server:
        one, two = visit(url=server.url), visit(url=server.url)
        settled(one, 1)
        one.keyboard.press("k")
        said(one, "Kept in the gallery.")
        for page, count in ((one, 1), (two, 0)):
            page.get_by_role("tab", name="Gallery").click()
            page.wait_for_function(
                f"document.querySelector('#gallery-count input, #gallery-count textarea').value.startsWith("
                f"'{'1 picture' if count else 'Pictures that'}')"
            )
        one.get_by_role("tab", name="Models").click()
        one.get_by_role("heading", name="The plain").wait_for()
        assert one.get_by_text("Open another file").count() == 0
        one.close()
        two.close()
