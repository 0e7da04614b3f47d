"""Undo and redo: the visitor's history in a gr.State, and the strip of its pictures under the stage.

The page asks for one of these events at a time, and for a `step` with what is on screen before it travels (stage.js):
no edit is lost, and none is pushed on a history that has moved on.
"""

from collections.abc import Callable
from typing import Any

import gradio as gr

from explorer.history import History
from explorer.ui import sheet
from explorer.ui.shared import Shared
from explorer.values import RecipeError
from explorer.words import describe


def connect(shared: Shared, state: gr.State, strip: gr.HTML) -> None:
    """Tie the stage's events step, undo, redo and at (one of the steps) to the history in `state`."""

    def step(history: History | None, event: gr.EventData) -> Any:
        recipe = shared.present(getattr(event, "recipe", ""))
        now = History(recipe) if history is None else history.push(recipe)
        return now, _cells(now)

    def travelled(to: Callable[[History], History]) -> Callable[[History | None], Any]:
        def travel(history: History | None) -> Any:
            if history is None:
                raise RecipeError("There is no step to go back to.")
            now = to(history)
            return now, _cells(now), now.present.json

        return travel

    def at(history: History | None, event: gr.EventData) -> Any:
        index = getattr(event, "index", None)
        if history is None or not isinstance(index, int) or not 0 <= index < len(history.steps):
            raise RecipeError("This step is not there any more.")
        return travelled(lambda history: history.at(index))(history)

    stepped = shared.on(shared.live.step, step, state, [state, strip])
    stepped.then(None, None, None, js="() => { window.explorer.moved(null); }", show_progress="hidden")
    for trigger, fn in (
        (shared.live.undo, travelled(History.undo)),
        (shared.live.redo, travelled(History.redo)),
        (shared.live.at, at),
    ):
        event = shared.on(trigger, fn, state, [state, strip, shared.live])
        event.then(None, shared.live, None, js="(json) => { window.explorer.moved(json); }", show_progress="hidden")


def _cells(history: History) -> dict[str, Any]:
    return sheet.cells([(recipe, describe(recipe)) for recipe in history.steps], 0, here=len(history.past))
