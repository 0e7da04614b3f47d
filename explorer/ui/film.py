"""The Film tab: key pictures on a strip or a sweep of one control, a preview to scrub, and the film as a file.

The film being made lives in the page (film.js) and comes along with every request; what comes of it is `explorer.film`.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gradio as gr

from explorer import edits, film_encode, film_file, film_render, frames, typed
from explorer.context import AppContext
from explorer.film import MAX_JSON_BYTES, MAX_KEYS, MAX_TILES, Film, FilmError
from explorer.film_render import Progress
from explorer.jobs import Jobs
from explorer.recipe import MAX_JSON_BYTES as MAX_RECIPE_BYTES
from explorer.recipe import Recipe
from explorer.ui import sheet
from explorer.ui.bind import answering, text_of, visitor_of
from explorer.ui.figures import Work
from explorer.ui.files import file_of, new_file
from explorer.ui.shared import Shared
from explorer.values import choice

FILMS = 2  # rendered at a time
KEPT = 24  # kept pictures to choose from
MAX_FILE_BYTES, MAX_DEMO_FILE_BYTES = 32 << 20, 8 << 20
DEMO_FRAMES, DEMO_SIDE_PX, DEMO_TILES, DEMO_KEYS = 300, 512, 6, 12


@dataclass(frozen=True)
class Making:
    """A film on its way to a file."""

    progress: Progress
    path: str

    @property
    def share(self) -> float:
        """How much is done, 0 … 1."""
        return self.progress.share


def build(app: AppContext, shared: Shared) -> None:
    """Draw the tab."""
    gr.HTML(
        html_template=Path(__file__).with_suffix(".html").read_text("utf-8"),
        js_on_load="window.explorer.film(element, server);", apply_default_css=False, elem_id="film",
        elem_classes="accepts-files",
        server_functions=[
            sheet.strip_function(app), _facts(app), _seeds(app), _preview(app), _opened(app), _written(app),
            *_making(app, Jobs(FILMS)).functions(),
        ],
    )  # fmt: skip
    with gr.Accordion("Kept pictures", open=False, elem_id="film-kept-fold") as fold:
        kept = sheet.sheet(app, "film-kept", "Kept pictures: a click makes one a key", loads=False)

    def look(key: str, request: gr.Request) -> Any:
        listed = app.gallery(request.username, key).listing().pictures[:KEPT]
        return sheet.cells([(one.recipe, "add as a key") for one in listed], 0)

    shared.on(fold.expand, look, shared.visitor, kept)


def checked(app: AppContext, film: Film) -> Film:
    """`film`, unless it is more than this app makes for strangers. InputError says by how much."""
    if app.options.demo:
        side = max(film.frame_size(app.library.card(film.model).resolution))
        for has, most, what in (
            (film.frames, DEMO_FRAMES, "frames"), (side, DEMO_SIDE_PX, "pixels a side"),
            (film.tiles, DEMO_TILES, "pictures in a frame"), (len(film.keys), DEMO_KEYS, "keys"),
        ):  # fmt: skip
            if has > most:
                raise FilmError(f"Here a film has at most {most} {what}, not {has}.")
    return film


def suffix_of(kind: object) -> str:
    """The ending of a file from the name of its format, such as "mp4"."""
    return f".{choice(kind, 'The format of a film', [suffix[1:] for suffix in film_encode.FORMATS])}"


def _film(app: AppContext, data: Mapping[str, Any]) -> Film:
    """{film: JSON, grid: seeds as typed} from the page."""
    film = Film.from_json(text_of(data, "film", MAX_JSON_BYTES))
    grid = text_of(data, "grid", typed.MAX_CHARACTERS)
    seeds = tuple(typed.seeds(grid, "Grid", MAX_TILES)) if grid.strip() else ()
    return checked(app, replace(film, seeds=seeds))


def _facts(app: AppContext) -> Callable[..., Any]:
    @answering
    def facts(data: Mapping[str, Any]) -> dict[str, Any]:
        """{model} → {resolution, noise, directions: [[name, digest], …]}."""
        card = app.library.card(text_of(data, "model", 64))
        named = sorted((direction.name, direction.digest) for direction in _directions(app, card.digest))
        return {"resolution": card.resolution, "noise": card.has_noise, "directions": named}

    return facts


def _directions(app: AppContext, model: str) -> Iterable[Any]:
    """Those that everybody may see: what others keep is theirs, where there are others."""
    if app.options.demo or app.options.auth:
        return app.library.directions_beside(model)
    return app.library.directions(model).values()


def _seeds(app: AppContext) -> Callable[..., Any]:
    @answering
    def seeds(data: Mapping[str, Any]) -> dict[str, Any]:
        """{recipe, seeds: as typed} → {recipes}: the picture from each of the seeds."""
        recipe = Recipe.from_json(text_of(data, "recipe", MAX_RECIPE_BYTES))
        listed = typed.seeds(text_of(data, "seeds", typed.MAX_CHARACTERS), "Keys", MAX_KEYS)
        return {"recipes": [edits.with_seed(recipe, seed).json for seed in listed]}

    return seeds


def _preview(app: AppContext) -> Callable[..., Any]:
    @answering
    def preview(data: Mapping[str, Any]) -> dict[str, Any]:
        """{visitor, film, grid} → {image: strip, frames: [number, …], recipes, total, fps, width, height}."""
        film = _film(app, data)
        made = film_render.preview(app.engine, film, f"{visitor_of(data)}/film-preview")
        width, height = film.frame_size(app.library.card(film.model).resolution)
        return {
            "image": frames.data_uri(made.strip, lossless=False),
            "frames": list(made.frames),
            "recipes": [recipe.json for recipe in made.recipes],
            "total": film.frames,
            "fps": film.fps,
            "size": [width, height],
        }

    return preview


def _opened(app: AppContext) -> Callable[..., Any]:
    most = MAX_DEMO_FILE_BYTES if app.options.demo else MAX_FILE_BYTES

    @answering
    def opened(data: Mapping[str, Any]) -> dict[str, Any]:
        """{file: base64} → {film}: what a film file, or a film made here, carries."""
        film = checked(app, film_file.read(file_of(data, "file", most)))
        film_render.Course(app.engine, film)  # whether it can be shown here
        return {"film": json.loads(film.json)}

    return opened


def _written(app: AppContext) -> Callable[..., Any]:
    @answering
    def written(data: Mapping[str, Any]) -> dict[str, Any]:
        """{film, grid} → {json}: the film file."""
        return {"json": _film(app, data).json}

    return written


def _making(app: AppContext, jobs: Jobs) -> Work[Making]:
    """The film as a file: {film, grid, format} → {done, total, stage, url}; the file is there when the job is done."""

    def make(data: Mapping[str, Any], owner: str) -> Iterator[Making]:
        film, suffix = _film(app, data), suffix_of(data.get("format"))
        path = new_file(f"film{suffix}")
        for progress in film_render.render(app.engine, film, path, owner):
            yield Making(progress, str(path))

    def shown(record: Making) -> dict[str, Any]:
        return {**vars(record.progress), "url": f"gradio_api/file={record.path}"}

    return Work(jobs, "film", make, shown)
