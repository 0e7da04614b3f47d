"""The Steer part of the Directions tab: a slider per direction of the model, on layers of one's choice, with locks."""

from collections.abc import Mapping
from typing import Any

import gradio as gr

from explorer import edits
from explorer.context import AppContext
from explorer.library import ModelCard
from explorer.parts import MAX_LOCKS, Direction
from explorer.recipe import Recipe
from explorer.ui.shared import Shared
from explorer.values import RecipeError, items, show
from explorer.vectors import DirectionVector

REACH_SD = 5  # sliders go this far either way; recipes further

_TEMPLATE = (
    '<div class="steer"><p class="note"></p>'
    '<div class="head"><span>still</span><span>direction</span><span>moved by, in σ</span></div>'
    f'<div class="rows" data-reach="{REACH_SD}"></div></div>'
)


def build(app: AppContext, shared: Shared) -> None:
    """Draw the part."""
    gr.HTML(
        html_template=_TEMPLATE, js_on_load="window.explorer.steer(element, props, server);",
        apply_default_css=False, elem_id="steer",
    )  # fmt: skip

    def apply(recipe: Recipe, card: ModelCard, value: Any) -> Recipe:
        return moved(recipe, app.library.directions(card.digest), value)

    shared.bind("steer", [], apply, lambda recipe, card: read(recipe, card))


def moved(recipe: Recipe, known: Mapping[str, DirectionVector], value: Any) -> Recipe:
    """{digest, strength, layers (null: all), locks}, {locks} for all moves, or {clear: true}."""
    if not isinstance(value, dict):
        raise RecipeError("A move along a direction is a JSON object.")
    if value.get("clear") is True:
        return edits.clear_edits(recipe)
    locks = [_named(digest, known) for digest in items(value["locks"], "The locks of an edit", MAX_LOCKS)]
    if "digest" not in value:
        return edits.with_locks(recipe, locks)
    return edits.with_edit(recipe, _named(value["digest"], known), value["strength"], value["layers"], locks)


def read(recipe: Recipe, card: ModelCard) -> dict[str, Any]:
    """What the sliders show: the layers there are, the moves, and what is locked."""
    locks = {lock.digest: lock.name for edit in recipe.edits for lock in edit.locks}
    return {
        "sizes": [card.layer_sizes[min(layer, len(card.layer_sizes) - 1)] for layer in range(card.num_ws)],
        "moves": [
            {
                "digest": edit.direction.digest, "name": edit.direction.name, "strength": edit.strength,
                "layers": None if edit.layers is None else list(edit.layers),
            }
            for edit in recipe.edits
        ],
        "locks": list(locks) if recipe.edits else None,
    }  # fmt: skip


def _named(digest: object, known: Mapping[str, DirectionVector]) -> Direction:
    if not isinstance(digest, str) or digest not in known:
        raise RecipeError(f"This model has no direction {show(digest)}.")
    return Direction(known[digest].name, digest)
