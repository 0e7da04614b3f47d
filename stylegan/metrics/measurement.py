"""A measurement: one number with all that it hangs on, so that it can be compared years later, and files of them."""

import csv
import io
import json
import math
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from stylegan.atomic import full_disk_as_error
from stylegan.errors import InputError
from stylegan.metrics.numbers import Number

INCEPTION = "Inception-v3"


@dataclass(frozen=True)
class Measurement:
    """`value`, 95 % interval `low` … `high` where there is one, and what it was measured of.

    `metric` is a key of `TITLES`; `extractor` names the network whose features or distances were used, "" for none;
    `settings` holds what is particular to the metric (space, cutoff, latents mixed, …); `model` and `data` are digests;
    `when` is UTC in ISO form.
    """

    metric: str
    value: float
    low: float | None = None
    high: float | None = None
    extractor: str = ""
    model: str = ""
    model_name: str = ""
    data: str = ""
    data_name: str = ""
    resolution: int = 0
    count: int = 0
    data_count: int = 0
    seed: int = 0
    psi: float = 1.0
    cutoff: int | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    sec: float = 0.0
    when: str = ""
    kimg: float | None = None

    @property
    def title(self) -> str:
        """For people. FID means Inception's features, and nothing else."""
        if self.metric == "frechet" and self.extractor.startswith(INCEPTION):
            return "FID"
        return TITLES.get(self.metric, self.metric)

    @property
    def label(self) -> str:
        """The title, and what tells it from others of that title: `Path length W full`, `Fréchet distance, ψ 0.7`."""
        settings, words = self.settings, [self.title]
        words += [str(settings[key]).upper() for key in ("space",) if key in settings]
        words += [str(settings[key]) for key in ("reach",) if key in settings]
        text = " ".join(words)
        text += ", cropped" if settings.get("crop") else ""
        text += f", {settings['mixed']} mixed" if "mixed" in settings else ""
        text += f", class {settings['class']}" if "class" in settings else ""
        layers = "" if self.cutoff is None else f" in {self.cutoff} layers"
        return text + (f", ψ {self.psi:g}{layers}" if self.psi != 1 else "")

    @property
    def key(self) -> str:
        """A short name for charts and programs: `frechet`, `ppl_w_full`."""
        return "_".join([self.metric, *(str(self.settings[k]) for k in ("space", "reach") if k in self.settings)])

    @property
    def number(self) -> Number:
        """Value and interval."""
        return Number(self.value, self.low, self.high)

    @property
    def conditions(self) -> tuple[Any, ...]:
        """What two measurements must share to be compared: all but the model."""
        settings = json.dumps(dict(self.settings), sort_keys=True)
        return (
            self.metric, self.extractor, self.data, self.resolution, self.count, self.data_count, self.seed, self.psi,
            self.cutoff, settings,
        )  # fmt: skip

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


TITLES = {
    "frechet": "Fréchet distance",
    "frechet_halves": "Fréchet distance of two halves of the data",
    "kid": "Kernel distance (KID)",
    "precision": "Precision",
    "recall": "Recall",
    "ppl": "Path length",
    "separability": "Separability",
    "overlap": "Overlap of attributes",
}


def from_json(data: Any) -> Measurement:
    """The inverse of `to_json` after JSON. Raises InputError for anything else."""
    try:
        known = {item.name for item in fields(Measurement)}
        found = Measurement(**{name: value for name, value in data.items() if name in known})
        numbers = [x for x in (found.value, found.low, found.high, found.sec, found.psi) if x is not None]
        if not all(math.isfinite(float(number)) for number in numbers) or not isinstance(found.settings, dict):
            raise ValueError("a number is not finite")
    except (TypeError, ValueError, AttributeError) as error:
        raise InputError(
            "This is not a measurement: it has a metric, a finite value and what it was measured of."
        ) from error
    return found


class History:
    """All measurements of a place, in an append-only file of JSON lines; lines that cannot be read are left out."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)

    def append(self, found: Iterable[Measurement]) -> None:
        """Add `found` at the end, in one write."""
        lines = "".join(json.dumps(item.to_json(), sort_keys=True, allow_nan=False) + "\n" for item in found)
        with full_disk_as_error(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with open(self.path, "ab") as file:
                file.write(lines.encode())

    def read(self) -> tuple[Measurement, ...]:
        """All of them, the oldest first."""
        try:
            lines = self.path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError):
            return ()
        found = []
        for line in lines:
            try:
                found.append(from_json(json.loads(line)))
            except (ValueError, RecursionError):  # InputError is one
                continue
        return tuple(found)


def add_to(path: Path, found: Iterable[Measurement]) -> None:
    """Add `found` to FILE.jsonl, or as rows to the table FILE.csv, which is made where it is missing.

    Raises:
        InputError: another ending, a folder that does not exist, or a table with other columns.
        DiskFullError: no space left.
    """
    if path.suffix not in (".jsonl", ".csv") or not path.parent.is_dir() or path.is_dir():
        raise InputError(f"Measurements go to FILE.jsonl or FILE.csv in a folder that exists, not to {path}.")
    try:
        begun = path.read_text(encoding="utf-8").partition("\n")[0] if path.is_file() else ""
        if path.suffix == ".csv" and begun not in ("", to_csv(()).strip()):
            raise InputError(f"{path} is a table with other columns: give the name of a new file.")
        rows = tuple(found)
        if path.suffix == ".jsonl":
            History(path).append(rows)
        elif rows:
            with full_disk_as_error(path), open(path, "a", encoding="utf-8", newline="") as file:
                file.write(to_csv(rows, header=not begun))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be written: {getattr(error, 'strerror', None) or error}.") from error


def to_csv(found: Iterable[Measurement], header: bool = True) -> str:
    """A table, one row a measurement; settings as JSON."""
    names = [item.name for item in fields(Measurement)]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    if header:
        writer.writerow(names)
    for item in found:
        row = {**item.to_json(), "settings": json.dumps(dict(item.settings), sort_keys=True)}
        writer.writerow(["" if row[name] is None else _safe(row[name]) for name in names])
    return text.getvalue()


def _safe(value: Any) -> Any:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t") else value
