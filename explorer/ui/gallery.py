"""The Gallery tab: kept pictures, which survive a restart; click to load, remove, save all as a zip."""

from typing import Any

import gradio as gr

from explorer import frames, png
from explorer.context import AppContext
from explorer.gallery import Gallery
from explorer.ui import sheet
from explorer.ui.files import new_file
from explorer.ui.shared import Shared
from explorer.words import describe

PAGE = 60


def build(app: AppContext, shared: Shared) -> None:
    """Draw the tab, and let the stage's Keep button fill it."""
    page = gr.State(0)
    with gr.Row(elem_classes="acts"):
        count = gr.Textbox(label="Kept", show_label=False, interactive=False, container=False, elem_id="gallery-count")
        remove = gr.Button("Remove this picture", size="sm")
        export = gr.Button("Save all as zip", size="sm")
        newer = gr.Button("‹", size="sm", visible=False, elem_classes="only")
        older = gr.Button("›", size="sm", visible=False, elem_classes="only")
        file = gr.DownloadButton("zip", visible="hidden", elem_id="gallery-zip")
    pictures = sheet.sheet(app, "gallery", "Kept pictures")

    def whose(key: str, request: gr.Request) -> Gallery:
        return app.gallery(request.username, key)

    def shown(gallery: Gallery, number: int) -> tuple[Any, ...]:
        listing = gallery.listing()
        total = len(listing.pictures)
        number = min(max(number, 0), max(total - 1, 0) // PAGE)
        some = listing.pictures[number * PAGE : (number + 1) * PAGE]
        cells = [
            {"recipe": kept.recipe.json, "caption": describe(kept.recipe), "image": _thumbnail(gallery, kept.id)}
            for kept in some
        ]
        words = f"{total} picture{'s' * (total != 1)}" if total else "Pictures that you keep come here."
        if total > PAGE:
            words += f", {number * PAGE + 1} to {number * PAGE + len(some)}"
        if listing.damaged:
            words += f"; damaged: {', '.join(listing.damaged)}"
        turnable = gr.update(visible=total > PAGE)
        return number, words, {"columns": 0, "cells": cells}, turnable, turnable

    def look(key: str, number: int, request: gr.Request) -> Any:
        return shown(whose(key, request), number)

    def turned(by: int) -> Any:
        def turn(key: str, number: int, request: gr.Request) -> Any:
            return look(key, number + by, request)

        return turn

    def keep(text: str, key: str, request: gr.Request) -> Any:
        recipe = shared.present(text)
        gallery = whose(key, request)
        app.make_room()
        gallery.keep(png.encode(app.engine.render(recipe), recipe))
        return shown(gallery, 0)

    def drop(text: str, key: str, number: int, request: gr.Request) -> Any:
        gallery = whose(key, request)
        gallery.delete(shared.present(text).digest)
        return shown(gallery, number)

    def zipped(key: str, request: gr.Request) -> str:
        path = new_file("gallery.zip")
        whose(key, request).export(path)
        return str(path)

    outputs = [page, count, pictures, newer, older]
    shared.on(shared.tab.select, look, [shared.visitor, page], outputs)
    shared.on(newer.click, turned(-1), [shared.visitor, page], outputs)
    shared.on(older.click, turned(1), [shared.visitor, page], outputs)
    kept = shared.on(shared.live.keep, keep, [shared.live, shared.visitor], outputs)
    kept.success(None, None, None, js="() => { window.explorer.say('Kept in the gallery.'); }", show_progress="hidden")
    shared.on(remove.click, drop, [shared.live, shared.visitor, page], outputs)
    made = shared.on(export.click, zipped, shared.visitor, file, queue=True)
    made.success(None, None, None, js="() => { document.querySelector('#gallery-zip').click(); }")


def _thumbnail(gallery: Gallery, id_: str) -> str:
    return frames.jpeg_uri(gallery.thumbnail(id_))
