"""Directions as files: what people import and save in the Steer part, and what they rename and forget there."""

from pathlib import Path
from typing import Any

import gradio as gr

from explorer import direction_import, steering
from explorer.base import save_directions, write_boundary
from explorer.context import AppContext
from explorer.direction_store import DirectionStore
from explorer.library import ModelCard
from explorer.ui.files import new_file
from explorer.ui.shared import Shared
from explorer.values import RecipeError
from explorer.words import spoken

CHANGED = "() => { window.explorer.directionsChanged(); }"


def build(app: AppContext, shared: Shared, steer: gr.HTML) -> None:
    """Draw the buttons; `steer` has the chosen direction in its value."""
    with gr.Row(elem_classes="acts", elem_id="direction-files"):
        upload = gr.UploadButton("Import", size="sm", file_types=[".safetensors", ".npy"], elem_id="direction-import")
        every = gr.Button("Save all", size="sm", elem_id="direction-save")
        single = gr.Button("Save .npy", size="sm", elem_id="direction-npy")
        name = gr.Textbox(show_label=False, container=False, max_lines=1, max_length=64, elem_id="direction-name",
                          placeholder="another name")  # fmt: skip
        rename = gr.Button("Rename", size="sm", elem_id="direction-rename")
        forget = gr.Button("Forget", size="sm", elem_id="direction-forget")
        file = gr.DownloadButton("file", visible="hidden", elem_id="direction-file")
    note = gr.Textbox(show_label=False, container=False, interactive=False, lines=1, max_lines=3,
                      elem_id="direction-note")  # fmt: skip

    def of(text: str, key: str, request: gr.Request) -> tuple[ModelCard, DirectionStore]:
        return app.library.card(shared.present(text).model), app.directions(request.username, key)

    def take_in(path: Any, text: str, key: str, request: gr.Request) -> str:
        card, store = of(text, key, request)
        app.make_room()
        return direction_import.take_in(app.engine, store, card, Path(path)).words

    def save_all(text: str, key: str, request: gr.Request) -> str:
        card, store = of(text, key, request)
        path = new_file(f"{direction_import.file_name(card.name)}.directions.safetensors")
        save_directions(direction_import.all_of(store, card), path)
        return str(path)

    def save_one(text: str, chosen: Any, key: str, request: gr.Request) -> str:
        card, store = of(text, key, request)
        direction = store.get(card, _digest(chosen))
        path = new_file(f"{direction_import.file_name(direction.name)}_boundary.npy")
        write_boundary(direction, path)
        return str(path)

    def renamed(text: str, chosen: Any, new: str, key: str, request: gr.Request) -> Any:
        card, store = of(text, key, request)
        direction = store.rename(card, _digest(chosen), new.strip())
        return "", f"It is called {spoken(direction.name)} now."

    def forgotten(text: str, chosen: Any, key: str, request: gr.Request) -> Any:
        card, store = of(text, key, request)
        direction = store.get(card, _digest(chosen))
        store.forget(card, direction.digest)
        plain = steering.moved(
            shared.present(text), app.library.directions(card.digest),
            {"digest": direction.digest, "strength": 0, "layers": None, "locks": []},
        )  # fmt: skip
        return plain.json, f"{spoken(direction.name)} is forgotten."

    chosen = [shared.live, steer]
    named = [*chosen, name, shared.visitor]
    events = [
        shared.on(upload.upload, take_in, [upload, shared.live, shared.visitor], note, queue=True),
        *(shared.on(act, renamed, named, [name, note]) for act in (rename.click, name.submit)),
        shared.on(forget.click, forgotten, [*chosen, shared.visitor], [shared.live, note]),
    ]
    for event in events:
        event.success(None, None, None, js=CHANGED, show_progress="hidden")
    for trigger, save, inputs in ((every.click, save_all, chosen[:1]), (single.click, save_one, chosen)):
        made = shared.on(trigger, save, [*inputs, shared.visitor], file, queue=True)
        made.success(None, None, None, js="() => { document.querySelector('#direction-file').click(); }")


def _digest(chosen: Any) -> str:
    digest = chosen.get("digest") if isinstance(chosen, dict) else None
    if not isinstance(digest, str):
        raise RecipeError("No direction is chosen.")
    return digest
