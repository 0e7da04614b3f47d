"""Named endpoints for directions: `/directions`, `/steer`, `/traversal`, `/entanglement`. As in `api`.

Directions are those beside a model and those that whoever asks has kept: a user by name, everybody else by what is sent
as `visitor`. See `api_kept` for keeping them.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import gradio as gr

from explorer import direction_words, edits, entangling, sheets, steering, typed
from explorer.context import AppContext
from explorer.direction_store import DirectionStore
from explorer.library import ModelCard
from explorer.parts import Direction, Edit
from explorer.recipe import Recipe
from explorer.ui import api_kept
from explorer.ui.api import endpoint, model_of, picture, plain, recipe_of, record, saved, sheet_file
from explorer.ui.api_figures import DEMO_CELLS, MOST_CELLS
from explorer.ui.api_kept import store_of
from explorer.ui.entangled import DEMO_SEEDS
from explorer.values import RecipeError, whole


def build(app: AppContext) -> None:
    """Make the endpoints known; nothing of them is on the page."""

    def directions(request: gr.Request, model: str = "", visitor: str = "") -> list[dict[str, Any]]:
        """The directions of a model: digest, name, σ, layers, method, where each comes from and how well it tells.

        Args:
            model: digest or name; empty is the first one of /models.
            visitor: in a demo, the secret word under which you keep directions.
        """
        card = app.library.card(model_of(app, model))
        store = store_of(app, request, visitor)
        kept = {one.digest for one in store.kept(card)}
        return [
            {
                **direction_words.listed(one),
                "offset": one.offset,
                "kept": one.digest in kept,
                "facts": asdict(one.facts),
            }
            for one in store.of(card)
        ]

    def steer(
        request: gr.Request,
        seed: int = 0,
        direction: str = "",
        strength: float = 2.0,
        layers: str = "",
        locks: str = "",
        psi: float = 0.7,
        cutoff: int | None = None,
        label: int | None = None,
        noise_seed: int | None = None,
        model: str = "",
        recipe: dict[str, Any] | str = "",
        visitor: str = "",
    ) -> tuple[str, Any, Any]:
        """A picture moved along a direction, as a PNG with its recipe; the recipe; and what is read off the picture.

        Args:
            seed: whole number from 0 to 4294967295.
            direction: name or digest, as /directions lists them.
            strength: in standard deviations, from −100 to 100.
            layers: coarse, middle, fine, all, or layers such as 0-3,8; empty is where the direction is meant to act.
            locks: names or digests of directions that are held still, with commas between them.
            psi: truncation ψ, from −10 to 10.
            cutoff: how many layers ψ reaches, from the coarsest; None is all.
            label: class, for models that have classes; None is class 0 there.
            noise_seed: draw all noise from this seed; None is the model's stored noise.
            model: digest or name; empty is the first one of /models.
            recipe: JSON to move in place of a seed, so that several moves come together.
            visitor: in a demo, the secret word under which you keep directions.
        """
        start = recipe_of(recipe) if recipe else plain(app, seed, psi, cutoff, label, noise_seed, model)
        edit = _edit(app, start, store_of(app, request, visitor), direction, layers, locks)
        made = edits.with_edit(start, edit.direction, strength, edit.layers, edit.locks)
        file, data = saved(app, made)
        left = app.readings.left(start.model, [edit.direction.digest], [lock.digest for lock in edit.locks])
        reading = json.loads(json.dumps(asdict(app.readings.of(made))))
        return file, data, {**reading, "left": left[edit.direction.digest]}

    def traversal(
        request: gr.Request,
        direction: str = "",
        seeds: int | str = 0,
        reach: float = 3.0,
        columns: int = 7,
        layers: str = "",
        locks: str = "",
        psi: float = 0.7,
        cutoff: int | None = None,
        label: int | None = None,
        noise_seed: int | None = None,
        model: str = "",
        recipe: dict[str, Any] | str = "",
        visitor: str = "",
    ) -> tuple[str, Any]:
        """Pictures moved along a direction from −reach to reach as one sheet, a row for each seed; and their recipes.

        Args:
            direction: name or digest, as /directions lists them.
            seeds: whole number from 0 to 4294967295, or several as text such as 0-3,8; empty is the recipe's own.
            reach: in standard deviations, from 0.1 to 100.
            columns: pictures in a row, an odd number from 3 to 15.
            layers: coarse, middle, fine, all, or layers such as 0-3,8; empty is where the direction is meant to act.
            locks: names or digests of directions that are held still, with commas between them.
            psi: truncation ψ, from −10 to 10.
            cutoff: how many layers ψ reaches, from the coarsest; None is all.
            label: class, for models that have classes; None is class 0 there.
            noise_seed: draw all noise from this seed; None is the model's stored noise.
            model: digest or name; empty is the first one of /models.
            recipe: JSON to move in place of psi and what follows it.
            visitor: in a demo, the secret word under which you keep directions.
        """
        strengths = steering.strengths(reach, columns)
        most = (DEMO_CELLS if app.options.demo else MOST_CELLS) // len(strengths)
        start = recipe_of(recipe) if recipe else plain(app, 0, psi, cutoff, label, noise_seed, model)
        edit = _edit(app, start, store_of(app, request, visitor), direction, layers, locks)
        rows: Sequence[Any] = typed.seeds(seeds, "Seeds", most) if isinstance(seeds, str) and seeds else [seeds]
        made = sheets.traversal(start, edit, [start.source] if rows == [""] else rows, strengths)
        recipes = [one for one in made.recipes if one]
        for one in recipes:
            app.engine.check(one)
        return sheet_file(app, recipes, made.columns, "traversal"), [json.loads(one.json) for one in recipes]

    def entanglement(
        request: gr.Request,
        kind: str = "cosines",
        space: str = "w",
        locks: str = "",
        seeds: int = entangling.SEEDS,
        model: str = "",
        visitor: str = "",
    ) -> dict[str, Any]:
        """What else directions change: the cosine matrix, or the measured change of every score per σ; also as CSV.

        Args:
            kind: cosines or measured.
            space: w or z.
            locks: names or digests of directions that are held still, with commas between them.
            seeds: how many pictures are averaged over, for "measured".
            model: digest or name; empty is the first one of /models.
            visitor: in a demo, the secret word under which you keep directions.
        """
        card = app.library.card(model_of(app, model))
        store = store_of(app, request, visitor)
        listed = store.of(card)[: entangling.MOST_DIRECTIONS]
        held = [store.named(card, name) for name in _names(locks)]
        if kind == "cosines":
            return entangling.cosine_table(listed, held, space)
        if kind != "measured":
            raise RecipeError("The kind of a table is cosines or measured.")
        count = whole(seeds, "The number of seeds", DEMO_SEEDS if app.options.demo else entangling.MAX_SEEDS)
        *_, last = entangling.measured(app.engine, app.scorers, card.digest, listed, held, space, count)
        return last.table or {}

    endpoint(directions, [record("directions")])
    endpoint(steer, [picture(), record("recipe"), record("reading")])
    endpoint(traversal, [picture(), record("recipes")])
    endpoint(entanglement, [record("table")])
    api_kept.build(app)


def _edit(app: AppContext, start: Recipe, store: DirectionStore, name: object, layers: str, locks: object) -> Edit:
    """The move that a client names, of strength 0."""
    card: ModelCard = app.library.card(start.model)
    found = store.named(card, str(name))
    where = edits.parse_layers(layers, card.num_ws) if layers else found.layers
    held = [store.named(card, lock) for lock in _names(locks)]
    others = {lock.digest: Direction(lock.name, lock.digest) for lock in held if lock.digest != found.digest}
    return Edit(Direction(found.name, found.digest), 0.0, where, tuple(others.values()))


def _names(text: object) -> list[str]:
    if not isinstance(text, str):
        raise RecipeError("Locks are names or digests in a text, with commas between them.")
    return [name.strip() for name in text.split(",") if name.strip()]
