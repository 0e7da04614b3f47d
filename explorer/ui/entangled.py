"""The Entanglement part of the Directions tab: cosines of directions, and what each changes of every score."""

from collections.abc import Iterator, Mapping
from typing import Any

import gradio as gr

from explorer import entangling
from explorer.context import AppContext
from explorer.entangling import Measured
from explorer.jobs import Jobs
from explorer.ui.bind import answering, text_of
from explorer.ui.figures import Work
from explorer.ui.shared import Shared
from explorer.values import items
from explorer.words import spoken

DEMO_SEEDS = 200

_TEMPLATE = (
    '<div class="entangled"><div class="go" role="toolbar" aria-label="What to compare">'
    '<span class="pick" data-pick="kind"><button type="button" data-value="cosines" aria-pressed="true" '
    'title="Cosine of the angle between each two directions">Cosines</button>'
    '<button type="button" data-value="measured" aria-pressed="false" '
    'title="Change of every score for a step of one σ along each direction, averaged over seeds">Measured</button>'
    "</span>"
    '<span class="pick" data-pick="space"><button type="button" data-value="w" aria-pressed="true" '
    'title="Move w">W</button><button type="button" data-value="z" aria-pressed="false" title="Move z">Z</button>'
    "</span>"
    '<label title="Directions that are locked in Steer are held still"><input type="checkbox" data-locks> '
    'with locks <span class="count"></span></label><span class="measuring"><label>seeds <input type="number" '
    f'data-seeds min="{entangling.MIN_SEEDS}" max="MOST" step="1" value="{entangling.SEEDS}"></label>'
    '<button type="button" data-go>Measure</button></span>'
    '<button type="button" data-csv title="The table as a CSV file">CSV</button></div>'
    '<div class="state"><progress max="1" value="0"></progress><span class="told" aria-live="polite"></span></div>'
    '<div class="heat"></div><p class="told hover"></p></div>'
)


def build(app: AppContext, shared: Shared) -> None:
    """Draw the part."""
    most = DEMO_SEEDS if app.options.demo else entangling.MAX_SEEDS

    @answering
    def cosines(data: Mapping[str, Any]) -> dict[str, Any]:
        """{model, digests, locks, space} → the table."""
        model = text_of(data, "model", 64)
        directions, locks = _asked(app, model, data)
        return entangling.cosine_table(directions, locks, text_of(data, "space", 8))

    def make(data: Mapping[str, Any], visitor: str) -> Iterator[Measured]:
        model = text_of(data, "model", 64)
        directions, locks = _asked(app, model, data)
        seeds = min(data.get("seeds", 0), most) if isinstance(data.get("seeds"), int) else data.get("seeds")
        return entangling.measured(
            app.engine, app.scorers, model, directions, locks, text_of(data, "space", 8), seeds, visitor
        )

    def show(record: Measured) -> dict[str, Any]:
        return {"phase": spoken(record.phase), "table": record.table}

    gr.HTML(
        html_template=_TEMPLATE.replace("MOST", str(most)), js_on_load="window.explorer.entangled(element, server);",
        apply_default_css=False, elem_id="entangled",
        server_functions=[cosines, *Work(Jobs(), "entangled", make, show).functions()],
    )  # fmt: skip


def _asked(app: AppContext, model: str, data: Mapping[str, Any]) -> Any:
    """The directions and the locks that a browser names by digest."""
    app.library.card(model)
    listed = items(data.get("digests"), "Directions", entangling.MOST_DIRECTIONS)
    locks = items(data.get("locks"), "Locks", entangling.MOST_DIRECTIONS)
    return entangling.found(app.engine, model, listed), entangling.found(app.engine, model, locks)
