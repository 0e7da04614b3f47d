"""The Truncation tab: seeds × ψ, the paper's figure 8, with the settings of the picture."""

from typing import Any

import gradio as gr

from explorer import sheets, typed
from explorer.context import AppContext
from explorer.recipe import Recipe
from explorer.ui import sheet
from explorer.ui.figures import follower
from explorer.ui.shared import Shared

SEEDS, PSIS = "0-4", ", ".join(f"{psi:g}" for psi in sheets.PAPER_PSIS)
MOST_SEEDS, MOST_PSIS = 24, 12
DEMO_SEEDS = 8


def build(app: AppContext, shared: Shared) -> None:
    """Draw the tab."""
    again = follower()
    most = DEMO_SEEDS if app.options.demo else MOST_SEEDS
    with gr.Row(elem_classes="fields"):
        seeds = gr.Textbox(SEEDS, label="Seeds", info="a row each, like 0-3,8", max_lines=1, elem_id="psi-seeds")
        psis = gr.Textbox(PSIS, label="ψ", info="a column each; 0 is the mean picture",
                          max_lines=1, elem_id="psi-list")  # fmt: skip
    pictures = sheet.sheet(app, "psi-sheet", "Rows are seeds, columns are ψ")

    def figure(text: str, seeds_text: str, psis_text: str) -> Any:
        rows = typed.seeds(seeds_text, "Seeds", most)
        columns = typed.psis(psis_text, MOST_PSIS)
        made = sheets.truncation(shared.present(text), rows, columns)
        cells = [
            _cell(
                recipe,
                rows[index // len(columns)],
                columns[index % len(columns)],
                index < len(columns),
                index % len(columns) == 0,
            )
            for index, recipe in enumerate(made.recipes)
            if recipe
        ]
        return {"columns": made.columns, "cells": cells}

    inputs = [shared.live, seeds, psis]
    shared.on([again.again, seeds.submit, seeds.blur, psis.submit, psis.blur], figure, inputs, pictures, queue=True)


def _cell(recipe: Recipe, seed: int, psi: float, first_row: bool, first_column: bool) -> dict[str, Any]:
    """A picture; those at the edges are named."""
    names = [f"seed {seed}", f"ψ {psi:g}".replace("-", "−")]
    short = f"{seed} · {names[1]}" if first_row and first_column else names[first_row]
    return {"recipe": recipe.json, "caption": ", ".join(names), "short": short, "named": first_row or first_column}
