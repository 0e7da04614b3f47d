"""The Measure tab: choose models, data and metrics, see what that costs, measure, compare what was measured.

One component holds the form, what is going on, and all measurements; where strangers come it is built for reading only.
"""

from collections.abc import Mapping
from typing import Any

import gradio as gr

from explorer.context import AppContext
from explorer.measure_charts import charts, chosen, label_of
from explorer.measurement_store import MAX_READ_BYTES, csv_of, detail_of, row_of
from explorer.ui.bind import MAX_NAME, answering, text_of
from explorer.ui.files import file_of
from explorer.ui.shared import Shared
from explorer.values import RecipeError

MOST_ROWS = 500  # on the page; a CSV has all
MAX_LABEL = 400

_TEMPLATE = (
    '<div class="measure"><section class="ask" aria-label="What to measure"></section>'
    '<section class="measured" aria-label="Measurements"></section></div>'
)
_READING = '<div class="measure reading"><section class="measured" aria-label="Measurements"></section></div>'
_JS = "window.explorer.measuring(element, server);"


def build(app: AppContext, shared: Shared) -> None:
    """Draw the tab."""
    owner = app.options.owner
    gr.HTML(
        html_template=_TEMPLATE if owner else _READING, js_on_load=_JS, apply_default_css=False, elem_id="measuring",
        server_functions=[*_looks(app), *(_acts(app) if owner else [])],
    )  # fmt: skip


def listed(app: AppContext, model: str, metric: str) -> list[dict[str, Any]]:
    """Measurements as plain data, the newest first."""
    return [{**row_of(one), "of": label_of(one.measurement)} for one in chosen(app.measurer.all(), model, metric)]


def _looks(app: AppContext) -> list[Any]:
    measurer = app.measurer

    def filters(data: Mapping[str, Any]) -> tuple[str, str]:
        return text_of(data, "model", MAX_LABEL), text_of(data, "metric", MAX_LABEL)

    @answering
    def measurements(data: Mapping[str, Any]) -> dict[str, Any]:
        """{model, metric} → {rows, total, charts, models, metrics}; "" is any."""
        kept, (model, metric) = measurer.all(), filters(data)
        rows = listed(app, model, metric)
        return {
            "rows": rows[:MOST_ROWS],
            "total": len(rows),
            "charts": charts(chosen(kept, model, metric)),
            "models": sorted({label_of(one.measurement) for one in kept} - {"–"}),
            "metrics": sorted({one.measurement.title for one in kept}),
        }

    @answering
    def detail(data: Mapping[str, Any]) -> dict[str, Any]:
        """{id} → {histograms, bits}: what a table has no room for."""
        return detail_of(measurer.one(text_of(data, "id", MAX_NAME)))

    @answering
    def csv(data: Mapping[str, Any]) -> dict[str, Any]:
        """{model, metric} → {csv}"""
        return {"csv": csv_of(chosen(measurer.all(), *filters(data)))}

    return [measurements, detail, csv]


def _acts(app: AppContext) -> list[Any]:
    measurer = app.measurer

    def form_of(data: Mapping[str, Any]) -> Mapping[str, Any]:
        form = data.get("form")
        if not isinstance(form, dict):
            raise RecipeError("A request has a form.")
        return form

    @answering
    def offered(data: Mapping[str, Any]) -> dict[str, Any]:
        """{} → what the form offers."""
        return measurer.counter.offered()

    @answering
    def cost(data: Mapping[str, Any]) -> dict[str, Any]:
        """{form} → {sec, time, errors}: what it costs in time and in error."""
        return measurer.told(form_of(data))

    @answering
    def measure(data: Mapping[str, Any]) -> dict[str, Any]:
        """{form} → {}: begin."""
        measurer.start(form_of(data))
        return {}

    @answering
    def now(data: Mapping[str, Any]) -> dict[str, Any]:
        """{} → {state, share, left_sec, phase, error, kept}; `kept` changes with what the table holds."""
        return {**measurer.status(), "kept": measurer.version}

    @answering
    def cancel(data: Mapping[str, Any]) -> dict[str, Any]:
        """{} → {}: end what runs."""
        measurer.cancel()
        return {}

    @answering
    def go_on(data: Mapping[str, Any]) -> dict[str, Any]:
        """{} → {}: begin with what was left when the app ended."""
        measurer.go_on()
        return {}

    @answering
    def forget(data: Mapping[str, Any]) -> dict[str, Any]:
        """{} → {}: leave that."""
        measurer.forget()
        return {}

    @answering
    def remove(data: Mapping[str, Any]) -> dict[str, Any]:
        """{id} → {}: take a measurement out of the table."""
        measurer.store.remove(text_of(data, "id", MAX_NAME))
        return {}

    @answering
    def read_in(data: Mapping[str, Any]) -> dict[str, Any]:
        """{file: base64} → {words}: a file of JSON lines, as the command line writes them."""
        return {"words": measurer.store.read_in(file_of(data, "file", MAX_READ_BYTES)).words}

    return [offered, cost, measure, now, cancel, go_on, forget, remove, read_in]
