"""Named endpoints for finding directions: `/find_directions`, `/teach_direction`, `/components`. As in `api`.

What they find can be kept with `/keep_direction`.
"""

import json
from typing import Any

from explorer import finding, teaching
from explorer.adapt import fresh
from explorer.context import AppContext
from explorer.finding import Asked, data_of, table_in
from explorer.ui.api import endpoint, model_of, record
from explorer.values import RecipeError, whole

MAX_CSV_BYTES = 8 << 20


def build(app: AppContext) -> None:
    """Make the endpoints known; nothing of them is on the page."""
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
        digest, label = asked_of(model, label)
        table = table_in(scores, "scores", most) if scores else None
        names = tuple(name.strip() for name in attributes.split(",") if name.strip())
        asked = Asked(digest, label, scorer, names, count, method, table)
        for step in app.finder.fit(asked):
            found = step.result
        assert found is not None, "the last step has them"
        return [plainly(one) for one in found.directions]

    def teach_direction(
        labels: list[list[Any]] | str = "", label: int | None = None, model: str = ""
    ) -> dict[str, Any]:
        """A direction from labels of samples, how far to trust it, and the seeds that it is worth asking about next.

        Args:
            labels: pairs [seed, true or false], or CSV text with rows seed,1 or seed,0; at least 8 of either.
            label: class, for models that have classes; None is class 0 there.
            model: digest or name; empty is the first one of /models.
        """
        digest, label = asked_of(model, label)
        if isinstance(labels, str):
            _, known = teaching.labels_in(labels[:MAX_CSV_BYTES], "labels")
        else:
            known = teaching.check_labels(labels)
        lesson = teaching.lesson(app.engine, app.finder, digest, label, known)
        told = {"positives": lesson.positives, "negatives": lesson.negatives, "next": list(lesson.page)}
        if lesson.taught is None:
            return {**told, "direction": None, "uncertainty": None}
        sure = lesson.taught.uncertainty
        return {**told, "direction": plainly(lesson.taught.direction), "uncertainty": {**vars(sure), "told": str(sure)}}

    def components(
        kind: str = "pca", band: str = "all", count: int = 8, label: int | None = None, model: str = ""
    ) -> Any:
        """Directions without labels, the strongest first: principal components of W, or singular vectors of the styles.

        Args:
            kind: pca (GANSpace) or sefa (SeFa).
            band: of layers: coarse, middle, fine or all.
            count: how many, from 1 to 24.
            label: class, for models that have classes; None is class 0 there.
            model: digest or name; empty is the first one of /models.
        """
        digest, label = asked_of(model, label)
        for step in app.finder.components(digest, label, kind, band, count):
            found = step.result
        assert found is not None, "the last step has them"
        return [plainly(one) for one in found.directions]

    def asked_of(model: str, label: int | None) -> tuple[str, int | None]:
        digest = model_of(app, model)
        card = app.library.card(digest)
        label = fresh(card).label if label is None else label
        if label is not None and whole(label, "A class", 1 << 20) >= max(card.label_dim, 1):
            raise RecipeError(f"This model has {card.label_dim or 'no'} classes.")
        return digest, label

    def plainly(one: Any) -> Any:
        return json.loads(json.dumps({**data_of(one), "vector": one.vector.tolist()}))

    endpoint(find_directions, [record("directions")])
    endpoint(teach_direction, [record("lesson")])
    endpoint(components, [record("directions")])
