"""The Fit part of the Directions tab: a linear SVM or ridge regression to the scores of many samples."""

from collections.abc import Iterator, Mapping
from typing import Any

import gradio as gr

from explorer import finding
from explorer.context import AppContext
from explorer.finding import Asked, Finding, data_of, table_in
from explorer.jobs import Jobs
from explorer.library import ModelCard
from explorer.recipe import Recipe
from explorer.ui.bind import text_of
from explorer.ui.figures import Work
from explorer.ui.found import keeping, looking, names_of, recipe_in, whole_of
from explorer.ui.shared import Shared
from explorer.values import RecipeError
from explorer.words import spoken

MAX_CSV_BYTES, MAX_DEMO_CSV_BYTES = 8 << 20, 1 << 20
MAX_RUNNING = 2  # fits at a time, of all visitors

GO = (
    '<div class="go"><button type="button" data-go>Find</button><span class="told" aria-live="polite"></span></div>'
    '<progress max="1" value="0"></progress>'
)
_TEMPLATE = (
    '<div class="seek"><div class="side"><p class="caption">Fit to scores</p>'
    '<div class="segments scorers" role="group" aria-label="What scores the samples"></div>'
    '<p class="quiet about"></p><input type="file" accept=".csv,text/csv" hidden>'
    '<div class="segments names" role="group" aria-label="Attributes"></div>'
    '<label class="field">Samples <input type="number" data-count step="1000"></label>'
    f'<div class="segments methods" role="group" aria-label="Method"></div>{GO}'
    '<p class="quiet">Samples of W without truncation. As in the paper the surest half counts: the lowest and highest '
    "quarter of a quantity. Numbers are of samples kept out of the fit.</p>"
    '</div><div><ul class="quiet skipped"></ul><div class="found"></div></div></div>'
)


def build(app: AppContext, shared: Shared) -> None:
    """Draw the part."""
    most = finding.DEMO_COUNT if app.options.demo else finding.MAX_COUNT
    work = Work(Jobs(MAX_RUNNING), "fit", _fit(app, most), shown)
    form = gr.HTML(
        html_template=_TEMPLATE, js_on_load="window.explorer.fit(element, trigger, props, server, watch); // 'keep'",
        apply_default_css=False, elem_id="find", server_functions=[*work.functions(), looking(app)],
    )  # fmt: skip
    keeping(app, shared, form)

    def read(recipe: Recipe, card: ModelCard) -> dict[str, Any]:
        counts = {"least": finding.MIN_COUNT, "most": most, "count": min(finding.DEFAULT_COUNT, most)}
        return {"model": card.digest, "scorers": app.finder.scorers(card.digest), **counts}

    shared.bind("fit", [], shows_only, read)


def shows_only(recipe: Recipe, card: ModelCard, value: Any) -> Recipe:
    """For bindings that tell a part what it can offer."""
    raise RecipeError("This is no edit of a picture.")


def shown(step: Finding) -> dict[str, Any]:
    """A step of finding as plain JSON."""
    told: dict[str, Any] = {"phase": spoken(step.phase)}
    if step.result is not None:
        told["found"] = [data_of(direction) for direction in step.result.directions]
        told["skipped"] = [spoken(reason) for _, reason in step.result.skipped]
    return told


def _fit(app: AppContext, most: int) -> Any:
    def make(data: Mapping[str, Any], visitor: str) -> Iterator[Finding]:
        """{recipe, scorer, names, count, method} or {…, scorer: "table", table: CSV text, file: its name}."""
        recipe, scorer = recipe_in(data), data.get("scorer")
        table, names, count = None, names_of(data, "names"), whole_of(data, "count")
        if scorer == finding.TABLE:
            limit = MAX_DEMO_CSV_BYTES if app.options.demo else MAX_CSV_BYTES
            table = table_in(text_of(data, "table", limit), text_of(data, "file", 200), most)
            names, count = (), finding.DEFAULT_COUNT
        asked = Asked(recipe.model, recipe.label, str(scorer), names, count, str(data.get("method")), table)
        if table is None and asked.count > most:
            raise RecipeError(f"The number of samples is from {finding.MIN_COUNT} to {most}, not {asked.count}.")
        return app.finder.fit(asked, visitor)

    return make
