"""A training run on disk, the only interface between a trainer and whoever watches it.

    config.json    {"format": 1, "train": TrainConfig, "data": {…}}
    events.jsonl   append-only, one JSON object a line, each with "event", "kimg" and "sec" (since the run first began)
    snapshots/     000123.456.safetensors by kimg; …discriminator.safetensors beside the newest
    samples/       000123.456.png: the same seeds each time; reals.png
    state/         what resuming needs
    stop           its presence asks the run to end
    log.txt        for people
    lock           held while a trainer writes here

After a resume from an older state, later events of the first attempt are still in the file; `read_events` leaves out
what a later "resumed" event overtook.
"""

import fcntl
import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from stylegan.atomic import full_disk_as_error, write_bytes
from stylegan.errors import RunError
from stylegan.training.config import TrainConfig

FORMAT = 1
FOLDERS = ("snapshots", "samples", "state")


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

    def create(self, config: TrainConfig, data: Mapping[str, Any]) -> None:
        """Lay out a new run; RunError where one is already, or where something else is in the way."""
        if self.exists:
            raise RunError(f"{self.path} already holds a run: give --resume to go on with it, or another folder.")
        try:
            for name in FOLDERS:
                (self.path / name).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RunError(f"{self.path} cannot be used for a run: {error.strerror}.") from error
        self.write_config(config, data)

    def write_config(self, config: TrainConfig, data: Mapping[str, Any]) -> None:
        """Replace config.json."""
        content = {"format": FORMAT, "train": config.to_json(), "data": dict(data)}
        write_bytes(self.path / "config.json", (json.dumps(content, indent=1) + "\n").encode())

    def read_config(self) -> tuple[TrainConfig, dict[str, Any]]:
        """The training config and the facts of the data.

        Raises:
            RunError: no run here, a damaged config, or one of a newer version.
        """
        try:
            content = json.loads((self.path / "config.json").read_text())
            version = int(content["format"])
            if version > FORMAT:
                raise RunError(f"{self.path} was written by a newer version (format {version}): update to open it.")
            return TrainConfig.from_json(content["train"]), dict(content["data"])
        except FileNotFoundError:
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

    def snapshots(self) -> list[Path]:
        """Generator snapshots, oldest first."""
        found = (self.path / "snapshots").glob("*.safetensors")
        return sorted(p for p in found if not p.name.endswith(".discriminator.safetensors"))

    def samples(self) -> list[Path]:
        """Sample grids, oldest first."""
        return sorted((self.path / "samples").glob("[0-9]*.png"))

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the run for writing; RunError where another process does. The system lets go when the process ends."""
        with open(self.path / "lock", "a+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise RunError(f"Another process is training in {self.path}.") from None
            yield

    def is_running(self) -> bool:
        """Whether a process holds the lock."""
        try:
            with self.locked():
                return False
        except RunError:
            return True
        except OSError:
            return False


def read_events(path: str | os.PathLike[str]) -> list[dict[str, Any]]:
    """The events of a run in order, without damaged lines and without those that a resume overtook.

    `path` is the events.jsonl; a missing file has no events.
    """
    try:
        text = Path(path).read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return []
    events: list[dict[str, Any]] = []
    for line in text.splitlines():
        try:
            record = json.loads(line)
            kimg = float(record["kimg"])
            name = record["event"]
        except (ValueError, KeyError, TypeError):
            continue
        if name == "resumed":
            events = [e for e in events if e["kimg"] <= kimg]
        events.append(record)
    return events


def kimg_name(nimg: int) -> str:
    """File name of what was written after `nimg` images: kimg with three decimals, sortable."""
    return f"{nimg / 1000:010.3f}"
