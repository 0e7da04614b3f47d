"""Contact sheets: many small pictures to click on, as one Gradio component; see sheet.js."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import gradio as gr

from explorer import frames
from explorer.context import AppContext
from explorer.recipe import MAX_JSON_BYTES, Recipe
from explorer.ui.bind import answering, visitor_of
from explorer.values import RecipeError, items

MAX_STRIP = 16
CELL_PX = 128  # at most; smaller models come at their own size


def sheet(app: AppContext, elem_id: str, label: str, *, loads: bool = True, room: int = 0) -> gr.HTML:
    """A sheet. Set its value with `cells`; its event is `pick`, with `index` and `recipe` (JSON) in the event's data.

    Args:
        loads: a click also loads the cell's recipe.
        room: cells to leave room for until there are pictures, so that nothing moves when they come.
    """

    return gr.HTML(
        cells([(None, "")] * room, 0) if room else None,
        html_template=f'<div class="cells" role="group" aria-label="{label}"{" data-loads" if loads else ""}></div>',
        js_on_load="window.explorer.sheet(element, trigger, props, server, watch); // 'pick'",
        apply_default_css=False,
        elem_id=elem_id,
        elem_classes="sheet",
        server_functions=[strip_function(app)],
    )


def strip_function(app: AppContext) -> Callable[..., Any]:
    """The server function that renders a sheet's cells."""

    @answering
    def strip(data: Mapping[str, Any]) -> dict[str, Any]:
        """{visitor, recipes: [JSON, …]} → {image}: their pictures side by side."""
        texts = items(data.get("recipes"), "A strip", MAX_STRIP)
        if not all(isinstance(text, str) and len(text) <= MAX_JSON_BYTES for text in texts) or not texts:
            raise RecipeError(f"A strip is of 1 to {MAX_STRIP} recipes as JSON.")
        recipes = [Recipe.from_json(text) for text in texts]
        size = min(CELL_PX, max(app.library.card(recipe.model).resolution for recipe in recipes))
        picture = app.engine.sheet(recipes, len(recipes), size, 0, visitor_of(data), smooth=True)
        return {"image": frames.data_uri(picture, lossless=False)}

    return strip


def cells(pictures: Sequence[tuple[Recipe | None, str]], columns: int, here: int | None = None) -> dict[str, Any]:
    """The value of a sheet: (recipe, caption) pairs row by row.

    Args:
        pictures: a recipe of None leaves a gap.
        columns: 0 is as many as fit.
        here: the cell that is marked and scrolled to.
    """
    listed: list[dict[str, Any]] = [
        {"recipe": recipe.json if recipe else None, "caption": caption} for recipe, caption in pictures
    ]
    if here is not None:
        listed[here]["here"] = True
    return {"columns": columns, "cells": listed}
