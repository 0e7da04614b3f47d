"""What a run folder tells of a run: its state in a word and a sentence, its numbers, snapshots and settings.

Everything comes from the folder, so that a run started by hand, or copied from a cluster, shows the same. What is half
written, damaged or of a newer version becomes a sentence.
"""

import re
import shutil
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from explorer.run_process import Handover, read_json, size_bytes
from stylegan.errors import RunError
from stylegan.model_file import discriminator_path
from stylegan.training import Events, RunFacts, RunFolder
from stylegan.training.state import newest_state

State = Literal[
    "queued", "preparing", "training", "stopping", "finished", "stopped", "failed", "new", "unreadable"
]  # fmt: skip
BUSY: tuple[State, ...] = ("queued", "preparing", "training", "stopping")
LOG_LINES, LOG_BYTES = 200, 64 << 10
FULL_BYTES = 32 << 20  # a disk with less space than this counts as full
_LATER_SEC = 1.0  # by which a note is older than what a trainer started by hand has written since

Event = Mapping[str, Any]


@dataclass(frozen=True)
class Status:
    """A run as it is now. Numbers are None where nothing is known yet."""

    name: str
    state: State
    words: str  # one or two sentences; "" while it trains
    kimg: float
    total_kimg: float | None
    resolution: int | None  # of the finished model
    size: int | None  # that is being trained now, which may still be fading in
    lod: float | None
    images_per_sec: float | None
    remaining_sec: float | None
    sec: float  # trained so far, over all stretches
    memory_mib: float | None
    data: str
    snapshots: tuple[str, ...]  # names without ending, oldest first
    samples: tuple[str, ...]
    beginnings: tuple[str, ...]  # of the snapshots those that have a discriminator: another run can begin from them
    stored_kimg: float | None  # of the state that resuming starts from
    events: int  # changes with whatever curves are made of


class RunReader:
    """Reads one run folder again and again. Not thread-safe."""

    def __init__(self, path: Path) -> None:
        self.folder, self.handover = RunFolder(path), Handover(path)
        self._log = Events(self.folder.events)
        self._facts: tuple[object, RunFacts | RunError] | None = None  # stamp of config.json, and what it held

    def facts(self) -> RunFacts:
        """What config.json holds. RunError: none is there yet, it is damaged, or of a newer version."""
        try:
            status = (self.folder.path / "config.json").stat()
            stamp: object = (status.st_mtime_ns, status.st_size)
        except OSError:
            stamp = None
        if self._facts is None or self._facts[0] != stamp:
            found: RunFacts | RunError
            try:
                found = self.folder.read_facts()
            except RunError as error:
                found = error
            self._facts = (stamp, found)
        if isinstance(self._facts[1], RunError):
            raise self._facts[1]
        return self._facts[1]

    def events(self) -> list[dict[str, Any]]:
        """As `read_events`."""
        try:
            return self._log.read()
        except OSError:
            return []

    def status(self) -> Status:
        """What there is to tell."""
        facts, problem = self._facts_or_problem()
        events = self.events()
        state, words = self._state(events, problem)
        tick: Event = next((e for e in reversed(events) if e["event"] == "tick"), {})
        snapshots = tuple(path.stem for path in self.folder.snapshots())
        return Status(
            name=self.folder.path.name,
            state=state,
            words=words,
            kimg=events[-1]["kimg"] if events else 0.0,
            total_kimg=facts.config.total_kimg if facts else None,
            resolution=facts.config.generator.resolution if facts else None,
            size=_number(tick, "resolution", int),
            lod=_number(tick, "lod", float),
            images_per_sec=_number(tick, "images_per_sec", float),
            remaining_sec=_number(tick, "remaining_sec", float) if state in ("training", "stopping") else None,
            sec=events[-1]["sec"] if events else 0.0,
            memory_mib=_number(tick, "peak_memory_mib", float),
            data=str(facts.data.get("name", "")) if facts else "",
            snapshots=snapshots,
            samples=tuple(path.stem for path in self.folder.samples()),
            beginnings=self.beginnings(),
            stored_kimg=self._stored_kimg(),
            events=len(events),
        )

    def snapshot(self, name: str) -> Path:
        """The file of a snapshot."""
        return self.folder.path / "snapshots" / f"{name}.safetensors"

    def beginnings(self) -> tuple[str, ...]:
        """The snapshots that another run can begin from, oldest first."""
        there = set((self.folder.path / "snapshots").glob("*.safetensors"))
        return tuple(sorted(path.stem for path in there if discriminator_path(path) in there))

    def grid(self, name: str) -> Path:
        """The file of a sample grid; "reals" are pictures trained on."""
        return self.folder.path / "samples" / f"{name}.png"

    def log(self) -> str:
        """The ends of log.txt and of what the trainer printed."""
        parts = [_tail(self.folder.path / "log.txt"), _tail(self.handover.output)]
        return "\n\n".join(part for part in parts if part)

    def _facts_or_problem(self) -> tuple[RunFacts | None, str]:
        try:
            return self.facts(), ""
        except RunError as error:
            return None, str(error) if self.folder.exists else ""

    def _state(self, events: Sequence[Event], problem: str) -> tuple[State, str]:
        held, stops = self.handover.is_held(), self.folder.stop.exists()
        process = read_json(self.handover.process)
        if held and process.get("phase") == "waiting":
            return "queued", "It waits for the runs before it to end."
        trains = self.folder.is_running()
        if trains or (held and not self._has_ended(process, events)):
            if stops:
                return "stopping", "It stores its state and ends."
            if trains:
                return "training", ""
            return ("stopping", "It ends.") if self._grew(process) else ("preparing", self._preparing())
        if problem:
            return "unreadable", problem
        ended = None
        if process and (process.get("phase") == "training" or not _is_later(self.folder.events, self.handover.process)):
            ended = self._noted(process, events, stops)
        return ended or self._told(events)

    def _noted(self, process: Event, events: Sequence[Event], stops: bool) -> tuple[State, str] | None:
        """How a process of the app ended; None where the trainer itself tells, or none began."""
        phase, code = process.get("phase"), process.get("code")
        if phase == "waiting" or (phase == "ended" and code is None):
            return None if self.folder.exists else ("new", "It left the queue before it began.")
        if self._has_ended(process, events):
            return None
        if code == 0 or (stops and code == -signal.SIGTERM):  # the latter within its first seconds
            why = "It was stopped" if stops else "Its time was up"
            return "stopped", f"{why} before the first step. {self._goes_on()}"
        if not isinstance(code, int):
            why = "It ended without a word: its processes were killed, or the machine was switched off."
        elif code < 0:
            why = _killed(-code)
        else:
            why = _error_line(_tail(self.handover.output))
        return "failed", self._full() or f"{why} {self._goes_on()}"

    def _has_ended(self, process: Event, events: Sequence[Event]) -> bool:
        """Whether the trainer that `process` is about has written how it ended."""
        last = _last(events)
        return self._grew(process) and last is not None and last["event"] in ("ended", "failed")

    def _grew(self, process: Event) -> bool:
        """Whether the trainer that `process` is about has written events."""
        before = process.get("events")
        return isinstance(before, int) and size_bytes(self.folder.events) > before

    def _preparing(self) -> str:
        last = _tail(self.handover.output).rsplit("\n", 1)[-1]
        known = re.fullmatch(r"(hashing|waiting|building|rendering)( \d+ of \d+)?", last)
        return f"It prepares the pictures: {last}." if known else "It prepares the pictures."

    def _told(self, events: Sequence[Event]) -> tuple[State, str]:
        """How the run ended in its own words."""
        if not events:
            return "new", "It has not begun."
        last = _last(events) or events[-1]
        if last["event"] == "failed":
            return "failed", f"{_sentence(str(last.get('reason', 'It failed')))} {self._goes_on()}"
        if last["event"] != "ended":
            why = "It ended without a word: it was killed, the machine was switched off, or this is a copy."
            return "failed", self._full() or f"{why} {self._goes_on()}"
        if last.get("reason") == "finished":
            return "finished", ""
        why = "Its time was up" if last.get("reason") == "time limit" else "Stopped"
        return "stopped", f"{why} at {last['kimg']:g} kimg; resuming goes on from there."

    def _goes_on(self) -> str:
        stored = self._stored_kimg()
        if stored is None:
            return "No state was stored yet: resuming begins anew."
        return f"Resuming goes on from its last state, at {stored:g} kimg."

    def _stored_kimg(self) -> float | None:
        state = newest_state(self.folder.state)
        return int(state.name) / 1000 if state is not None and state.name.isdigit() else None

    def _full(self) -> str:
        """A sentence where the disk is full, which hides all other reasons; else nothing."""
        try:
            free = shutil.disk_usage(self.folder.path).free
        except OSError:
            return ""
        if free >= FULL_BYTES:
            return ""
        return f"The disk is full: {free >> 20} MiB are free. Make room, then resume. {self._goes_on()}"


def _last(events: Sequence[Event]) -> Event | None:
    """The last event that is no tick or snapshot or measurement."""
    return next((e for e in reversed(events) if e["event"] in ("started", "resumed", "ended", "failed")), None)


def _killed(number: int) -> str:
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = f"signal {number}"
    if name == "SIGKILL":
        return "It was killed (SIGKILL): by hand, or by the system for want of memory."
    return f"It was ended from outside ({name})."


def _error_line(output: str) -> str:
    """The sentence that a command ends with, or the last line of a traceback."""
    lines = [line for line in output.splitlines() if line.strip()]
    last = lines[-1] if lines else "It ended without a word"
    mine = last.removeprefix("Error: ")
    return _sentence(mine if mine != last else f"It ended because of a fault in the program ({last[:200]})")


def _sentence(text: str) -> str:
    text = " ".join(text.split())
    return text if text.endswith(".") else f"{text}."


def _is_later(path: Path, than: Path) -> bool:
    """Whether `path` was written after `than`: by a trainer that was started by hand."""
    try:
        return path.stat().st_mtime > than.stat().st_mtime + _LATER_SEC
    except OSError:
        return False


def _number(event: Event, key: str, kind: type) -> Any:
    value = event.get(key)
    return kind(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _tail(path: Path) -> str:
    """The last lines of a text file; nothing where there is none."""
    try:
        with open(path, "rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - LOG_BYTES))
            text = file.read().decode("utf-8", errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-LOG_LINES:])
