"""What trainers measured of their own snapshots (`--metrics`): lines of events.jsonl with "measurements" in them."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from explorer.measurement_store import Kept, kept_of
from explorer.runs import Runs
from stylegan.errors import InputError
from stylegan.metrics.measurement import Measurement


class MeasuredRuns:
    """The measurements in the folder of runs; only read. Thread-safe."""

    def __init__(self, runs: Runs) -> None:
        self._runs = runs
        self._known: dict[str, tuple[int, tuple[Kept, ...]]] = {}  # by run: how many lines were read, what they held
        self._lock = threading.Lock()

    def all(self) -> tuple[Kept, ...]:
        """Those of all runs; each has the name of its run."""
        with self._lock:
            found: dict[str, tuple[int, tuple[Kept, ...]]] = {}
            for status in self._runs.listing():
                known = self._known.get(status.name, (-1, ()))
                found[status.name] = known if known[0] == status.events else (status.events, self._read(status.name))
            self._known = found
        return tuple(kept for _, some in found.values() for kept in some)

    def _read(self, name: str) -> tuple[Kept, ...]:
        try:
            with self._runs.lock:
                events = self._runs.reader(name).events()
        except InputError:  # deleted since
            return ()
        return tuple(kept for event in events for kept in _of_event(event, name))


def _of_event(event: Mapping[str, Any], run: str) -> Sequence[Kept]:
    listed = event.get("measurements")
    found = []
    for data in listed if isinstance(listed, list) else ():
        kept = kept_of(data)
        if kept is not None:
            item: Measurement = replace(kept.measurement, model_name=run, kimg=float(event["kimg"]))
            found.append(Kept(kept.id, item, of_run=True))
    return found
