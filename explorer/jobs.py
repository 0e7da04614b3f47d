"""Work of seconds to minutes in this process: a generator of records, driven by a thread, cancellable between records.

What takes hours (training) is a process of its own. A job knows nothing of pages: whoever started it looks at `status`.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, Literal, Protocol, TypeVar

from explorer.turns import Overtaken
from stylegan.errors import InputError, StyleGANError

State = Literal["running", "done", "failed", "cancelled"]


class Progress(Protocol):
    """What a record of long work tells."""

    @property
    def share(self) -> float:
        """How much is done, 0 … 1."""
        ...


R = TypeVar("R", bound=Progress)


@dataclass(frozen=True)
class Status(Generic[R]):
    """A job as it is now."""

    state: State
    record: R | None  # the latest
    share: float  # done, 0 … 1
    elapsed_sec: float
    left_sec: float | None  # at the pace so far; None: not known yet
    error: str = ""  # one sentence, where the state is "failed"


class Job(Generic[R]):
    """One piece of work, started by `Jobs.start`."""

    def __init__(self, make: Callable[[], Iterator[R]], ended: "Callable[[Job[R]], None]") -> None:
        self._make, self._ended = make, ended
        self._cancelled = threading.Event()
        self._began_sec = time.monotonic()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._status: Status[R] = Status("running", None, 0.0, 0.0, None)

    @property
    def status(self) -> Status[R]:
        """How far it is."""
        return self._status

    def cancel(self) -> None:
        """Ask it to end after the record that it is at."""
        self._cancelled.set()

    def wait(self, timeout_sec: float | None = None) -> Status[R]:
        """The status once it has ended, or as it is after `timeout_sec`."""
        self._thread.join(timeout_sec)
        return self._status

    def _run(self) -> None:
        try:
            self._drive()
        except Overtaken:
            self._set("cancelled")
        except StyleGANError as error:
            self._set("failed", error=str(error))
        except Exception as error:  # a fault of ours: the page says that there is one, the log says which
            logging.getLogger(__name__).exception("a job failed")
            self._set("failed", error=f"This did not work because of a fault in the program ({type(error).__name__}).")
        finally:
            self._ended(self)

    def _drive(self) -> None:
        records = self._make()
        try:
            for record in records:
                self._set("running", record)
                if self._cancelled.is_set():
                    break
            self._set("cancelled" if self._cancelled.is_set() else "done")
        finally:
            if close := getattr(records, "close", None):  # a plain iterator has none
                close()

    def _set(self, state: State, record: R | None = None, error: str = "") -> None:
        record = self._status.record if record is None else record
        share = 1.0 if state == "done" else 0.0 if record is None else record.share
        elapsed_sec = time.monotonic() - self._began_sec
        left_sec = elapsed_sec * (1 - share) / share if share else None
        self._status = Status(state, record, share, elapsed_sec, left_sec, error)


class Jobs:
    """The jobs that run now, a few at a time. Thread-safe."""

    def __init__(self, max_running: int = 4) -> None:
        self._max_running = max_running
        self._running: dict[object, Job[Any]] = {}
        self._lock = threading.Lock()

    def start(self, make: Callable[[], Iterator[R]], owner: str | None = None) -> Job[R]:
        """Run what `make` returns. An earlier job of the same `owner` is cancelled; None is an owner of its own.

        Raises:
            InputError: as many jobs as may run at a time are running for others.
        """
        key: object = object() if owner is None else owner
        job: Job[R] = Job(make, lambda job: self._remove(key, job))
        with self._lock:
            if key in self._running:
                self._running[key].cancel()
            elif len(self._running) >= self._max_running:
                raise InputError(f"{self._max_running} pieces of work are running: wait for one to end.")
            self._running[key] = job
            job._thread.start()
        return job

    def cancel(self, owner: str) -> None:
        """Cancel the job of `owner`, if there is one: they have left, or do not want it any more."""
        with self._lock:
            if owner in self._running:
                self._running[owner].cancel()

    def _remove(self, key: object, job: Job[Any]) -> None:
        with self._lock:
            if self._running.get(key) is job:
                del self._running[key]
