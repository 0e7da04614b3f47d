"""The Explore tab in a real browser: controls, pictures, history, sheets, keys."""

import numpy as np
from steps import control, pixels, recipe, said, settled, shows, until

from explorer.recipe import Blend


def same_picture(page, served):
    return np.array_equal(pixels(page), served.app.engine.render(recipe(page)))


def test_a_page_opens_with_a_picture_its_controls_and_a_sheet_of_seeds(visit, served):
    page = visit()
    assert recipe(page).source == 0
    assert same_picture(page, served)
    page.wait_for_function("document.querySelectorAll('#seeds .cell[data-drawn]').length === 24")
    for name in ("#stage canvas", "#psi input[type=range]", "#seed input", "#cutoff", "#seeds .cell"):
        box = page.locator(name).first.bounding_box()
        assert box["y"] + box["height"] <= 720, name
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_drag_ends_on_its_last_value_and_is_one_step(visit, served):
    page = visit()
    settled(page, 1)
    box = page.locator("#psi input[type=range]").bounding_box()
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 0.7 * box["width"], y)
    page.mouse.down()
    for step in range(40):
        page.mouse.move(box["x"] + (0.7 - 0.015 * step) * box["width"], y)
    page.mouse.up()
    psi = float(control(page, "psi").input_value())
    assert psi < 0
    assert until(page, f"recipe.psi === {psi}").psi == psi
    assert same_picture(page, served)
    settled(page, 2)


def test_undo_and_redo_move_picture_and_controls_without_making_steps(visit, served):
    page = visit()
    settled(page, 1)
    page.keyboard.press("ArrowRight")
    settled(page, 2)
    control(page, "psi").fill("-0.5")
    settled(page, 3)
    page.get_by_label("Undo (Z)").click()
    until(page, "recipe.psi === undefined && recipe.source === 1")
    shows(page, "psi", 0.7)
    assert same_picture(page, served)
    page.locator("body").press("z")
    until(page, "recipe.source === undefined")
    shows(page, "seed", 0)
    page.keyboard.press("y")
    page.keyboard.press("Control+y")
    until(page, "recipe.psi === -0.5")
    shows(page, "psi", -0.5)
    page.locator("#steps .cell").first.click()
    until(page, "recipe.source === undefined")
    page.wait_for_function("document.querySelectorAll('#steps .cell')[0].classList.contains('here')")
    settled(page, 3)


def test_undo_right_after_an_edit_loses_no_step(visit, served):
    page = visit("?seed=3")
    page.keyboard.press("ArrowRight")
    until(page, "recipe.source === 4")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("z")
    until(page, "recipe.source === 3")
    page.keyboard.press("y")
    assert until(page, "recipe.source === 4").psi == 0.75
    page.keyboard.press("ArrowRight")
    page.keyboard.press("z")
    page.keyboard.press("z")
    until(page, "recipe.source === 3")
    settled(page, 3)


def test_seeds_by_key_by_hand_and_from_the_sheet(visit, served):
    page = visit()
    page.keyboard.press("ArrowLeft")
    assert until(page, "recipe.source > 9").source == 2**32 - 1
    control(page, "seed").fill("123")
    until(page, "recipe.source === 123")
    page.get_by_role("group", name="Seeds").get_by_label("7", exact=True).click()
    until(page, "recipe.source === 7")
    shows(page, "seed", 7)
    assert same_picture(page, served)
    control(page, "first-seed").fill("1000")
    page.get_by_role("group", name="Seeds").get_by_label("1005").click()
    until(page, "recipe.source === 1005")
    page.locator("body").press("d")
    until(page, "recipe.source !== 1005")


def test_the_sheet_follows_the_settings(visit):
    page = visit()
    page.wait_for_function("document.querySelectorAll('#seeds .cell[data-drawn]').length === 24")
    control(page, "psi").fill("1.2")
    page.wait_for_function(
        "[...document.querySelectorAll('#seeds .cell')].every((cell) => JSON.parse(cell.dataset.drawn).psi === 1.2)"
    )


def test_impossible_numbers_are_told_and_change_nothing(visit):
    page = visit()
    for name, text, words in (("seed", "99999999999", "A seed is a whole number"), ("seed", "-4", "A seed is")):
        control(page, name).fill(text)
        said(page, words)
        shows(page, name, 0)
    control(page, "psi").fill("-1")
    assert until(page, "recipe.psi === -1").source == 0


def test_blending_to_a_second_seed_and_back(visit, served):
    page = visit("?seed=5")
    page.get_by_text("Blend", exact=True).click()
    shows(page, "blend-amount", 0)
    control(page, "blend-amount").fill("0.5")
    assert until(page, "recipe.source.amount === 0.5").source == Blend(5, 1, 0.5)
    control(page, "blend-seed").fill("33")
    until(page, "recipe.source.b === 33")
    page.locator("#blend-space").get_by_label("Z").check()
    assert until(page, "recipe.source.space === 'z'").source == Blend(5, 33, 0.5, "z")
    assert same_picture(page, served)
    control(page, "seed").fill("6")
    assert until(page, "recipe.source.a === 6").source == Blend(6, 33, 0.5, "z")
    page.get_by_role("group", name="Seeds").get_by_label("2", exact=True).click()
    until(page, "recipe.source === 2")
    shows(page, "blend-amount", 0)
    page.locator("body").press("z")
    until(page, "recipe.source.a === 6")
    shows(page, "blend-amount", 0.5)


def test_an_edit_at_the_very_moment_when_controls_are_set_is_kept(visit):
    page = visit("?seed=5")
    page.get_by_text("Blend", exact=True).click()
    shows(page, "blend-amount", 0)
    page.evaluate(
        """() => {
            const take = explorer.take, input = document.querySelector("#blend-amount input[type=number]");
            explorer.take = (places) => { // the browser has the edit, Gradio has not told of it yet
                explorer.take = take;
                Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set.call(input, "0.5");
                input.dispatchEvent(new Event("input", { bubbles: true }));
                return take(places);
            };
            explorer.forget(["blend"]);
        }"""
    )
    assert until(page, "recipe.source.amount === 0.5").source == Blend(5, 1, 0.5)
    shows(page, "blend-amount", 0.5)


def test_another_model_sets_no_control_but_those_that_it_made_anew(visit, served):
    page = visit("?seed=5")
    shows(page, "seed", 5)
    other = served.app.library.cards()[1].digest
    page.evaluate(
        """() => {
            const take = explorer.take;
            window.set = new Set();
            explorer.take = (places) => {
                const values = take(places);
                places.forEach(([name], i) => values[i]?.__type__ !== "update" && set.add(name));
                return values;
            };
        }"""
    )
    page.evaluate("(digest) => explorer.edit('model', digest)", other)
    until(page, f"recipe.model === '{other}'")
    page.wait_for_function("set.has('cutoff') && set.has('label')")
    assert set(page.evaluate("[...set]")) == {"cutoff", "label", "model", "recipe"}


def test_psi_per_layer_and_cutoff(visit, served):
    page = visit()
    page.get_by_text("ψ per layer", exact=True).click()
    bar = page.get_by_label("ψ, layer 2 at 8²")
    bar.fill("-1")
    assert until(page, "recipe.layer_psi").layer_psi == ((2, -1.0),)
    assert same_picture(page, served)
    page.get_by_role("button", name="One ψ for all").click()
    until(page, "!recipe.layer_psi")
    page.wait_for_function("document.querySelectorAll('#layer-psi input')[2].value === '0.7'")
    page.get_by_label("ψ reaches").click()
    page.get_by_role("option", name="4²–8² (4 layers)").click()
    assert until(page, "recipe.cutoff === 4").cutoff == 4
    page.wait_for_function("document.querySelectorAll('#layer-psi input')[5].value === '1'")


def test_another_model_brings_its_own_choices_and_keeps_what_it_can(visit, served):
    page = visit("?seed=3&psi=0.25&cutoff=6")
    page.get_by_role("combobox", name="Model").click()
    page.get_by_role("option", name="The classes").click()
    second = served.app.library.cards()[1].digest
    moved = until(page, f"recipe.model === '{second}'")
    assert (moved.source, moved.psi, moved.cutoff, moved.label) == (3, 0.25, 6, 0)
    page.get_by_role("combobox", name="Class").click()
    page.get_by_role("option", name="2", exact=True).click()
    assert until(page, "recipe.label === 2").label == 2
    page.locator("body").press("z")
    page.locator("body").press("z")
    until(page, "recipe.label === undefined")
    page.wait_for_function("!document.querySelector('#label')?.offsetParent")


def test_comparing_shows_the_picture_before_and_the_pinned_one(visit, served):
    page = visit("?seed=1")
    settled(page, 1)
    first = pixels(page)
    page.keyboard.press("ArrowRight")
    settled(page, 2)
    second = pixels(page)
    assert not np.array_equal(first, second)
    page.keyboard.down("b")
    assert np.array_equal(pixels(page), first)
    page.keyboard.up("b")
    assert np.array_equal(pixels(page), second)
    page.get_by_label("Pin this picture").click()
    page.keyboard.press("ArrowRight")
    settled(page, 3)
    page.get_by_label("Hold to see").hover()
    page.mouse.down()
    assert np.array_equal(pixels(page), second)
    page.mouse.up()
    assert same_picture(page, served)


def test_fields_keep_their_keys(visit):
    page = visit()
    page.get_by_text("Recipe", exact=True).click()
    page.locator("#recipe textarea").press("d")
    page.locator("#psi input[type=range]").press("ArrowLeft")
    assert until(page, "recipe.psi === 0.69").source == 0


def test_on_a_phone_the_picture_stays_in_sight_and_nothing_is_cut(visit):
    page = visit(width=390, height=844)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    box = page.locator("#psi input[type=range]").bounding_box()
    assert box["y"] + box["height"] <= 844
    page.evaluate("scrollTo(0, 300)")
    page.wait_for_function("scrollY === 300")
    box = page.locator("#stage canvas").bounding_box()
    assert box["y"] >= 0
    assert box["width"] >= 256
