"""The training runs in one folder: which there are, beginning, stopping, resuming and deleting them.

A run is `python -m stylegan train` in a process group of its own (`explorer.run_process`), and its folder the only
thing between it and the app: it goes on when the app ends, and whichever app looks at the folder sees it again.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from explorer.run_data import BUSY, RunReader, Status
from explorer.run_process import ROOT, Handover, read_json
from explorer.values import show
from stylegan.atomic import full_disk_as_error, write_bytes
from stylegan.errors import DiskFullError, InputError, RunError
from stylegan.training import Plan

_NAME = re.compile(r"[^\W_][\w .-]{0,58}[\w-]|[^\W_]")
_STARTED_SEC = 5.0  # in which a new process takes its lock
_RESERVED = ("con", "nul", "prn", "aux")


class Runs:
    """The runs under `root`. Thread-safe."""

    def __init__(self, root: Path, threads: int | None = None) -> None:
        """Runs under `root`, which is made when the first one begins.

        Args:
            root: a folder of run folders.
            threads: CPU threads of a trainer; None = all cores but one.
        """
        self.root = Path(root)
        self.threads = threads or max(1, (os.cpu_count() or 1) - 1)
        self._readers: dict[str, RunReader] = {}
        self._lock = threading.RLock()

    def listing(self) -> list[Status]:
        """All runs, those begun last first."""
        with self._lock:
            found = self._names()
            self._readers = {name: self._readers.get(name) or RunReader(self.root / name) for name in found}
            return [reader.status() for reader in self._readers.values()]

    def status(self, name: object) -> Status:
        """One run. InputError: there is none of that name."""
        with self._lock:
            return self.reader(name).status()

    def reader(self, name: object) -> RunReader:
        """Its folder. InputError: there is none of that name. `lock` guards what is read from it."""
        with self._lock:
            if not isinstance(name, str) or name not in self._names():
                raise InputError(f"There is no run {show(name)} any more.")
            if name not in self._readers:
                self._readers[name] = RunReader(self.root / name)
            return self._readers[name]

    @property
    def lock(self) -> threading.RLock:
        """Hold it while using a reader."""
        return self._lock

    def free_name(self, wanted: str) -> str:
        """`wanted`, or with a number behind it where that is taken."""
        base = re.sub(r"[^\w.-]+", "-", wanted).strip("-._")[:40] or "run"
        names = [base, *(f"{base}-{number}" for number in range(2, 10_000))]
        return next(name for name in names if not (self.root / name).exists())

    def begin(self, name: object, plan: Plan, more: Sequence[str] = ()) -> Status:
        """Begin a run, or put it into the queue.

        Args:
            name: of its folder.
            plan: what to train, checked already.
            more: further options of `python -m stylegan train`.

        Raises:
            InputError: a name that cannot be one, or is taken.
            DiskFullError, RunError: the folder cannot be written.
        """
        name = check_name(name)
        with self._lock:
            path = self.root / name
            try:
                with full_disk_as_error(path):
                    self.root.mkdir(parents=True, exist_ok=True)
                    path.mkdir()
            except FileExistsError:
                raise InputError(f"There is a run {name} already: choose another name.") from None
            except OSError as error:
                raise RunError(f"{path} cannot be made ({error.strerror or error}).") from error
            try:
                return self._launch(path, [*plan.arguments(), *more])
            except DiskFullError:
                shutil.rmtree(path, ignore_errors=True)  # so that the name is free for the next attempt
                raise

    def resume(self, name: object, kimg: float | None = None) -> Status:
        """Go on with a run from its last state, until `kimg` where that is given; begin anew where none is.

        Raises:
            InputError: there is no such run, or nothing to do.
            RunError: it is running, or its folder cannot be read.
        """
        with self._lock:
            reader = self.reader(name)
            status = reader.status()
            if status.state in BUSY:
                raise RunError(f"{status.name} is running already.")
            if not reader.folder.exists:
                return self._launch(reader.folder.path, _asked_arguments(reader.handover))
            facts = reader.facts()
            done = kimg if kimg is not None else facts.config.total_kimg
            if done <= status.kimg and status.state == "finished":
                raise InputError(f"{status.name} has trained for {status.kimg:g} kimg: give a larger number to go on.")
            words = ["--resume", *_kept(_asked_arguments(reader.handover))]
            return self._launch(reader.folder.path, words + ([] if kimg is None else [f"--kimg={kimg}"]))

    def stop(self, name: object) -> Status:
        """Ask a run to store its state and end, or take it out of the queue. Nothing happens to one that has ended."""
        with self._lock:
            reader = self.reader(name)
            if reader.status().state in BUSY:
                with full_disk_as_error(reader.folder.stop):
                    reader.folder.stop.touch()
            return reader.status()

    def delete(self, name: object) -> None:
        """Remove a run with all that it wrote.

        Raises:
            InputError: there is none.
            RunError: it is running.
        """
        with self._lock:
            reader = self.reader(name)
            status = reader.status()
            if status.state in BUSY:
                raise RunError(f"{status.name} is running: stop it first.")
            gone = self.root / f".gone-{time.time_ns()}"
            os.rename(reader.folder.path, gone)  # in one step: never half a run
            self._readers.pop(status.name, None)
            shutil.rmtree(gone, ignore_errors=True)

    def size_mib(self, name: object) -> int:
        """What deleting a run would free."""
        total = 0
        for path in self.reader(name).folder.path.rglob("*"):
            with suppress(OSError):
                total += path.stat().st_size
        return total >> 20

    def _names(self) -> list[str]:
        """Those that begin last come first."""
        if not self.root.is_dir():
            return []
        found = []
        for path in self.root.iterdir():
            marks = [path / "config.json", path / "events.jsonl", Handover(path).request]
            times = [mark.stat().st_mtime for mark in marks if mark.is_file()]
            if times and not path.name.startswith("."):
                asked = Handover(path).asked()[0]
                found.append((asked or min(times), path.name))
        return [name for _, name in sorted(found, reverse=True)]

    def _launch(self, path: Path, arguments: Sequence[str]) -> Status:
        """Start the process of a run, and wait until it has taken its place in the queue."""
        handover = Handover(path)
        request = {"asked": time.time(), "arguments": list(arguments), "threads": self.threads}
        with full_disk_as_error(path):
            handover.folder.mkdir(exist_ok=True)
        write_bytes(handover.request, json.dumps(request, indent=1).encode())
        (path / "stop").unlink(missing_ok=True)
        handover.process.unlink(missing_ok=True)
        _start(path.resolve(), handover)
        began = time.monotonic()
        while not handover.process.exists() and time.monotonic() - began < _STARTED_SEC:
            time.sleep(0.02)
        return self.status(path.name)


def check_name(name: object) -> str:
    """A name for a run's folder; InputError where it cannot be one."""
    fits = isinstance(name, str) and _NAME.fullmatch(name) and name.lower() not in _RESERVED
    if not isinstance(name, str) or not fits:
        raise InputError(
            f"A run's name is of 1 to 60 letters, digits, spaces, dots, - and _, and begins with one of the first two, "
            f"not {show(name)}."
        )
    return name


def _asked_arguments(handover: Handover) -> list[str]:
    arguments = read_json(handover.request).get("arguments", [])
    return [str(word) for word in arguments] if isinstance(arguments, list) else []


def _kept(arguments: Sequence[str]) -> list[str]:
    """Of the options that a run was begun with, those of how it is carried out, which no plan keeps."""
    return [word for word in arguments if word.startswith(("--snapshot-kimg=", "--state-minutes=", "--device="))]


def _start(path: Path, handover: Handover) -> None:
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    own: dict[str, Any] = {"start_new_session": True}  # no signal of a terminal reaches it
    if sys.platform == "win32":
        own = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.BELOW_NORMAL_PRIORITY_CLASS}
    with open(handover.output, "ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "explorer.run_process", str(path)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            stdin=subprocess.DEVNULL, stdout=output, stderr=output, **own,
        )  # fmt: skip
    threading.Thread(target=process.wait, daemon=True).start()  # so that none is left as a zombie
