"""Named endpoint for finding directions: `/find_directions`. As in `api`."""

import json
from typing import Any

from explorer import finding
from explorer.adapt import fresh
from explorer.context import AppContext
from explorer.finding import Asked, data_of, table_in
from explorer.ui.api import endpoint, model_of, record
from explorer.values import RecipeError, whole

MAX_CSV_BYTES = 8 << 20


def build(app: AppContext) -> None:
    """Make the endpoint known; nothing of it is on the page."""
    most = finding.DEMO_COUNT if app.options.demo else finding.MAX_COUNT

    def find_directions(
        scorer: str = "measures",
        attributes: str = "",
        count: int = 2000,
        method: str = "svm",
        scores: str = "",
        label: int | None = None,
        model: str = "",
    ) -> Any:
        """Directions fitted to scores of samples: unit vector, σ, counts, and how well each tells samples kept out.

        Args:
            scorer: attributes (the model's own network), measures (of the pixels), or table.
            attributes: names such as brightness,warmth; empty is all that the scorer reads well.
            count: how many samples, from 200 to 50000 (2000 in a demo).
            method: svm or ridge.
            scores: for the scorer table: CSV text with rows seed,value or a header seed,NAME,NAME.
            label: class, for models that have classes; None is class 0 there.
            model: digest or name; empty is the first one of /models.
        """
        if not isinstance(scores, str) or len(scores) > MAX_CSV_BYTES or not isinstance(attributes, str):
            raise RecipeError("Scores are CSV text of at most 8 MiB, and attributes names with commas between them.")
        if whole(count, "The number of samples", most) < finding.MIN_COUNT:
            raise RecipeError(f"The number of samples is from {finding.MIN_COUNT} to {most}, not {count}.")
        digest = model_of(app, model)
        card = app.library.card(digest)
        label = fresh(card).label if label is None else label
        if label is not None and whole(label, "A class", 1 << 20) >= max(card.label_dim, 1):
            raise RecipeError(f"This model has {card.label_dim or 'no'} classes.")
        table = table_in(scores, "scores", most) if scores else None
        names = tuple(name.strip() for name in attributes.split(",") if name.strip())
        asked = Asked(digest, label, scorer, names, count, method, table)
        for step in app.finder.fit(asked):
            found = step.result
        assert found is not None, "the last step has them"
        return json.loads(json.dumps([{**data_of(one), "vector": one.vector.tolist()} for one in found.directions]))

    endpoint(find_directions, [record("directions")])
