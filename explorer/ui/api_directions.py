"""Named endpoints for directions: `/directions`, `/steer`, `/entanglement`. As in `api`."""

import json
from dataclasses import asdict
from typing import Any

from explorer import direction_words, edits, entangling
from explorer.adapt import fresh
from explorer.base import MAX_SEED
from explorer.context import AppContext
from explorer.parts import Direction
from explorer.recipe import Recipe
from explorer.ui.api import endpoint, model_of, picture, recipe_of, record, saved
from explorer.ui.entangled import DEMO_SEEDS
from explorer.values import whole


def build(app: AppContext) -> None:
    """Make the endpoints known; nothing of them is on the page."""

    def directions(model: str = "") -> list[dict[str, Any]]:
        """The directions of a model: digest, name, σ, layers, method, where each comes from and how well it tells.

        Args:
            model: digest or name; empty is the first one of /models.
        """
        card = app.library.card(model_of(app, model))
        return [
            {**direction_words.listed(one), "offset": one.offset, "facts": asdict(one.facts)}
            for one in app.directions(None, "").of(card)
        ]

    def steer(
        seed: int = 0,
        direction: str = "",
        strength: float = 2.0,
        layers: str = "",
        locks: str = "",
        psi: float = 0.7,
        model: str = "",
        recipe: dict[str, Any] | str = "",
    ) -> tuple[str, Any, Any]:
        """A picture moved along a direction, as a PNG with its recipe; the recipe; and what is read off the picture.

        Args:
            seed: whole number from 0 to 4294967295.
            direction: name or digest, as /directions lists them.
            strength: in standard deviations, from −100 to 100.
            layers: coarse, middle, fine, all, or layers such as 0-3,8; empty is where the direction is meant to act.
            locks: names or digests of directions that are held still, with commas between them.
            psi: truncation ψ, from −10 to 10.
            model: digest or name; empty is the first one of /models.
            recipe: JSON to move in place of a seed, so that several moves come together.
        """
        digest = model_of(app, model)
        start = recipe_of(recipe) if recipe else _plain(app, digest, seed, psi)
        card = app.library.card(start.model)
        store = app.directions(None, "")
        found = store.named(card, direction)
        held = [store.named(card, name.strip()) for name in str(locks).split(",") if name.strip()]
        where = edits.parse_layers(layers, card.num_ws) if layers else found.layers
        made = edits.with_edit(
            start, Direction(found.name, found.digest), strength, where,
            [Direction(lock.name, lock.digest) for lock in held],
        )  # fmt: skip
        file, data = saved(app, made)
        left = app.readings.left(card.digest, [found.digest], [lock.digest for lock in held])
        reading = json.loads(json.dumps(asdict(app.readings.of(made))))
        return file, data, {**reading, "left": left[found.digest]}

    def entanglement(
        kind: str = "cosines", space: str = "w", locks: str = "", seeds: int = entangling.SEEDS, model: str = ""
    ) -> dict[str, Any]:
        """What else directions change: the cosine matrix, or the measured change of every score per σ; also as CSV.

        Args:
            kind: cosines or measured.
            space: w or z.
            locks: names or digests of directions that are held still, with commas between them.
            seeds: how many pictures are averaged over, for "measured".
            model: digest or name; empty is the first one of /models.
        """
        card = app.library.card(model_of(app, model))
        store = app.directions(None, "")
        listed = store.of(card)[: entangling.MOST_DIRECTIONS]
        held = [store.named(card, name.strip()) for name in str(locks).split(",") if name.strip()]
        if kind != "measured":
            return entangling.cosine_table(listed, held, space)
        count = whole(seeds, "The number of seeds", DEMO_SEEDS if app.options.demo else entangling.MAX_SEEDS)
        *_, last = entangling.measured(app.engine, app.scorers, card.digest, listed, held, space, count)
        return last.table or {}

    endpoint(directions, [record("directions")])
    endpoint(steer, [picture(), record("recipe"), record("reading")])
    endpoint(entanglement, [record("table")])


def _plain(app: AppContext, digest: str, seed: Any, psi: Any) -> Recipe:
    return Recipe(digest, whole(seed, "seed", MAX_SEED), fresh(app.library.card(digest)).label, psi)
