"""Undo and redo: the visitor's history in a gr.State, and the strip of its pictures under the stage.

The page asks for one of these events at a time (stage.js): each pushes what is on screen before it moves, so that no
edit is lost, and none sees a picture older than the history that it is pushed on.
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
    """Tie the stage's step, undo and redo events, and clicks on the strip, to the history in `state`."""

    def pushed(history: History | None, text: str) -> History:
        present = shared.present(text)
        return History(present) if history is None else history.push(present)

    def step(history: History | None, event: gr.EventData) -> Any:
        now = pushed(history, getattr(event, "recipe", ""))
        return now, _cells(now)

    def moved(to: Callable[[History], History]) -> Callable[[History | None, str], Any]:
        def move(history: History | None, text: str) -> Any:
            now = to(pushed(history, text))
            return now, _cells(now), now.present.json

        return move

    def pick(history: History | None, text: str, index: object) -> Any:
        now = pushed(history, text)
        if isinstance(index, bool) or not isinstance(index, int) or not 0 <= index < len(now.steps):
            raise RecipeError("This step is not there any more.")
        return moved(lambda history: history.at(index))(now, text)

    def clicked(history: History | None, text: str, event: gr.EventData) -> Any:
        return pick(history, text, getattr(event, "index", None))

    inputs, outputs = [state, shared.live], [state, strip, shared.live]
    over = "() => { window.explorer.moved(null); }"  # what is on screen stays: it may be newer
    stepped = shared.on(shared.live.step, step, state, outputs[:2])
    stepped.then(None, None, None, js=over, show_progress="hidden")
    events = [
        shared.on(shared.live.undo, moved(History.undo), inputs, outputs),
        shared.on(shared.live.redo, moved(History.redo), inputs, outputs),
        shared.on(strip.pick, clicked, inputs, outputs),
    ]
    for event in events:
        event.then(None, shared.live, None, js="(json) => { window.explorer.moved(json); }", show_progress="hidden")


def _cells(history: History) -> dict[str, Any]:
    return sheet.cells([(recipe, describe(recipe)) for recipe in history.steps], 0, here=len(history.past))
