"""The Teach part of the Directions tab: clicks on samples say which have something, and a direction comes of it."""

from collections.abc import Mapping
from typing import Any

import gradio as gr

from explorer import frames, teaching
from explorer.context import AppContext
from explorer.finding import data_of, sample_recipe
from explorer.ui.bind import answering, text_of, visitor_of
from explorer.ui.found import keeping, looking, recipe_in
from explorer.ui.shared import Shared
from explorer.values import RecipeError

CELL_PX = 128  # at most; smaller models come at their own size
MAX_CSV_BYTES = 1 << 20
_COLUMNS = (4, 6, 8)

_TEMPLATE = (
    '<div class="lesson"><div class="side">'
    '<p class="caption">Teach it yourself <small>click what has it; again: clearly has not; again: neither</small></p>'
    '<label class="field">Name <input type="text" data-name maxlength="64" placeholder="such as smile"></label>'
    '<div class="counts" aria-live="polite"><span class="yes"></span><span class="no"></span></div>'
    '<p class="quiet told" aria-live="polite"></p><div class="chart"></div>'
    '<div class="go"><button type="button" data-next>Next page</button>'
    '<button type="button" data-over title="Forget all labels of this lesson">Start over</button></div>'
    '<div class="go"><button type="button" data-save title="seed, 1 or 0, as CSV">Save labels</button>'
    '<button type="button" data-open title="A CSV file of seed, 1 or 0">Open labels</button>'
    '<input type="file" accept=".csv,text/csv" hidden></div></div>'
    '<div class="ask"><p class="quiet why" aria-live="polite"></p>'
    '<div class="board accepts-files"><canvas aria-hidden="true"></canvas>'
    '<div class="marks-on" role="grid" aria-label="Samples to label"></div></div>'
    '<p class="quiet">Samples without truncation. Keys: arrows, space to change, + has it, − has not, 0 neither.</p>'
    '</div></div><div class="found"></div>'
)


def build(app: AppContext, shared: Shared) -> None:
    """Draw the part."""
    lesson = gr.HTML(
        html_template=_TEMPLATE, js_on_load="window.explorer.teach(element, trigger, props, server, watch); // 'keep'",
        apply_default_css=False, elem_id="teach",
        server_functions=[_learn(app), _board(app), _labels(), looking(app)],
    )  # fmt: skip
    keeping(app, shared, lesson)


def _learn(app: AppContext) -> Any:
    @answering
    def learn(data: Mapping[str, Any]) -> dict[str, Any]:
        """{visitor, recipe, labels: [[seed, has it], …], seen: [seed, …]} → what they give, and the next page."""
        recipe = recipe_in(data)
        labels, seen = teaching.check_labels(data.get("labels")), teaching.check_seeds(data.get("seen", []))
        visitor = f"{visitor_of(data)}/learn"
        lesson = teaching.lesson(app.engine, app.finder, recipe.model, recipe.label, labels, seen, visitor)
        told = {"positives": lesson.positives, "negatives": lesson.negatives, "page": lesson.page, "why": lesson.why}
        if lesson.taught is None:
            return {**told, "found": None}
        sure = lesson.taught.uncertainty
        curve = [len(labels), sure.accuracy, sure.low, sure.high]
        return {**told, "found": data_of(lesson.taught.direction), "curve": curve, "words": str(sure)}

    return learn


def _board(app: AppContext) -> Any:
    @answering
    def board(data: Mapping[str, Any]) -> dict[str, Any]:
        """{visitor, recipe, seeds, columns} → {image}: one sheet of samples."""
        recipe, columns = recipe_in(data), data.get("columns")
        seeds = teaching.check_page(data.get("seeds"))
        if columns not in _COLUMNS:
            raise RecipeError(f"A page has {', '.join(map(str, _COLUMNS))} columns.")
        recipes = [sample_recipe(recipe.model, seed, recipe.label) for seed in seeds]
        size = min(CELL_PX, app.library.card(recipe.model).resolution)
        picture = app.engine.sheet(recipes, columns, size, 0, f"{visitor_of(data)}/board", smooth=True)
        return {"image": frames.data_uri(picture, lossless=True)}

    return board


def _labels() -> Any:
    @answering
    def opened(data: Mapping[str, Any]) -> dict[str, Any]:
        """{text, file} → {labels, name}: those in a CSV file."""
        name, labels = teaching.labels_in(text_of(data, "text", MAX_CSV_BYTES), text_of(data, "file", 200))
        return {"labels": [[seed, has_it] for seed, has_it in labels.items()], "name": name}

    return opened
