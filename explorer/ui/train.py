"""The Train tab: begin a run, watch it, stop and resume it, look into its snapshots while it trains.

One component holds the list of runs, the form for a new one and the view of those that are chosen; its server functions
are here (the list, what is done to runs) and in train_new (the form), train_watch (curves, samples, settings) and
train_live (pictures of snapshots). What puts a snapshot on the stage is `following`, in the head of the page.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import gradio as gr

from explorer.context import AppContext
from explorer.jobs import Jobs
from explorer.run_data import Status
from explorer.run_form import Desk
from explorer.run_uploads import Uploads
from explorer.runs import Runs
from explorer.ui.bind import MAX_NAME, answering, text_of
from explorer.ui.shared import Shared
from explorer.ui.train_live import live_function
from explorer.ui.train_new import new_functions
from explorer.ui.train_watch import watch_functions
from explorer.values import RecipeError, real, whole

MAX_KIMG = 1e7

_TEMPLATE = (
    '<div class="train"><nav class="runs"><button type="button" class="new">New run</button>'
    '<div class="list" role="list" aria-label="Runs"></div></nav>'
    '<section class="new-run" aria-label="New run" hidden></section>'
    '<section class="run" aria-label="Run" hidden></section></div>'
)
_JS = "window.explorer.training(element, server, upload);"


def build(app: AppContext, shared: Shared) -> None:
    """Draw the tab."""
    runs = Runs(app.options.runs)
    uploads = Uploads(runs.root)
    desk = Desk(runs, app.library, uploads, local=not app.options.public, device=app.options.device)
    functions = [*_acts(desk), *watch_functions(desk), *new_functions(desk, Jobs(max_running=1))]
    gr.HTML(
        html_template=_TEMPLATE, js_on_load=_JS, apply_default_css=False, elem_id="training",
        server_functions=[*functions, live_function(app, runs)],
    )  # fmt: skip


def _acts(desk: Desk) -> list[Any]:
    runs = desk.runs

    @answering
    def runs_now(data: Mapping[str, Any]) -> dict[str, Any]:
        """{} → {runs: […]}: all that there are, as they are now."""
        return {"runs": [_told(status) for status in runs.listing()]}

    @answering
    def stop(data: Mapping[str, Any]) -> dict[str, Any]:
        """{name} → {run}"""
        return {"run": _told(runs.stop(text_of(data, "name", MAX_NAME)))}

    @answering
    def resume(data: Mapping[str, Any]) -> dict[str, Any]:
        """{name, kimg} → {run}; kimg is null, or a new length."""
        kimg = data.get("kimg")
        length = None if kimg is None else real(kimg, "The length of a run in kimg", 0.001, MAX_KIMG)
        return {"run": _told(runs.resume(text_of(data, "name", MAX_NAME), length))}

    @answering
    def remove(data: Mapping[str, Any]) -> dict[str, Any]:
        """{name} → {}: delete the run, and uploads that no other needs."""
        if not desk.local:
            raise RecipeError("Runs are deleted on the machine itself only.")
        runs.delete(text_of(data, "name", MAX_NAME))
        desk.uploads.sweep(desk.all_data())
        return {}

    @answering
    def size(data: Mapping[str, Any]) -> dict[str, Any]:
        """{name} → {mib}: what deleting would free."""
        return {"mib": whole(runs.size_mib(text_of(data, "name", MAX_NAME)), "A size", 1 << 40)}

    return [runs_now, stop, resume, remove, size]


def _told(status: Status) -> dict[str, Any]:
    return asdict(status)
