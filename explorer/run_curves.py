"""Curves of a run, small enough to draw: a few hundred columns, each with the mean and the span of what fell into it.

A spike is never lost, however long the run: it widens the span of its column. Columns divide kimg evenly, or its
logarithm, so that the first minute is seen beside millions of images.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]  # [number of points]
Scale = Literal["linear", "log"]
COLUMNS = 150
NAMES = (
    "generator_loss", "discriminator_loss", "real_score", "fake_score", "penalty", "lod", "resolution",
    "learning_rate", "minibatch", "images_per_sec", "peak_memory_mib",
)  # fmt: skip
NO_MEASURES = ("event", "kimg", "sec")  # numbers of an event that measure nothing
OWN_EVENTS = ("started", "resumed", "tick", "snapshot", "ended", "failed")  # any other event measures the model


@dataclass(frozen=True)
class Curve:
    """Columns from left to right: where each begins and ends in kimg, and the mean, least and largest value there."""

    kimg: tuple[float, ...]  # of the last value in each column
    mean: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


def curves(events: Sequence[Mapping[str, Any]], scale: Scale = "linear", columns: int = COLUMNS) -> dict[str, Curve]:
    """Every quantity that the events tell of, by name: those of ticks, then measurements such as fid."""
    found: dict[str, list[tuple[float, float]]] = {}
    for event in events:
        if event["event"] == "tick":
            _take(found, event["kimg"], ((name, event.get(name)) for name in NAMES))
        elif event["event"] not in OWN_EVENTS:
            _take(found, event["kimg"], _measures(event))
    last = max((points[-1][0] for points in found.values()), default=0.0)
    first = min((points[0][0] for points in found.values()), default=0.0)
    ordered = [name for name in NAMES if name in found] + [name for name in found if name not in NAMES]
    return {name: reduced(found[name], (first, last), scale, columns) for name in ordered}


def reduced(
    points: Sequence[tuple[float, float]], span: tuple[float, float], scale: Scale, columns: int = COLUMNS
) -> Curve:
    """(kimg, value) pairs in order as at most `columns` columns of `span`."""
    kimg, values = np.array(points, np.float64).reshape(-1, 2).T
    column = _column(kimg, span, scale, columns)
    begins = np.flatnonzero(np.diff(column, prepend=-1))  # of the groups: kimg only grows
    counts = np.diff(begins, append=len(column))
    mean = np.add.reduceat(values, begins) / counts
    low, high = np.minimum.reduceat(values, begins), np.maximum.reduceat(values, begins)
    last = kimg[begins + counts - 1]
    return Curve(*(tuple(part.tolist()) for part in (last, np.clip(mean, low, high), low, high)))


def _column(kimg: Numbers, span: tuple[float, float], scale: Scale, columns: int) -> Numbers:
    first, last = span
    if scale == "log":
        least = max(first, last / 1e6, 1e-3)
        kimg, first, last = np.log(np.maximum(kimg, least)), math.log(least), math.log(max(last, least))
    share = (kimg - first) / (last - first) if last > first else np.zeros_like(kimg)
    return np.minimum(np.floor(share * columns), columns - 1)


def _take(found: dict[str, list[tuple[float, float]]], kimg: float, values: Iterable[tuple[str, Any]]) -> None:
    for name, value in values:
        if _is_number(value):
            found.setdefault(name, []).append((float(kimg), float(value)))


def _measures(event: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
    """Numbers of an event that measures the model: its own, or those of an object in it."""
    for key, value in event.items():
        if isinstance(value, Mapping):
            yield from ((str(name), inner) for name, inner in value.items())
        elif key not in NO_MEASURES:
            yield key, value


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
