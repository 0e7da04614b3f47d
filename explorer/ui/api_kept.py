"""Named endpoints for directions that are kept: `/keep_direction`, `/import_directions`, `/export_directions`,
`/rename_direction`, `/forget_direction`. As in `api`.

In a demo everybody keeps directions under a secret word of their own, so that nobody changes another's.
"""

from pathlib import Path
from typing import Any

import gradio as gr

from explorer import direction_import, direction_words
from explorer.base import save_directions, write_boundary
from explorer.context import AppContext
from explorer.direction_store import DirectionStore
from explorer.library import ModelCard
from explorer.ui.api import Upload, endpoint, model_of, record
from explorer.ui.files import new_file
from explorer.values import RecipeError

MAX_VISITOR = 200


def build(app: AppContext) -> None:
    """Make the endpoints known; nothing of them is on the page."""

    def own(request: gr.Request, model: str, visitor: str) -> tuple[ModelCard, DirectionStore]:
        if app.options.demo and not visitor:
            raise RecipeError("In a demo directions are kept under a secret word of yours: give it as visitor.")
        app.make_room()
        return app.library.card(model_of(app, model)), store_of(app, request, visitor)

    def keep_direction(
        request: gr.Request, digest: str = "", name: str = "", model: str = "", visitor: str = ""
    ) -> dict[str, Any]:
        """Keep a direction that /find_directions, /teach_direction or /components has found; what is kept.

        Args:
            digest: of the direction, as it was found.
            name: what to call it; no other direction of the model has this name.
            model: digest or name; empty is the first one of /models.
            visitor: in a demo, a secret word of yours, under which you find it again.
        """
        card, store = own(request, model, visitor)
        return direction_words.listed(store.keep(card, app.finder.found(card.digest, digest, name)))

    def import_directions(request: gr.Request, file: Upload, model: str = "", visitor: str = "") -> dict[str, Any]:
        """Keep the directions of a file for a model: those added, those that were there, and a warning if one is due.

        Args:
            file: NAME.directions.safetensors, or a boundary of InterFaceGAN, NAME.npy of [1, width] numbers.
            model: digest or name; empty is the first one of /models.
            visitor: in a demo, a secret word of yours, under which you find them again.
        """
        card, store = own(request, model, visitor)
        if not file:
            raise RecipeError("There is no file: send NAME.directions.safetensors or NAME.npy.")
        found = direction_import.take_in(app.engine, store, card, Path(file))
        return {
            "added": [direction_words.listed(direction) for direction in found.added],
            "there": [direction_words.listed(direction) for direction in found.there],
            "warning": found.warning,
        }

    def export_directions(request: gr.Request, name: str = "", model: str = "", visitor: str = "") -> str:
        """All directions of a model as one .directions.safetensors, or one of them as a boundary of InterFaceGAN.

        Args:
            name: name or digest of the one to write as .npy; empty is all of them.
            model: digest or name; empty is the first one of /models.
            visitor: in a demo, the secret word under which you keep directions.
        """
        card, store = app.library.card(model_of(app, model)), store_of(app, request, visitor)
        if not name:
            path = new_file(f"{direction_import.file_name(card.name)}.directions.safetensors")
            save_directions(direction_import.all_of(store, card), path)
            return str(path)
        direction = store.named(card, name)
        path = new_file(f"{direction_import.file_name(direction.name)}_boundary.npy")
        write_boundary(direction, path)
        return str(path)

    def rename_direction(
        request: gr.Request, direction: str = "", name: str = "", model: str = "", visitor: str = ""
    ) -> dict[str, Any]:
        """Give a kept direction another name; it stays the same direction.

        Args:
            direction: name or digest of a kept one.
            name: what to call it.
            model: digest or name; empty is the first one of /models.
            visitor: in a demo, the secret word under which you keep it.
        """
        card, store = own(request, model, visitor)
        return direction_words.listed(store.rename(card, store.named(card, direction).digest, name))

    def forget_direction(
        request: gr.Request, direction: str = "", model: str = "", visitor: str = ""
    ) -> dict[str, Any]:
        """Keep a direction no longer; what it was.

        Args:
            direction: name or digest of a kept one.
            model: digest or name; empty is the first one of /models.
            visitor: in a demo, the secret word under which you keep it.
        """
        card, store = own(request, model, visitor)
        found = store.named(card, direction)
        store.forget(card, found.digest)
        return direction_words.listed(found)

    endpoint(keep_direction, [record("direction")])
    endpoint(import_directions, [record("directions")])
    endpoint(export_directions, [gr.File(label="directions", visible=False)])
    endpoint(rename_direction, [record("direction")])
    endpoint(forget_direction, [record("direction")])


def store_of(app: AppContext, request: gr.Request, visitor: object) -> DirectionStore:
    """The directions of whoever asks: the user who is logged in, else the visitor of a demo, else the owner."""
    if not isinstance(visitor, str) or len(visitor) > MAX_VISITOR:
        raise RecipeError(f"visitor is a text of at most {MAX_VISITOR} characters.")
    return app.directions(request.username, visitor)
