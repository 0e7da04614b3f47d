"""Snapshots on the stage: opening one, and following a run, whose newest is shown as it comes.

A component in the head of the page, which is there whichever tab is open: the Train tab asks it to open or to follow.
Which run is followed is kept in the browser's session, so that it goes on after a reload.
"""

from collections.abc import Mapping
from typing import Any

import gradio as gr

from explorer.context import AppContext
from explorer.recipe import MAX_JSON_BYTES
from explorer.runs import Runs
from explorer.ui import models
from explorer.ui.bind import MAX_NAME, answering, text_of
from explorer.ui.shared import Shared
from explorer.values import RecipeError


def flag(runs: Runs) -> gr.HTML:
    """The component: "following NAME ×" while a run is followed, else nothing to see."""

    @answering
    def newest(data: Mapping[str, Any]) -> dict[str, Any]:
        """{name} → {snapshot}: of a run; null where it has none yet."""
        with runs.lock:
            found = runs.reader(text_of(data, "name", MAX_NAME)).folder.snapshots()
        return {"snapshot": found[-1].stem if found else None}

    return gr.HTML(
        html_template='<button type="button" title="Stop following" hidden></button>',
        js_on_load="window.explorer.following(element, trigger, props, server, watch); // its event: 'open'",
        apply_default_css=False, elem_id="following", server_functions=[newest],
    )  # fmt: skip


def connect(app: AppContext, shared: Shared, runs: Runs, following: gr.HTML) -> None:
    """What its event does, once the chooser of models is drawn."""

    def open_(event: gr.EventData) -> Any:
        """The snapshot that the page names joins the models; the page then shows its recipe with it."""
        name, snapshot = event._data.get("run"), event._data.get("snapshot")
        with runs.lock:
            reader = runs.reader(name)
            if snapshot not in [path.stem for path in reader.folder.snapshots()]:
                raise RecipeError("This snapshot is not there any more.")
            path = reader.snapshot(snapshot)
        card = app.library.open_file(path)
        told = {"digest": card.digest, "run": name, "snapshot": snapshot, "goes": event._data.get("goes") is True}
        if event._data.get("recipe") is not None:
            told["recipe"] = text_of(event._data, "recipe", MAX_JSON_BYTES)
        return gr.update(choices=models.choices(app)), told

    shared.on(following.open, open_, None, [shared.model, following])
