"""One training run as a process of its own: it waits for its turn, trains, and notes how that ended.

    python -m explorer.run_process RUN

Started by `explorer.runs` in a session of its own, so that it outlives the app. It imports nothing heavy: a run that
waits costs a few MiB. Runs in one folder train one after the other, in the order they were asked for, whichever app
asked; who may train is whoever holds the lock file `.lane` there, and one that was started by hand is waited for, too.

    RUN/app/request.json   {"asked": seconds since 1970, "arguments": [of the command line], "threads": N}
    RUN/app/process.json   {"phase": "waiting" | "training" | "ended", "events": bytes in events.jsonl before,
                            "code": how the trainer ended; negative: by a signal}
    RUN/app/output.txt     what the trainer prints
    RUN/app/lock           held by this process and its trainer
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).parents[1]
LOOK_SEC = 0.5  # between two looks at the queue, and at whether the run is to stop
LOCK_SEC = 15.0  # how long a lock is tried for, which a trainer that is ending still holds, or whoever looks at it
PRIORITY = 19  # the lowest: whoever explores meanwhile goes first
OUTPUT_BYTES = 1 << 20  # of earlier output that is kept


class Handover:
    """The files of a run by which app and process tell each other."""

    def __init__(self, run: Path) -> None:
        self.run = run
        self.folder = run / "app"
        self.request, self.process = self.folder / "request.json", self.folder / "process.json"
        self.output, self.lock = self.folder / "output.txt", self.folder / "lock"

    def asked(self) -> tuple[float, str]:
        """By which runs are ordered in the queue."""
        asked = read_json(self.request).get("asked")
        return (float(asked) if isinstance(asked, (int, float)) else 0.0, self.run.name)

    def is_held(self) -> bool:
        """Whether a process waits or trains for the app here."""
        return is_locked(self.lock)

    def is_waiting(self) -> bool:
        """Whether the run is in the queue."""
        return read_json(self.process).get("phase") == "waiting" and self.is_held()


def main(run: Path) -> int:
    """Wait, train, note; the exit code of the trainer, or 1 where it did not come to that."""
    handover = Handover(run.resolve())
    with suppress(OSError, AttributeError):  # not on every system
        os.nice(PRIORITY)
    with held(handover.lock, LOCK_SEC) as own:
        if own is None:
            return 1  # another process has this run
        write_json(handover.process, {"phase": "waiting"})
        with turn(handover) as lane:
            if lane is None:
                (handover.run / "stop").unlink(missing_ok=True)
                write_json(handover.process, {"phase": "ended", "code": None})
                return 1
            before = {"events": size_bytes(handover.run / "events.jsonl")}
            write_json(handover.process, {"phase": "training", **before})
            code = train(handover, own, lane)
        write_json(handover.process, {"phase": "ended", **before, "code": code})
    return code


def train(handover: Handover, *locks: IO[bytes]) -> int:
    """Run the trainer to its end and return its exit code. It keeps the locks, should this process be killed."""
    request = read_json(handover.request)
    arguments = [str(word) for word in request.get("arguments", [])]
    command = [sys.executable, "-m", "stylegan", "train", *arguments, f"--out={handover.run}"]
    threads = str(request.get("threads", 1))
    environment = {**os.environ, "OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads, "PYTHONUNBUFFERED": "1"}
    shorten(handover.output)
    inherit: dict[str, Any] = {"pass_fds": [file.fileno() for file in locks]} if os.name == "posix" else {}
    with open(handover.output, "ab") as output:
        trainer = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output, **inherit
        )
    told = False
    while True:
        try:
            return trainer.wait(LOOK_SEC)
        except subprocess.TimeoutExpired:
            if not told and (handover.run / "stop").exists():  # while pictures are prepared it heeds signals only
                told = True
                trainer.terminate()


@contextmanager
def turn(handover: Handover) -> Iterator[IO[bytes] | None]:
    """The right to train in this folder of runs, once it is this run's turn; None: it was asked to stop before."""
    root, mine = handover.run.parent, handover.asked()
    while not (handover.run / "stop").exists():
        if not is_busy(root, handover.run, mine):
            with held(root / ".lane") as lane:
                if lane is not None:
                    yield lane
                    return
        time.sleep(LOOK_SEC)
    yield None


def is_busy(root: Path, run: Path, mine: tuple[float, str]) -> bool:
    """Whether another run trains, or has been waiting for longer."""
    for other in root.iterdir():
        if other == run or other.name.startswith("."):
            continue
        handover = Handover(other)
        if is_locked(other / "lock") or (handover.is_waiting() and handover.asked() < mine):
            return True
    return False


@contextmanager
def held(path: Path, patience_sec: float = 0.0) -> Iterator[IO[bytes] | None]:
    """The file at `path`, locked until this ends; None: another process holds it."""
    with open(path, "ab") as file:
        began = time.monotonic()
        while not (got := _try_lock(file)) and time.monotonic() - began < patience_sec:
            time.sleep(0.05)
        yield file if got else None


def is_locked(path: Path) -> bool:
    """Whether another process holds the lock file at `path`."""
    try:
        with open(path, "rb") as file:
            return not _try_lock(file, shared=True)
    except OSError:
        return False


def _try_lock(file: IO[bytes], shared: bool = False) -> bool:
    """As `stylegan.training.lock.try_lock`, whose package loads PyTorch."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file.fileno(), (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def read_json(path: Path) -> dict[str, Any]:
    """The object in a file; empty where there is none, or something else."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def write_json(path: Path, data: Mapping[str, Any]) -> None:
    """Replace a file, as far as there is space: how a run goes must not hang on notes about it."""
    with suppress(OSError):
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(data, file)
            os.replace(name, path)
        finally:
            Path(name).unlink(missing_ok=True)


def size_bytes(path: Path) -> int:
    """Of a file; 0 where there is none."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def shorten(path: Path) -> None:
    """Keep the end of what earlier stretches of the run printed."""
    with suppress(OSError):
        if size_bytes(path) > 2 * OUTPUT_BYTES:
            kept = path.read_bytes()[-OUTPUT_BYTES:]
            path.write_bytes(kept)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
