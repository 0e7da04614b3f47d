"""The Directions tab: steer along directions, find some, see what else they change.

Its parts share one list. In the browser `explorer.onDirections(reader)` calls `reader` with the directions of the model
on screen, [{digest, name, sigma, layers, method, told, kept}, …], at first and whenever they change. An event that has
kept, renamed or forgotten some says so: `shared.on(…).success(None, None, None, js=directions.CHANGED)`.
"""

from typing import Any

import gradio as gr

from explorer import direction_words
from explorer.context import AppContext
from explorer.ui import components, entangled, find, steer, teach
from explorer.ui.direction_files import CHANGED
from explorer.ui.shared import Shared

__all__ = ["CHANGED", "build"]

PARTS = (
    ("Steer", steer.build),
    ("Teach", teach.build),
    ("Fit", find.build),
    ("Unsupervised", components.build),
    ("Entanglement", entangled.build),
)


def build(app: AppContext, shared: Shared) -> None:
    """Draw the tab."""
    listed = gr.HTML(
        html_template="<div></div>",
        js_on_load="window.explorer.listDirections(element, trigger, props, watch); // 'again'",
        apply_default_css=False, elem_classes="follower", elem_id="direction-list",
    )  # fmt: skip
    with gr.Tabs(elem_classes="parts"):
        for name, part in PARTS:
            with gr.Tab(name, elem_id=f"part-{name.lower()}") as shared.tab:
                part(app, shared)

    def again(text: str, key: str, request: gr.Request) -> Any:
        card = app.library.card(shared.present(text).model)
        store = app.directions(request.username, key)
        kept = {direction.digest for direction in store.kept(card)}
        entries = [direction_words.listed(direction) for direction in store.of(card)]
        return {"model": card.digest, "directions": [{**entry, "kept": entry["digest"] in kept} for entry in entries]}

    shared.on(listed.again, again, [shared.live, shared.visitor], listed)
