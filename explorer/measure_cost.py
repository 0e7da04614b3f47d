"""What a measurement costs: seconds, from speeds measured on this machine, and what few samples do to its numbers.

Work is counted in units (pictures made, features taken, …), whose seconds are first a guess, from one core of a laptop,
and after every measurement what they took here.
"""

import json
import math
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from stylegan.atomic import write_bytes
from stylegan.metrics.features import Lite0Features
from stylegan.metrics.scripted import KNOWN

FILE = "speeds.json"
START_SEC = 6.0  # of the process: imports, weights
PATHS = 4  # path lengths: Z and W, along paths and at their ends
PSIS, MIXED = 6, 4
FITS = 11  # Fréchet distances for one with its interval
UNBIASED = 5  # times as many samples as dimensions: below, the bias is worth a word
GUESSES = {  # seconds per unit
    "pictures": 2.5e-6, "features lite0": 0.03, "features inception": 0.09, "features vgg16": 0.3, "features": 0.03,
    "distance lite0": 0.05, "distance vgg16": 0.5, "scores": 0.002, "portraits": 0.08, "decoded": 0.003,
    "fid": 1.5, "kid": 1.5e-7, "pr": 1.2e-7, "ls": 2e-3,
}  # fmt: skip
Units = dict[str, float]


@dataclass(frozen=True)
class Size:
    """What the cost of measuring one model hangs on."""

    metrics: tuple[str, ...]
    count: int
    data_count: int
    resolution: int
    extractor: str  # lite0, inception, vgg16, or a file
    distance: str
    portraits: bool  # rendered first, where they are not kept from before
    cutoffs: int = 1  # at which the price of ψ is measured


class Speeds:
    """Seconds per unit on this machine, kept in a file. Thread-safe."""

    def __init__(self, folder: Path) -> None:
        self._path = Path(folder) / FILE
        self._lock = threading.Lock()

    def seconds(self, units: Units) -> float:
        """How long so much work takes."""
        known = self._known()
        return sum(amount * known.get(key, _guess(key)) for key, amount in units.items())

    def learn(self, measured: Mapping[str, Sequence[float]]) -> None:
        """Take in {key: [units, seconds]}; what was known before counts half."""
        with self._lock:
            known = self._known()
            for key, (units, sec) in measured.items():
                if units > 0 and sec > 0:
                    speed = sec / units
                    known[key] = math.sqrt(speed * known[key]) if key in known else speed
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_bytes(self._path, json.dumps(known, sort_keys=True).encode())

    @property
    def measured(self) -> bool:
        """Whether anything was measured here yet."""
        return bool(self._known())

    def _known(self) -> dict[str, float]:
        try:
            found = json.loads(self._path.read_text(encoding="utf-8"))
            return {str(key): float(value) for key, value in found.items() if 0 < float(value) < 1e6}
        except (OSError, ValueError, TypeError, AttributeError):
            return {}


def data_units(size: Size) -> Units:
    """The work of preparing the pictures to measure against."""
    return {"portraits" if size.portraits else "decoded": size.data_count}


def units_of(size: Size, again: bool = False) -> dict[str, Units]:
    """The work of each metric, in the order they are measured in; what several need counts at the first.

    Args:
        again: features of the data are known from an earlier model.
    """
    n, m, side = size.count, size.data_count, size.resolution
    features = features_key(size.extractor)
    width = width_of(size.extractor) or 1280
    done = {"reals"} if again else set()

    def once(key: str, units: Units) -> Units:
        fresh = key not in done
        done.add(key)
        return units if fresh else {}

    def sampled(times: int) -> Units:
        return {f"pictures {side}": n * times, features: n * times}

    found: dict[str, Units] = {}
    for metric in size.metrics:
        parts: list[Units] = []
        if metric in ("fid", "kid", "pr", "psi", "mixing", "halves"):
            parts.append(once("reals", {features: m}))
        if metric in ("fid", "kid", "pr"):
            parts.append(once("fakes", sampled(1)))
        pairs = float(n + m) ** 2
        cube = (width / 1280) ** 3
        if metric == "psi":
            points = 1 + (PSIS - 1) * size.cutoffs  # ψ = 1 is the same at all of them
            fits = PSIS * size.cutoffs
            parts += [
                sampled(points - ("fakes" in done)),
                {"fid": fits * FITS * cube, "pr": fits * pairs * width / 1280},
            ]
        elif metric == "mixing":
            parts += [sampled(MIXED - ("fakes" in done)), {"fid": MIXED * FITS * cube}]
        elif metric == "fid":
            parts.append({"fid": FITS * cube})
        elif metric == "halves":
            parts.append({"fid": cube})
        elif metric in ("kid", "pr"):
            parts.append({metric: pairs * width / 1280})
        elif metric == "ppl":
            paths = float(PATHS * n)
            parts.append({f"pictures {side}": 2 * paths, f"distance {size.distance}": paths})
        elif metric == "ls":
            parts += [once("scored", {f"pictures {side}": n, "scores": n}), {"ls": n}]
        elif metric == "attributes":
            parts += [once("scored", {f"pictures {side}": n, "scores": n}), {"scores": m}]
        found[metric] = _sum(parts)
    return found


def features_key(extractor: str) -> str:
    """Under which the speed of an extractor is kept; files of one's own are taken for alike."""
    return f"features {extractor}" if extractor in (*KNOWN, "lite0") else "features"


def width_of(extractor: str) -> int | None:
    """Dimensions of an extractor's features; None for a file of one's own, before it is opened."""
    return Lite0Features.width if extractor == "lite0" else KNOWN[extractor].width if extractor in KNOWN else None


def name_of(extractor: str) -> str:
    """As it stands beside numbers."""
    if extractor == "lite0":
        return Lite0Features.name
    return KNOWN[extractor].name if extractor in KNOWN else f"TorchScript {Path(extractor).stem}"


def errors_of(size: Size) -> Iterator[str]:
    """Sentences on what the number of samples does to the numbers."""
    n, width, name = min(size.count, size.data_count), width_of(size.extractor), name_of(size.extractor)
    if any(metric in size.metrics for metric in ("fid", "psi", "mixing", "halves")) and width is not None:
        same = "Compare it with numbers of the same count only"
        if n < width:
            yield (
                f"{n:,} pictures are fewer than the {width:,} dimensions of {name}: the Fréchet distance comes out far "
                f"too high. {same}, or take KID, which has no such bias."
            )
        elif n < UNBIASED * width:
            yield f"With {n:,} pictures the Fréchet distance still comes out too high. {same}; halves tell how much."
    if any(metric in size.metrics for metric in ("pr", "psi")):
        yield f"Precision and recall: ±{0.98 / math.sqrt(n):.2g} at most, from the draw of {n:,} samples."
    if "ls" in size.metrics and size.count < 5000:
        yield f"Separability: the surest {size.count // 2:,} samples count; so few are told apart too easily."


def duration(sec: float) -> str:
    """`about 40 s`, `about 12 min`, `about 3 h`: no finer than an estimate is."""
    if sec < 55:
        return f"about {max(5, 5 * round(sec / 5))} s"
    if sec < 5400:
        return f"about {max(1, round(sec / 60))} min"
    return f"about {sec / 3600:.2g} h"


def _guess(key: str) -> float:
    if key.startswith("pictures "):
        return 0.5e-3 + GUESSES["pictures"] * float(key.removeprefix("pictures ")) ** 2
    return GUESSES.get(key, GUESSES["features"])


def _sum(parts: Iterable[Units]) -> Units:
    total: Units = {}
    for units in parts:
        for key, amount in units.items():
            total[key] = total.get(key, 0.0) + amount
    return total
