"""A named endpoint for films: `/film`. As in `api`."""

import json
from typing import Any

import gradio as gr

from explorer import edits, film_render, typed
from explorer.adapt import fresh
from explorer.context import AppContext
from explorer.film import MAX_KEYS, Film, Key
from explorer.ui.api import endpoint, model_of, record
from explorer.ui.files import new_file
from explorer.ui.film import FILMS, checked, suffix_of


def build(app: AppContext) -> None:
    """Make the endpoint known; nothing of it is on the page."""

    def film(
        film: dict[str, Any] | str = "",
        seeds: str = "0-2",
        format: str = "mp4",
        step_sec: float = 2.0,
        fps: int = 25,
        end: str = "loop",
        easing: str = "smooth",
        space: str = "w",
        size: int | None = None,
        psi: float = 0.7,
        model: str = "",
    ) -> tuple[str, Any]:
        """A film as a file that carries its JSON, and that JSON.

        Args:
            film: the JSON of a whole film, as this endpoint returns it; what follows counts only where it is empty.
            seeds: a key picture each, such as 0-3,8.
            format: mp4, webp, gif or zip (PNG frames).
            step_sec: seconds from key to key.
            fps: frames per second, from 1 to 60.
            end: stop, loop, or back (there and back).
            easing: linear, smooth (slow at each key) or even (by how much the picture changes).
            space: w (straight) or z (on the sphere).
            size: pixels per side; None is the model's own.
            psi: truncation ψ of all keys, from −10 to 10.
            model: digest or name; empty is the first one of /models.
        """
        suffix = suffix_of(format)
        if film:
            made = Film.from_json(film) if isinstance(film, str) else Film.from_data(film)
        else:
            start = edits.with_psi(fresh(app.library.card(model_of(app, model))), psi)
            keys = [Key(edits.with_seed(start, seed)) for seed in typed.seeds(seeds, "Seeds", MAX_KEYS)]
            made = Film(tuple(keys), None, space, easing, end, step_sec, fps, size=size)
        checked(app, made)
        path = new_file(f"film{suffix}")
        for _ in film_render.render(app.engine, made, path):
            pass
        return str(path), json.loads(made.json)

    endpoint(film, [gr.File(label="film", visible=False), record("film")], at_once=FILMS)
