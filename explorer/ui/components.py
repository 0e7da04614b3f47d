"""The Unsupervised part of the Directions tab: principal components of W, singular vectors of the style layers."""

from collections.abc import Iterator, Mapping
from typing import Any

import gradio as gr

from explorer import finding
from explorer.context import AppContext
from explorer.finding import Finding
from explorer.jobs import Jobs
from explorer.library import ModelCard
from explorer.recipe import Recipe
from explorer.ui.bind import text_of
from explorer.ui.figures import Work
from explorer.ui.find import GO, shown, shows_only
from explorer.ui.found import keeping, looking, recipe_in, whole_of
from explorer.ui.shared import Shared

COUNT = 8
_TEMPLATE = (
    '<div class="seek"><div class="side"><p class="caption">Without labels</p>'
    '<div class="segments kinds" role="group" aria-label="Kind"></div><p class="quiet about"></p>'
    '<div class="segments layers-of" role="group" aria-label="Layers"></div>'
    f'<label class="field">Directions <input type="number" data-count min="1" max="{finding.MAX_COMPONENTS}" '
    f'value="{COUNT}"></label>{GO}</div><div class="found"></div></div>'
)


def build(app: AppContext, shared: Shared) -> None:
    """Draw the part."""

    def make(data: Mapping[str, Any], visitor: str) -> Iterator[Finding]:
        """{recipe, kind, band, count}."""
        recipe, band, count = recipe_in(data), text_of(data, "band", 16), whole_of(data, "count")
        return app.finder.components(recipe.model, recipe.label, text_of(data, "kind", 16), band, count, visitor)

    work = Work(Jobs(), "components", make, shown)
    form = gr.HTML(
        html_template=_TEMPLATE, apply_default_css=False, elem_id="components",
        js_on_load="window.explorer.components(element, trigger, props, server, watch); // 'keep'",
        server_functions=[*work.functions(), looking(app)],
    )  # fmt: skip
    keeping(app, shared, form)

    def read(recipe: Recipe, card: ModelCard) -> dict[str, Any]:
        bands = {band: any(layer < card.num_ws for layer in layers) for band, layers in card.bands.items()}
        return {"model": card.digest, "bands": bands}

    shared.bind("components", [], shows_only, read)
