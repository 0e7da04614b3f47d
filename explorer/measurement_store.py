"""All measurements that the app keeps, in one file of JSON lines, as `python -m stylegan metrics --out` writes them.

A measurement is known by a digest of its line. What cannot be read stays in the file, and out of the table.
"""

import hashlib
import json
import math
import os
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from explorer.values import RecipeError
from explorer.words import spoken
from stylegan.atomic import full_disk_as_error, write_bytes
from stylegan.errors import DiskFullError, InputError, RunError
from stylegan.metrics.measurement import Measurement, from_json, to_csv

FILE = "measurements.jsonl"
MAX_READ_BYTES = 16 << 20  # of a file that is read in
MAX_TEXT = 300  # characters of a name
MAX_WHOLE = 1 << 53
LARGE = ("histograms", "bits", "overlaps")  # settings that a table has no room for


@dataclass(frozen=True)
class Kept:
    """A measurement, and the name by which the page knows it."""

    id: str
    measurement: Measurement
    of_run: bool = False  # measured by a trainer, kept in its run


@dataclass(frozen=True)
class ReadIn:
    """What came of reading a file in."""

    added: int
    known: int
    refused: int

    @property
    def words(self) -> str:
        """In a sentence."""
        parts = [f"{self.added} measurement{'s' * (self.added != 1)} read in"]
        parts += [f"{self.known} known already"] * (self.known > 0)
        parts += [f"{self.refused} line{'s are' if self.refused > 1 else ' is'} no measurement"] * (self.refused > 0)
        return ", ".join(parts) + "."


class MeasurementStore:
    """The measurements in one folder. Thread-safe; other programs may add lines meanwhile."""

    def __init__(self, folder: Path) -> None:
        """Measurements in `folder`, which is made when the first one comes."""
        self.path = Path(folder) / FILE
        self._lock = threading.RLock()
        self._read: tuple[object, tuple[Kept, ...]] = (None, ())  # size and time of the file, what it held

    def all(self) -> tuple[Kept, ...]:
        """All of them, the newest first; of equal lines one."""
        with self._lock:
            stamp = self._stamp()
            if self._read[0] != stamp:
                found: dict[str, Kept] = {}
                for line in self._lines():
                    if (kept := _kept(line)) is not None:
                        found.setdefault(kept.id, kept)
                self._read = (stamp, newest_first(found.values()))
            return self._read[1]

    @property
    def version(self) -> str:
        """Changes whenever the file does."""
        return repr(self._stamp())

    def one(self, id_: object) -> Kept:
        """InputError: it is not there any more."""
        return one_of(self.all(), id_)

    def append(self, found: Iterable[Measurement]) -> None:
        """Add `found` at the end, in one write. DiskFullError, RunError: the file cannot be written."""
        lines = b"".join(_line(item) + b"\n" for item in found)
        with self._lock, _plain_errors(self.path), full_disk_as_error(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with open(self.path, "a+b") as file:
                size = file.seek(0, os.SEEK_END)
                torn = size > 0 and (file.seek(size - 1), file.read(1))[1] != b"\n"  # by a program that was killed
                file.write(b"\n" + lines if torn else lines)
                file.flush()
                os.fsync(file.fileno())

    def remove(self, id_: object) -> None:
        """Take a measurement out of the file. InputError: it is not there."""
        with self._lock, _plain_errors(self.path):
            self.one(id_)
            lines = [line for line in self._lines() if (kept := _kept(line)) is None or kept.id != id_]
            write_bytes(self.path, b"".join(line + b"\n" for line in lines))

    def read_in(self, data: bytes) -> ReadIn:
        """Add the measurements in a file of JSON lines that are not here yet. InputError: there are none in it."""
        if len(data) > MAX_READ_BYTES:
            raise RecipeError(f"A file of measurements has at most {MAX_READ_BYTES >> 20} MiB.")
        lines = [line for line in data.removeprefix(b"\xef\xbb\xbf").splitlines() if line.strip()]
        found = {kept.id: kept for kept in map(_kept, lines) if kept is not None}
        refused = sum(_kept(line) is None for line in lines)
        if not found:
            raise RecipeError("There is no measurement in this file: it is what metrics --out writes, FILE.jsonl.")
        with self._lock:
            known = {kept.id for kept in self.all()}
            new = [kept.measurement for kept in found.values() if kept.id not in known]
            if new:
                self.append(new)
        return ReadIn(len(new), len(found) - len(new), refused)

    def _stamp(self) -> object:
        try:
            status = self.path.stat()
        except OSError:
            return ()
        return (status.st_size, status.st_mtime_ns)

    def _lines(self) -> list[bytes]:
        try:
            return [line for line in self.path.read_bytes().splitlines() if line.strip()]
        except OSError:
            return []


def one_of(kept: Iterable[Kept], id_: object) -> Kept:
    """The one called `id_`. InputError: it is not there any more."""
    found = next((one for one in kept if one.id == id_), None)
    if found is None:
        raise RecipeError("This measurement is not there any more.")
    return found


def newest_first(kept: Iterable[Kept]) -> tuple[Kept, ...]:
    """Those of one moment stay in their order."""
    return tuple(sorted(kept, key=lambda one: one.measurement.when, reverse=True))


def row_of(kept: Kept) -> dict[str, Any]:
    """A measurement as plain values for a table; `conditions` is the same for those that may be compared."""
    item = kept.measurement
    conditions = hashlib.sha256(repr((item.label, item.conditions)).encode()).hexdigest()[:16]
    return {
        **{key: value for key, value in item.to_json().items() if key != "settings"},
        "id": kept.id,
        "title": item.title,
        "label": item.label,
        "settings": {key: value for key, value in item.settings.items() if key not in LARGE},
        "conditions": conditions,
        "of_run": kept.of_run,
        "detail": any(key in item.settings for key in LARGE),
    }


def detail_of(kept: Kept) -> dict[str, Any]:
    """What a table has no room for: histograms of attributes, bits of each attribute; names without underscores."""
    settings = kept.measurement.settings
    shares = settings.get("histograms") or {}
    found = [{"name": spoken(name), **shares[name], "overlap": _overlap(shares[name])} for name in shares]
    bits = sorted((settings.get("bits") or {}).items(), key=lambda pair: -pair[1])
    return {
        "histograms": sorted(found, key=lambda one: one["overlap"]),
        "bits": [{"name": spoken(name), "bits": value} for name, value in bits],
    }


def csv_of(kept: Iterable[Kept]) -> str:
    """A table."""
    return to_csv(one.measurement for one in kept)


def _overlap(histogram: dict[str, Any]) -> float:
    return float(round(sum(map(min, histogram["data"], histogram["samples"])), 4))


def _line(item: Measurement) -> bytes:
    return json.dumps(item.to_json(), sort_keys=True, allow_nan=False).encode()


def _kept(line: bytes) -> Kept | None:
    """What a line holds; None: it is no measurement, whatever else it is."""
    try:
        return kept_of(json.loads(line))
    except (ValueError, RecursionError):
        return None


def kept_of(data: Any) -> Kept | None:
    """A measurement from plain data; None: it is none."""
    try:
        item = from_json(data)
        _check(item)
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError):  # InputError is a ValueError
        return None
    return Kept(hashlib.sha256(_line(item)).hexdigest()[:16], item)


def _check(item: Measurement) -> None:
    """ValueError: a field is not what it should be; numbers and settings are looked at by `from_json`, too."""
    texts = (item.metric, item.extractor, item.model, item.model_name, item.data, item.data_name, item.when)
    wholes = (item.resolution, item.count, item.data_count, item.seed, 0 if item.cutoff is None else item.cutoff)
    reals = [item.value, item.sec, item.psi, *(x for x in (item.low, item.high, item.kimg) if x is not None)]
    good = (
        all(isinstance(text, str) and len(text) <= MAX_TEXT for text in texts)
        and all(isinstance(x, int) and not isinstance(x, bool) and 0 <= x <= MAX_WHOLE for x in wholes)
        and all(isinstance(x, (int, float)) and not isinstance(x, bool) and math.isfinite(x) for x in reals)
    )
    if not good:
        raise ValueError("a field is not what it should be")
    for shares in (item.settings.get("histograms") or {}).values():
        if not all(math.isfinite(x) for key in ("data", "samples") for x in shares[key]):
            raise ValueError("a share is not finite")
    if not all(math.isfinite(bits) for bits in (item.settings.get("bits") or {}).values()):
        raise ValueError("bits are not finite")


class _plain_errors:
    """Turns what a file system refuses into one sentence."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        """Nothing to do."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError) and not isinstance(error, (DiskFullError, InputError)):
            raise RunError(f"{self._path} cannot be written ({error.strerror or error}).") from error
