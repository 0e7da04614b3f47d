"""Measurements asked for on the page or by a program: what they cost, done one after the other, and kept.

The work is done by a process of its own (`explorer.measure_process`) at the lowest priority, driven by a job. Whatever
is measured is kept at once. If the app ends meanwhile, what was left to do is remembered.
"""

import json
import logging
import os
import queue
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from explorer.jobs import Job, Jobs
from explorer.library import Library
from explorer.measure_cost import START_SEC, Speeds, Units, data_units, duration, errors_of, features_key, units_of
from explorer.measure_form import Counter, Order, Subject
from explorer.measure_process import GRACE_SEC
from explorer.measured_runs import MeasuredRuns
from explorer.measurement_store import Kept, MeasurementStore, newest_first, one_of
from explorer.run_process import ROOT, held, is_locked, read_json, write_json
from explorer.runs import Runs
from stylegan.errors import InputError, RunError, StyleGANError
from stylegan.metrics.measure import NEEDS_DATA
from stylegan.metrics.measurement import from_json

LOCK = ".lock"  # held by the app that measures into the folder
PENDING = ".pending.json"  # {"form": …, "left": [[model, metric], …]}, while a measurement goes on
LOOK_SEC = 0.2
TRUSTED_SEC = 30.0  # for which a guess is worth as much as what was seen
_OWN_SPEED = ("fid", "kid", "pr", "ls")  # metrics whose own arithmetic is worth knowing

Left = list[list[str]]
Told = dict[str, Any]


@dataclass(frozen=True)
class Measuring:
    """How far a measurement has come."""

    share: float
    phase: str


@dataclass(frozen=True)
class Task:
    """One metric of one model, and about how long it takes."""

    subject: Subject
    metric: str
    units: Units
    sec: float


class Measurer:
    """Measures for the whole app, one order at a time. Thread-safe."""

    def __init__(self, library: Library, runs: Path, folder: Path, local: bool) -> None:
        """A measurer that keeps what it measures in `folder`.

        Args:
            runs: folder of training runs, whose snapshots and data can be chosen.
            local: whether files of this machine may be named.
        """
        self.store, self.speeds = MeasurementStore(folder), Speeds(folder)
        self.counter = Counter(library, Runs(runs), local)
        self._of_runs = MeasuredRuns(self.counter.runs)
        self._library, self._pending = library, Path(folder) / PENDING
        self._threads = self.counter.runs.threads
        self._jobs = Jobs(max_running=1)
        self._job: Job[Measuring] | None = None
        self._guess_sec = 0.0  # that it was said to take
        self._turn = object()  # that of the newest job: what it leaves to do is what is remembered
        self._lock = threading.RLock()

    def all(self) -> tuple[Kept, ...]:
        """What was measured here and by trainers, the newest first."""
        return newest_first([*self.store.all(), *self._of_runs.all()])

    def one(self, id_: str) -> Kept:
        """InputError: it is not there any more."""
        return one_of(self.all(), id_)

    @property
    def version(self) -> str:
        """Changes whenever `all` does."""
        return f"{self.store.version} {len(self._of_runs.all())}"

    def told(self, form: Mapping[str, Any]) -> dict[str, Any]:
        """What a form costs in time and in error, as plain data, before anything starts. InputError: what is wrong."""
        order = self.counter.order(form)
        sec, tasks = self._total_sec(order, self._tasks(order)), len(order.subjects)
        words = f"{duration(sec)}".capitalize()
        words += f" for {tasks} models" if tasks > 1 else ""
        words += ", less where features are kept from before." if self.speeds.measured else ": a first guess."
        return {"sec": round(sec, 1), "time": words, "errors": list(errors_of(order.size(order.subjects[0])))}

    def start(self, form: Mapping[str, Any], only: Left | None = None) -> Job[Measuring]:
        """Begin. InputError, DataError: what is wrong with the form, or something is being measured."""
        order = self.counter.order(form)
        tasks = [t for t in self._tasks(order) if only is None or [t.subject.key, t.metric] in only]
        if not tasks:
            raise InputError("There is nothing left to measure.")
        named = {**form, "models": [subject.key for subject in order.subjects]}
        request = self._request(order, tasks)
        with self._lock:
            if self._job is not None and self._job.status.state == "running":
                raise InputError("Something is being measured: wait for its end, or cancel it.")
            left = [[task.subject.key, task.metric] for task in tasks]
            turn, self._guess_sec = object(), request["total_sec"]
            self._turn = turn
            self._remember(named, left)
            self._job = self._jobs.start(lambda: self._work(request, named, left, turn), "measuring")
            return self._job

    def cancel(self) -> None:
        """End what runs; what was measured stays."""
        self._jobs.cancel("measuring")

    def go_on(self) -> Job[Measuring]:
        """Begin with what was left when the app ended. InputError: nothing was."""
        form, rest = self._interrupted()
        if form is None:
            raise InputError("Nothing was interrupted.")
        return self.start(form, rest)

    def forget(self) -> None:
        """Leave what was interrupted as it is."""
        with self._lock:
            if self._job is None or self._job.status.state != "running":
                self._pending.unlink(missing_ok=True)

    def status(self) -> dict[str, Any]:
        """How it is now: idle, running, done, failed, cancelled, or interrupted when the app ended."""
        with self._lock:
            job = self._job
        if job is None:
            form, rest = self._interrupted()
            state = "idle" if form is None else "interrupted"
            return {"state": state, "share": 0.0, "left_sec": None, "phase": _left_words(rest), "error": ""}
        status = job.status
        phase = "starting" if status.record is None else status.record.phase
        left_sec = time_left(self._guess_sec, status.share, status.elapsed_sec) if status.state == "running" else None
        return {
            "state": status.state, "share": status.share, "left_sec": left_sec, "phase": phase, "error": status.error,
        }  # fmt: skip

    def _interrupted(self) -> tuple[Mapping[str, Any] | None, Left]:
        if is_locked(self._pending.with_name(LOCK)):
            return None, []
        found = read_json(self._pending)
        form, left = found.get("form"), found.get("left")
        if not isinstance(form, dict) or not isinstance(left, list) or not left:
            return None, []
        return form, [pair for pair in left if isinstance(pair, list) and len(pair) == 2]

    def _tasks(self, order: Order) -> list[Task]:
        found, sides = list[Task](), set[int]()
        for subject in order.subjects:
            units = units_of(order.size(subject), again=subject.resolution in sides)
            sides.add(subject.resolution)
            found += [Task(subject, key, units[key], self.speeds.seconds(units[key])) for key in order.metrics]
        return found

    def _data_sec(self, order: Order) -> float:
        """Of preparing the pictures at one resolution."""
        return 0.0 if order.data is None else self.speeds.seconds(data_units(order.size(order.subjects[0])))

    def _total_sec(self, order: Order, tasks: Sequence[Task]) -> float:
        sides = {task.subject.resolution for task in tasks if task.metric in NEEDS_DATA}
        return START_SEC + sum(task.sec for task in tasks) + len(sides) * self._data_sec(order)

    def _request(self, order: Order, tasks: Sequence[Task]) -> dict[str, Any]:
        """For `measure_process`."""
        subjects = list(dict.fromkeys(task.subject for task in tasks))
        size = order.size(subjects[0])
        keys = {"features": features_key(order.extractor), "data": next(iter(data_units(size)))}
        return {
            "models": [
                {"path": str(one.path), "name": one.name, "label": one.label, "kimg": one.kimg,
                 "scorer": None if one.scorer is None else str(one.scorer.absolute())}
                for one in subjects
            ],
            "tasks": [
                {"model": subjects.index(task.subject), "key": task.subject.key, "metric": task.metric,
                 "sec": task.sec, "units": task.units.get(task.metric, 0.0) if task.metric in _OWN_SPEED else 0.0}
                for task in tasks
            ],
            "data_sec": self._data_sec(order), "total_sec": self._total_sec(order, tasks),
            "keys": {**keys, "distance": f"distance {order.distance}"},
            "data": order.data, "count": order.count, "data_count": order.data_count, "psi": order.psi,
            "cutoff": order.cutoff, "seed": order.seed, "extractor": order.extractor, "distance": order.distance,
            "crop": order.crop, "cutoffs": order.cutoffs, "device": self._library.device,
        }  # fmt: skip

    def _alone(self, answers: Iterator[Told | None]) -> Iterator[Told | None]:
        """`answers`, while no other app measures into this folder."""
        with held(self._pending.with_name(LOCK), 2 * GRACE_SEC) as lock:
            if lock is None:
                raise InputError("Another app measures into this folder: wait for its end.")
            yield from answers

    def _remember(self, form: Mapping[str, Any], left: Left) -> None:
        with suppress(OSError):  # a full disk is told when there is something to keep
            self._pending.parent.mkdir(parents=True, exist_ok=True)
        write_json(self._pending, {"form": form, "left": left})

    def _work(
        self, request: Mapping[str, Any], form: Mapping[str, Any], left: Left, turn: object
    ) -> Iterator[Measuring]:
        record = Measuring(0.0, "starting")
        try:
            for told in self._alone(_answers(request, self._threads)):
                if told is not None and "share" in told:
                    record = Measuring(min(1.0, float(told["share"])), str(told["phase"]))
                elif told is not None and "found" in told:
                    self.store.append(from_json(one) for one in told["found"])
                    left = [pair for pair in left if pair != told["task"]]
                    self._remember(form, left)
                elif told is not None and "speeds" in told:
                    with suppress(OSError, StyleGANError):  # an estimate must not cost a measurement
                        self.speeds.learn(told["speeds"])
                yield record
        finally:
            with self._lock:
                if self._turn is turn:
                    self._pending.unlink(missing_ok=True)


def time_left(guess_sec: float, share: float, elapsed_sec: float) -> float:
    """Seconds left: what was guessed for the rest, times how much slower it went so far; at first the guess alone."""
    slower = (elapsed_sec + TRUSTED_SEC) / (share * guess_sec + TRUSTED_SEC)
    return (1 - share) * guess_sec * slower


def _answers(request: Mapping[str, Any], threads: int) -> Iterator[Told | None]:
    """What a process answers to `request`, and None every now and then. Closing the generator ends the process.

    Raises:
        InputError: in its words, what is wrong.
        RunError: it ended without a word.
    """
    with tempfile.TemporaryFile() as printed, _process(request, threads, printed) as (process, lines):
        while True:
            try:
                line = lines.get(timeout=LOOK_SEC)
            except queue.Empty:
                yield None
                continue
            told = {} if line is None else json.loads(line)
            if "error" in told:
                raise InputError(told["error"])
            if told.get("end"):
                return
            if line is None:
                raise RunError(_death(process, printed))
            yield told


@contextmanager
def _process(
    request: Mapping[str, Any], threads: int, printed: IO[bytes]
) -> "Iterator[tuple[subprocess.Popen[bytes], queue.Queue[bytes | None]]]":
    """A measuring process, and a queue of its lines, with None after the last."""
    environment = {
        **os.environ, "OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads),
        "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]),
    }  # fmt: skip
    own: dict[str, Any] = {"start_new_session": True}  # a signal of the terminal is for the app
    if sys.platform == "win32":
        own = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.BELOW_NORMAL_PRIORITY_CLASS}
    process = subprocess.Popen(
        [sys.executable, "-m", "explorer.measure_process"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=printed, env=environment, **own,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    lines: queue.Queue[bytes | None] = queue.Queue()
    reader = threading.Thread(target=_pump, args=(process.stdout, lines.put), daemon=True)
    reader.start()
    try:
        with suppress(BrokenPipeError):
            process.stdin.write(json.dumps(request).encode() + b"\n")
            process.stdin.flush()
        yield process, lines
    finally:
        with suppress(BrokenPipeError):
            process.stdin.close()  # by which it ends
        try:
            process.wait(GRACE_SEC)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        reader.join()
        process.stdout.close()


def _pump(stream: IO[bytes], put: Callable[[bytes | None], None]) -> None:
    for line in stream:
        put(line)
    put(None)


def _death(process: "subprocess.Popen[bytes]", printed: IO[bytes]) -> str:
    code = process.wait()
    printed.seek(0)
    said = printed.read()[-4000:].decode(errors="replace").strip()
    if code < 0:
        return "The measurement was killed: by hand, or by the system for want of memory. Asked again, it goes on."
    logging.getLogger(__name__).error("measuring failed:\n%s", said)
    last = said.splitlines()[-1][:200] if said else f"exit code {code}"
    return f"The measurement ended because of a fault in the program ({last})."


def _left_words(left: Left) -> str:
    return f"{len(left)} measurement{'s were' if len(left) != 1 else ' was'} left" if left else ""
