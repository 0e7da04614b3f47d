"""What the parts that find directions share: a look at each direction, and keeping it under a name; see found.js."""

from collections.abc import Callable, Mapping
from typing import Any

import gradio as gr

from explorer import frames
from explorer.context import AppContext
from explorer.recipe import MAX_JSON_BYTES, Recipe
from explorer.ui.bind import answering, text_of, visitor_of
from explorer.ui.shared import Shared
from explorer.values import show


def recipe_in(data: Mapping[str, Any]) -> Recipe:
    """The recipe on screen, as a component sends it with its questions."""
    return Recipe.from_json(text_of(data, "recipe", MAX_JSON_BYTES))


def looking(app: AppContext) -> Callable[..., Any]:
    """The server function that shows a direction: {visitor, recipe, digest} → {strip, ends}, two images."""

    @answering
    def look(data: Mapping[str, Any]) -> dict[str, Any]:
        seen = app.finder.look(recipe_in(data), text_of(data, "digest", 64), f"{visitor_of(data)}/look")
        return {
            "strip": frames.data_uri(seen.strip, lossless=False),
            "ends": frames.data_uri(seen.ends, lossless=False),
        }

    return look


def keeping(app: AppContext, shared: Shared, component: gr.HTML) -> None:
    """Its event `keep` {recipe, digest, name} keeps a direction; its value then is {kept: digest, name}."""

    def keep(key: str, request: gr.Request, event: gr.EventData) -> dict[str, Any]:
        asked = event._data
        card = app.library.card(shared.present(asked.get("recipe", "")).model)
        direction = app.finder.found(card.digest, asked.get("digest"), asked.get("name"))
        store = app.directions(request.username, key)
        app.make_room()
        kept = store.keep(card, direction)
        if kept.name != direction.name:  # it is there already, under another name
            kept = store.rename(card, kept.digest, direction.name)
        return {"kept": kept.digest, "name": kept.name}

    shared.on(component.keep, keep, shared.visitor, component)


def whole_of(data: Mapping[str, Any], key: str) -> Any:
    """A number that a browser sent; what it is for checks it."""
    value = data.get(key)
    return int(value) if isinstance(value, float) and value.is_integer() else value


def names_of(data: Mapping[str, Any], key: str) -> tuple[Any, ...]:
    """A list that a browser sent; what it is for checks it."""
    value = data.get(key, [])
    return tuple(value) if isinstance(value, list) else (show(value),)
