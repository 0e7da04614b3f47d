"""A training run on disk, the only interface between a trainer and whoever watches it.

    config.json    {"format": 1, "train": TrainConfig, "data": {name, digest}, "plan": what was asked for}
    events.jsonl   append-only, one JSON object a line, each with "event", "kimg" and "sec" (since the run first began)
    snapshots/     000123.456.safetensors by kimg, and 000123.456.discriminator.safetensors beside each: any of them
                   can be a beginning, as each of the official pickles can, which hold both networks too
    samples/       000123.456.png: the same seeds each time; reals.png
    state/         what resuming needs
    stop           its presence asks the run to end
    log.txt        for people
    lock           held while a trainer writes here

After a resume from an older state, later events of the first attempt are still in the file; `read_events` leaves out
what a later "resumed" (or, without any state, "started") event overtook.
"""

import json
import math
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from stylegan.atomic import full_disk_as_error, write_bytes
from stylegan.errors import RunError
from stylegan.training.config import TrainConfig
from stylegan.training.lock import try_lock

FORMAT = 1
FOLDERS = ("snapshots", "samples", "state")
_HEAD_BYTES = 256  # by which a file is known again
LOCK_SEC = 1.0  # how long a trainer tries for the lock, which whoever looks at it holds for a moment


@dataclass(frozen=True)
class RunFacts:
    """The content of config.json: what is trained, on what, and the plan it was made from."""

    config: TrainConfig
    data: Mapping[str, Any]  # name and digest of the pictures
    plan: Mapping[str, Any]  # Plan.to_json()


class RunFolder:
    """The paths and files of one run."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.events = self.path / "events.jsonl"
        self.stop = self.path / "stop"

    @property
    def exists(self) -> bool:
        """Whether a run was begun here."""
        return (self.path / "config.json").exists()

    @property
    def state(self) -> Path:
        """Where states are kept."""
        return self.path / "state"

    def check_free(self) -> None:
        """RunError where a new run cannot be begun: one is there already, or something that is no folder."""
        if self.exists:
            raise RunError(f"{self.path} already holds a run: give --resume to go on with it, or another --out.")
        if self.path.exists() and not self.path.is_dir():
            raise RunError(f"{self.path} is a file: a run needs a folder of its own, give another --out.")

    def create(self, facts: RunFacts) -> None:
        """Lay out a new run; RunError where one is already, or where the folder cannot be written."""
        self.check_free()
        with self._usable():
            for name in FOLDERS:
                (self.path / name).mkdir(parents=True, exist_ok=True)
        self.write_facts(facts)

    def write_facts(self, facts: RunFacts) -> None:
        """Replace config.json."""
        content = {
            "format": FORMAT,
            "train": facts.config.to_json(),
            "data": dict(facts.data),
            "plan": dict(facts.plan),
        }
        with self._usable():
            write_bytes(self.path / "config.json", (json.dumps(content, indent=1) + "\n").encode())

    def read_facts(self) -> RunFacts:
        """The content of config.json.

        Raises:
            RunError: no run here, a damaged config, or one of a newer version.
        """
        try:
            content = json.loads((self.path / "config.json").read_text(encoding="utf-8"))
            version = int(content["format"])
            if version > FORMAT:
                raise RunError(f"{self.path} was written by a newer version (format {version}): update to open it.")
            config = TrainConfig.from_json(content["train"])
            return RunFacts(config, dict(content["data"]), dict(content.get("plan", {})))
        except (FileNotFoundError, NotADirectoryError):
            raise RunError(f"There is no training run in {self.path}.") from None
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:  # InputError is a ValueError
            raise RunError(f"The config.json of {self.path} is damaged ({str(error)[:200]}).") from error

    def append(self, event: str, kimg: float, sec: float, **values: Any) -> None:
        """Add a line to events.jsonl."""
        record = {"event": event, "kimg": round(kimg, 3), "sec": round(sec, 3), **values}
        with full_disk_as_error(self.events), open(self.events, "a+b") as file:
            file.seek(0, os.SEEK_END)
            if file.tell():
                file.seek(-1, os.SEEK_END)
                if file.read(1) != b"\n":  # a line that a kill cut short
                    file.write(b"\n")
            file.write(json.dumps(record, allow_nan=False).encode() + b"\n")

    def log(self, text: str) -> None:
        """Add a line with the time to log.txt."""
        with full_disk_as_error(self.path), open(self.path / "log.txt", "a", encoding="utf-8") as file:
            file.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')}  {text}\n")

    def sweep(self) -> None:
        """Remove temporary files that a killed trainer left; for whoever holds the lock."""
        for leftover in self.path.rglob(".*.tmp"):
            leftover.unlink(missing_ok=True)

    def snapshots(self) -> list[Path]:
        """Generator snapshots, oldest first."""
        found = (self.path / "snapshots").glob("*.safetensors")
        return sorted(p for p in found if not p.name.endswith(".discriminator.safetensors"))

    def samples(self) -> list[Path]:
        """Sample grids, oldest first."""
        return sorted((self.path / "samples").glob("[0-9]*.png"))

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the run for writing, in a folder that is made where it is missing.

        Raises:
            RunError: another process holds it, or the folder cannot be written.
        """
        with self._usable():
            self.path.mkdir(parents=True, exist_ok=True)
            file = open(self.path / "lock", "ab")  # noqa: SIM115 - closed below
        with file:
            began = time.monotonic()
            while not try_lock(file):
                if time.monotonic() - began > LOCK_SEC:
                    raise RunError(f"Another process is training in {self.path}: stop it first, or wait for its end.")
                time.sleep(0.05)
            yield

    def is_running(self) -> bool:
        """Whether a process holds the run for writing."""
        try:
            with open(self.path / "lock", "rb") as file:
                return not try_lock(file, shared=True)
        except OSError:
            return False

    @contextmanager
    def _usable(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise RunError(f"{self.path} cannot be used for a run ({error.strerror or error}).") from error


def read_events(path: str | os.PathLike[str]) -> list[dict[str, Any]]:
    """The events of a run in order, without damaged lines and without those that a resume overtook.

    `path` is the events.jsonl; a missing file has no events. Each has "event" (str), "kimg" and "sec" (numbers).
    """
    return Events(path).read()


class Events:
    """An events.jsonl that is read again and again while a run writes to it: each line once."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path)
        self._head = b""
        self._forget()

    def read(self) -> list[dict[str, Any]]:
        """As `read_events`, now. The list is the caller's."""
        try:
            with open(self._path, "rb") as file:
                if self._is_other(file):
                    self._forget()
                file.seek(self._read_bytes)
                text = file.read()
        except FileNotFoundError:
            self._forget()
            return []
        whole, _, rest = text.rpartition(b"\n")  # the last line may still be on its way
        self._read_bytes += len(text) - len(rest)
        self._head = self._head or whole[:_HEAD_BYTES]
        self._take(whole, self._events)
        events = list(self._events)
        self._take(rest, events)
        return events

    def _take(self, text: bytes, events: list[dict[str, Any]]) -> None:
        for line in text.decode("utf-8", errors="replace").splitlines():
            record = _event(line)
            if record is None:
                continue
            if record["event"] in ("started", "resumed"):
                events[:] = [e for e in events if e["kimg"] <= record["kimg"]]
            events.append(record)

    def _is_other(self, file: IO[bytes]) -> bool:
        """Whether this is not the file that was read last: shorter, or with another beginning."""
        return os.fstat(file.fileno()).st_size < self._read_bytes or file.read(len(self._head)) != self._head

    def _forget(self) -> None:
        self._read_bytes = 0
        self._head = b""
        self._events: list[dict[str, Any]] = []


def _event(line: str) -> dict[str, Any] | None:
    try:
        record = json.loads(line)
        whole = isinstance(record["event"], str) and math.isfinite(record["kimg"]) and math.isfinite(record["sec"])
        return record if whole else None
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def kimg_name(nimg: int) -> str:
    """File name of what was written after `nimg` images: kimg with three decimals, sortable."""
    return f"{nimg / 1000:010.3f}"
