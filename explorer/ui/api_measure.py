"""Named endpoints for measurements: `/measurements`, and for the owner `/measure`. As in `api`."""

from typing import Any

from explorer.base import InputError
from explorer.context import AppContext
from explorer.ui.api import endpoint, model_of, record
from explorer.ui.measure import MAX_LABEL, listed
from explorer.values import RecipeError


def build(app: AppContext) -> None:
    """Make the endpoints known; nothing of them is on the page."""

    def measurements(model: str = "", metric: str = "") -> list[dict[str, Any]]:
        """What was measured here, the newest first: value and interval with all that they hang on.

        Args:
            model: as a measurement's "of" says it; empty is all.
            metric: its title, such as Precision; empty is all.
        """
        if not all(isinstance(text, str) and len(text) <= MAX_LABEL for text in (model, metric)):
            raise RecipeError("A model and a metric are named by text.")
        return listed(app, model, metric)

    def measure(
        metrics: str = "fid,kid,pr",
        model: str = "",
        data: str = "portraits",
        count: int = 2000,
        data_count: int | None = None,
        psi: float = 1.0,
        cutoff: int | None = None,
        extractor: str = "lite0",
        seed: int = 0,
    ) -> list[dict[str, Any]]:
        """Measure a model and return the measurements, which are kept. Takes minutes; one at a time.

        Args:
            metrics: of fid, kid, pr, ppl, ls, psi, mixing, attributes, halves, with commas between them.
            model: digest or name, or run:NAME:newest, run:NAME:all; empty is the first one of /models.
            data: portraits, run:NAME for the data of a run, or the path of a folder or zip on this machine.
            count: samples, from 2 to 100000.
            data_count: pictures of the data; None is as many as samples.
            psi: truncation ψ.
            cutoff: how many layers ψ reaches; None is all.
            extractor: lite0, inception, vgg16, or the path of a TorchScript file on this machine.
            seed: of the resamplings that intervals come from.
        """
        if not all(isinstance(text, str) for text in (metrics, model, data, extractor)):
            raise RecipeError("Metrics, model, data and extractor are text.")
        kind, _, run = data.partition(":")
        known = extractor in ("lite0", "inception", "vgg16")
        form = {
            "models": [model if model.startswith("run:") else f"model:{model_of(app, model)}"],
            "data": kind if kind in ("portraits", "run") else "folder",
            "run": run, "folder": data, "metrics": [name.strip() for name in metrics.split(",") if name.strip()],
            "count": count, "data_count": data_count, "psi": psi, "cutoff": cutoff, "seed": seed,
            "extractor": extractor if known else "file", "file": extractor,
        }  # fmt: skip
        before = {one.id for one in app.measurer.all()}
        status = app.measurer.start(form).wait()
        if status.state != "done":
            raise InputError(status.error or "The measurement was cancelled.")
        return [row for row in listed(app, "", "") if row["id"] not in before]

    endpoint(measurements, [record("measurements")])
    if app.options.owner:
        endpoint(measure, [record("measurements")])
