"""The form for a new run on the Train tab: choices, the preset's values, uploads, a look at the data, an estimate."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import gradio as gr

from explorer import frames
from explorer.base import StyleGANError
from explorer.jobs import Jobs
from explorer.run_estimate import Estimate, estimates
from explorer.run_form import DATA, GROUPS, PORTRAITS, PRESETS, RESOLUTIONS, Desk, options_of, preset_values
from explorer.run_preview import look as looked
from explorer.run_uploads import MAX_FILES
from explorer.ui.bind import MAX_NAME, answering, text_of
from explorer.ui.figures import Work
from explorer.values import RecipeError, items

MAX_PATH = 4096


def new_functions(desk: Desk, jobs: Jobs) -> list[Any]:
    """The server functions of the form."""

    @answering
    def choices(data: Mapping[str, Any]) -> dict[str, Any]:
        """{} → what the form offers."""
        return {
            "data": [kind for kind in DATA if kind != "folder" or desk.local],
            "local": desk.local,
            "resolutions": list(RESOLUTIONS),
            "presets": list(PRESETS),
            "portraits": PORTRAITS,
            "groups": [{"title": title, "options": options_of(key)} for key, title in GROUPS.items()],
            "starts": [asdict(start) for start in desk.starts()],
        }

    @answering
    def values(data: Mapping[str, Any]) -> dict[str, Any]:
        """{form} → {values, wrong, name}: what the preset sets, and what is wrong with the form so far."""
        form, beginning, wrong = _form(data), None, ""
        try:
            beginning = desk.beginning(form)
            desk.check(form)
        except StyleGANError as error:
            wrong = str(error)
        return {"values": preset_values(form, beginning), "wrong": wrong}

    @answering
    def uploaded(data: Mapping[str, Any]) -> dict[str, Any]:
        """{files: [{path, name}]} → {upload, words}: what the browser has just uploaded, kept for runs."""
        files = items(data.get("files"), "An upload", MAX_FILES)
        upload = desk.uploads.store([_uploaded(file) for file in files])
        return {"upload": upload, "words": desk.uploads.words(upload)}

    @answering
    def look(data: Mapping[str, Any]) -> dict[str, Any]:
        """{form} → {image, pixels, words, warnings}: what the network will see."""
        form = _form(data)
        plan = desk.sight(form)
        found = looked(*plan)
        image = frames.png_uri(frames.png_bytes(found.sheet))
        return {"image": image, "pixels": found.pixels, "words": found.words, "warnings": list(found.warnings)}

    @answering
    def begin(data: Mapping[str, Any]) -> dict[str, Any]:
        """{form} → {name}: the run has begun, or waits for its turn."""
        form = _form(data)
        return {"name": desk.runs.begin(desk.name(form), desk.plan(form), desk.more(form)).name}

    @answering
    def form_of(data: Mapping[str, Any]) -> dict[str, Any]:
        """{name, snapshot} → {form}: for another run like this one; from a snapshot of it, unless that is ""."""
        return {"form": desk.form(text_of(data, "name", MAX_NAME), text_of(data, "snapshot", MAX_NAME))}

    def measured(data: Mapping[str, Any], visitor: str) -> Iterator[Estimate]:
        form = _form(data)
        desk.more(form)
        return estimates(desk.plan(form), desk.runs.threads, desk.device, desk.snapshots(form), desk.runs.root)

    def told(estimate: Estimate) -> dict[str, Any]:
        return asdict(estimate)

    estimate = Work(jobs, "estimate", measured, told)
    return [choices, values, uploaded, look, begin, form_of, *estimate.functions()]


def _form(data: Mapping[str, Any]) -> Mapping[str, Any]:
    form = data.get("form")
    if not isinstance(form, dict):
        raise RecipeError("A request has a form.")
    return form


def _uploaded(file: object) -> tuple[Path, str]:
    """A file that Gradio took in, by the path it answered with; nothing else on this machine can be named so."""
    if not isinstance(file, dict):
        raise RecipeError("An uploaded file is a path and a name.")
    path = Path(text_of(file, "path", MAX_PATH)).resolve()
    if Path(gr.utils.get_upload_folder()).resolve() not in path.parents or not path.is_file():
        raise RecipeError("This file was not uploaded here.")
    return path, text_of(file, "name", MAX_PATH)
