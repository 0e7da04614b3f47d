"""What the Train tab shows of runs: curves, sample grids, settings, the log. See train.py."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from explorer import frames
from explorer.run_compare import differing, settings
from explorer.run_curves import curves
from explorer.run_form import Desk
from explorer.ui.bind import MAX_NAME, answering, text_of
from explorer.values import RecipeError, choice, items

MAX_COMPARED = 6


def watch_functions(desk: Desk) -> list[Any]:
    """The server functions that only look."""
    runs = desk.runs

    def named(data: Mapping[str, Any]) -> list[str]:
        names = items(data.get("names"), "The runs to compare", MAX_COMPARED)
        return [text_of({"name": name}, "name", MAX_NAME) for name in names]

    @answering
    def run_curves(data: Mapping[str, Any]) -> dict[str, Any]:
        """{names, scale} → {runs: [{name, curves: {quantity: {kimg, mean, low, high}}}]}"""
        scale = choice(data.get("scale"), "The scale", ("linear", "log"))
        found = []
        for name in named(data):
            with runs.lock:
                events = runs.reader(name).events()
            drawn = curves(events, "log" if scale == "log" else "linear")
            found.append({"name": name, "curves": {key: _rounded(asdict(curve)) for key, curve in drawn.items()}})
        return {"runs": found}

    @answering
    def sample(data: Mapping[str, Any]) -> dict[str, Any]:
        """{name, sample} → {image}: a grid of samples; "reals" are pictures trained on."""
        name, wanted = text_of(data, "name", MAX_NAME), text_of(data, "sample", MAX_NAME)
        with runs.lock:
            reader = runs.reader(name)
            known = wanted == "reals" or wanted in [path.stem for path in reader.folder.samples()]
            path = reader.grid(wanted)
        if not known or not path.is_file():
            raise RecipeError("There are no samples of then.")
        return {"image": frames.file_uri(path)}

    @answering
    def run_settings(data: Mapping[str, Any]) -> dict[str, Any]:
        """{names} → {rows: [[name, value of each run…]]}: of one run all settings, of several those that differ."""
        with runs.lock:
            facts = [runs.reader(name).facts() for name in named(data)]
        if len(facts) == 1:
            return {"rows": [[name, value] for name, value in settings(facts[0]).items()]}
        return {"rows": [[name, *values] for name, values in differing(facts)]}

    @answering
    def log(data: Mapping[str, Any]) -> dict[str, Any]:
        """{name} → {log}"""
        with runs.lock:
            return {"log": runs.reader(text_of(data, "name", MAX_NAME)).log()}

    return [run_curves, sample, run_settings, log]


def _rounded(curve: dict[str, tuple[float, ...]]) -> dict[str, list[float]]:
    """Six digits are more than a screen shows."""
    return {key: [float(f"{value:.6g}") for value in values] for key, values in curve.items()}
