"""Measurements as curves: over the training of a run, over ψ, over how many latents are mixed. And which there are.

A curve has the form that `explorer.run_curves` gives a run's: `kimg` is where its points stand, whatever is counted.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from explorer.measurement_store import Kept
from stylegan.metrics.measurement import Measurement

MOST_SERIES = 6  # models in one chart
FEWEST = {"kimg": 2, "psi": 3, "mixed": 2}  # points that are worth a curve
TITLES = {"kimg": "Over training, kimg", "psi": "The price of truncation, over ψ", "mixed": "Latents mixed"}


def label_of(item: Measurement) -> str:
    """A model as people know it: its name, and how far it had come."""
    if not item.model:
        return "–"
    name = item.model_name or item.model[:8]
    return name if item.kimg is None else f"{name}, {item.kimg:g} kimg"


def chosen(kept: Iterable[Kept], model: str = "", metric: str = "") -> list[Kept]:
    """Those of a model (by `label_of`) and of a metric (by title); "" is any."""
    return [
        one
        for one in kept
        if (not model or label_of(one.measurement) == model) and (not metric or one.measurement.title == metric)
    ]


def charts(kept: Sequence[Kept]) -> list[dict[str, Any]]:
    """What of `kept`, newest first, makes a curve: `[{kind, title, note, runs: [{name, curves}]}]`."""
    items = [one.measurement for one in kept]
    return [
        *_charts("kimg", items, lambda item: item.kimg, lambda item: item.label, lambda item: item.model_name),
        *_charts("psi", items, _psi, lambda item: item.title, _with_cutoff),
        *_charts("mixed", items, lambda item: item.settings.get("mixed"), lambda item: item.title, label_of),
    ]


def note_of(item: Measurement, with_cutoff: bool = True) -> str:
    """What measurements in one chart share, in words."""
    counts = f"{item.count:,} samples"
    if item.data:
        counts += f", {item.data_count:,} pictures of {item.data_name}"
    cutoff = f", cutoff {item.cutoff}" if with_cutoff and item.cutoff is not None else ""
    return f"{item.extractor}; {counts}{cutoff}"


def _with_cutoff(item: Measurement) -> str:
    return label_of(item) + ("" if item.cutoff is None else f", ψ in {item.cutoff} layers")


def _psi(item: Measurement) -> float | None:
    return item.psi if item.metric in ("frechet", "precision", "recall") and "mixed" not in item.settings else None


def _charts(
    kind: str,
    items: Sequence[Measurement],
    place: Callable[[Measurement], Any],
    quantity: Callable[[Measurement], str],
    series: Callable[[Measurement], str],
) -> list[dict[str, Any]]:
    groups: dict[Any, dict[str, dict[str, dict[float, Measurement]]]] = {}  # → series → quantity → place
    notes: dict[Any, str] = {}
    for item in items:
        x = place(item)
        if not isinstance(x, (int, float)) or isinstance(x, bool):
            continue
        key = (
            item.extractor, item.data, item.resolution, item.count, item.data_count, item.seed,
            item.settings.get("class"), None if kind == "psi" else (item.psi, item.cutoff),
        )  # fmt: skip
        notes.setdefault(key, note_of(item, with_cutoff=kind != "psi"))
        curves = groups.setdefault(key, {}).setdefault(series(item), {})
        curves.setdefault(quantity(item), {}).setdefault(float(x), item)  # the newest stays
    found = []
    for key, by_series in groups.items():
        runs = []
        for name, curves in list(by_series.items())[:MOST_SERIES]:
            drawn = {title: _curve(points) for title, points in curves.items() if len(points) >= FEWEST[kind]}
            if drawn:
                runs.append({"name": name, "curves": drawn})
        if runs:
            found.append({"kind": kind, "title": TITLES[kind], "note": notes[key], "runs": runs})
    return found


def _curve(points: dict[float, Measurement]) -> dict[str, list[float]]:
    places = sorted(points)
    items = [points[x] for x in places]
    return {
        "kimg": places,
        "mean": [item.value for item in items],
        "low": [item.value if item.low is None else item.low for item in items],
        "high": [item.value if item.high is None else item.high for item in items],
    }
