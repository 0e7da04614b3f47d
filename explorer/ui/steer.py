"""The Steer part of the Directions tab: a slider per direction of the model, on layers of one's choice, with locks.

Beside each slider stands what the scorer reads off the picture; below, the chosen direction is traversed.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import gradio as gr

from explorer import sheets, steering, typed
from explorer.context import AppContext
from explorer.library import ModelCard
from explorer.parts import Edit
from explorer.recipe import MAX_JSON_BYTES, Recipe
from explorer.ui import direction_files, sheet
from explorer.ui.bind import answering, text_of, visitor_of
from explorer.ui.figures import follower
from explorer.ui.shared import Shared
from explorer.values import items
from explorer.words import source_words, spoken

REACH_SD = 5  # sliders go this far either way; recipes further
TRAVERSAL_SD, COLUMNS = 3, 7
MOST_SEEDS, DEMO_SEEDS = 24, 8
MOST_DIRECTIONS = 1024

_TEMPLATE = (
    '<div class="steer"><p class="note"></p><div class="bar"><input type="search" placeholder="Find a direction" '
    'aria-label="Find a direction"><span class="told" aria-live="polite"></span>'
    '<button type="button" data-reset title="No moves, nothing held still">Reset</button></div>'
    '<div class="head"><span title="Hold still: the others move without it">still</span><span>direction</span>'
    "<span>moved by, in standard deviations σ</span><span></span>"
    '<span class="left" title="How much of the direction the locks leave: the cosine with what it was">left</span>'
    '<span title="What the scorer reads off the picture; the bar is the change that steering made, in σ of samples">'
    "reading</span></div>"
    f'<div class="rows" data-reach="{REACH_SD}"></div>'
    '<p class="warning" role="status"></p>'
    '<details class="others"><summary>Other readings</summary><div></div></details></div>'
)
_LAYERS = (
    '<div class="chosen"><p class="caption"><b></b> <small></small></p>'
    '<div class="mixer"><div class="choose" role="group" aria-label="Layers that move"></div>'
    '<div class="ticks" role="group" aria-label="Single layers"></div>'
    '<div class="sizes" aria-hidden="true"></div></div></div>'
)


def build(app: AppContext, shared: Shared) -> None:
    """Draw the part."""
    again = follower("() => window.explorer.present + JSON.stringify(window.explorer.steering?.value())")
    steer = gr.HTML(
        html_template=_TEMPLATE, js_on_load="window.explorer.steer(element, props, server);",
        apply_default_css=False, elem_id="steer", server_functions=[_read(app), _left(app)],
    )  # fmt: skip
    gr.HTML(html_template=_LAYERS, js_on_load="window.explorer.steerLayers(element);", apply_default_css=False,
            elem_id="steer-layers")  # fmt: skip
    pictures = sheet.sheet(app, "traversal", "Traversal of the direction", room=COLUMNS)
    with gr.Row(elem_classes="fields", elem_id="traversal-fields"):
        reach = gr.Number(TRAVERSAL_SD, label="Reach", info="in σ", minimum=0.1, maximum=20, elem_id="traversal-reach")
        seeds = gr.Textbox("", label="Further seeds", info="like 0-3,8", max_lines=1,
                           elem_id="traversal-seeds")  # fmt: skip
    direction_files.build(app, shared, steer)

    def apply(recipe: Recipe, card: ModelCard, value: Any) -> Recipe:
        return steering.moved(recipe, app.library.directions(card.digest), value)

    def figure(text: str, chosen: Any, reach_sd: float | None, seeds_text: str) -> Any:
        recipe = shared.present(text)
        edit = steering.chosen(chosen, app.library.directions(recipe.model))
        most = DEMO_SEEDS if app.options.demo else MOST_SEEDS
        further = typed.seeds(seeds_text, "Seeds", most) if (seeds_text or "").strip() else []
        if edit is None:
            return sheet.cells([], COLUMNS)
        return _cells(recipe, edit, further, steering.strengths(reach_sd, COLUMNS))

    shared.bind("steer", [], apply, steering.shown)
    shared.on(
        [again.again, reach.submit, reach.blur, seeds.submit, seeds.blur],
        figure, [shared.live, steer, reach, seeds], pictures, queue=True,
    )  # fmt: skip


def _cells(recipe: Recipe, edit: Edit, further: list[int], strengths: list[float]) -> dict[str, Any]:
    sources = list(dict.fromkeys([recipe.source, *further]))
    made = sheets.traversal(recipe, edit, sources, strengths)
    cells = []
    for index, one in enumerate(made.recipes):
        row, column = divmod(index, made.columns)
        amount = f"{strengths[column]:+g}σ".replace("-", "−").replace("+0σ", "0σ")
        where = source_words(sources[row])
        short = amount if not row else where if not column else ""
        assert one is not None
        cells.append(
            {"recipe": one.json, "caption": f"{where}, {spoken(edit.direction.name)} {amount}", "short": short,
             "named": bool(short)}
        )  # fmt: skip
    return {"columns": made.columns, "cells": cells}


def _read(app: AppContext) -> Any:
    @answering
    def read(data: Mapping[str, Any]) -> dict[str, Any]:
        """{visitor, recipe} → {scores: [{name, kind, value, before, mean, std}, …], outside: [layer, …], problem}."""
        recipe = Recipe.from_json(text_of(data, "recipe", MAX_JSON_BYTES))
        return asdict(app.readings.of(recipe, f"{visitor_of(data)}/read"))

    return read


def _left(app: AppContext) -> Any:
    @answering
    def left(data: Mapping[str, Any]) -> dict[str, Any]:
        """{model, digests, locks} → {left: {digest: share}}."""
        known = app.library.directions(text_of(data, "model", 64))
        locks = [lock.digest for lock in steering.named(data.get("locks"), known)]
        digests = [one for one in items(data.get("digests"), "Directions", MOST_DIRECTIONS) if isinstance(one, str)]
        return {"left": app.readings.left(data["model"], digests, locks)}

    return left
