"""What a run will take on this machine, from a few real steps of it in a process of its own."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from explorer.run_process import PRIORITY, ROOT
from stylegan.errors import InputError, RunError
from stylegan.training import Plan
from stylegan.training.loop import SNAPSHOTS

USUAL_SEC, MOST_SEC = 75.0, 300.0  # how long measuring takes
LOOK_SEC = 0.2


@dataclass(frozen=True)
class Estimate:
    """How far measuring has come, and in the last record what was found."""

    share: float  # 0 … 1
    found: Mapping[str, Any] | None = None  # seconds, memory_mib, images_per_sec and measured by resolution, parameters
    free_mib: float | None = None  # memory that this machine has left; None where it does not tell
    disk_mib: float | None = None  # of snapshots and states, in all
    free_disk_mib: float | None = None
    metrics_sec: float = 0.0  # for measuring all snapshots, on top of the seconds found


def estimates(
    plan: Plan, threads: int, device: str = "auto", snapshots: int = SNAPSHOTS, folder: Path | None = None
) -> Iterator[Estimate]:
    """Measure `plan` with `python -m stylegan train --estimate`. Closing the generator ends the process.

    Args:
        snapshots: how many the run will write.
        folder: where; None: it is not told how much room there is.

    Raises:
        InputError: the trainer refuses the plan, in its words.
        RunError: measuring takes for ever, or fails.
    """
    with tempfile.TemporaryDirectory() as own:
        words = [*plan.arguments(), f"--out={Path(own, 'run')}", "--estimate", f"--threads={threads}"]
        words += [] if device == "auto" else [f"--device={device}"]
        with open(Path(own, "said"), "w+", encoding="utf-8") as said, _trainer(words, said.fileno()) as process:
            began = time.monotonic()
            try:
                while process.poll() is None:
                    elapsed = time.monotonic() - began
                    if elapsed > MOST_SEC:
                        raise RunError("Measuring a few steps takes more than 5 minutes: this run is very slow here.")
                    yield Estimate(min(0.95, elapsed / USUAL_SEC))
                    with suppress(subprocess.TimeoutExpired):
                        process.wait(LOOK_SEC)
            finally:
                process.kill()
            said.seek(0)
            text, code = said.read(), process.returncode
        found = _found(text, code)
        room = None if folder is None else _free_disk_mib(folder)
        measuring_sec = found.get("metrics_sec", 0.0) * (snapshots + 1)  # and the data, once
        yield Estimate(1.0, found, _free_mib(), disk_mib(found["parameters"], snapshots), room, measuring_sec)


def disk_mib(parameters: Mapping[str, int], snapshots: int) -> float:
    """What a run of networks with so many parameters writes: every snapshot has both of them; a state G, D, the average
    of G and a second moment of each weight, and while a newer one is written there are two of them.
    """
    G, D = parameters["generator"], parameters["discriminator"]
    return 4 * (snapshots * (G + D) + 2 * (3 * G + 2 * D)) / 2**20


def _trainer(words: list[str], output: int) -> "subprocess.Popen[bytes]":
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    process = subprocess.Popen(
        [sys.executable, "-m", "stylegan", "train", *words],
        stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment,
    )  # fmt: skip
    with suppress(OSError, AttributeError):  # not on every system
        os.setpriority(os.PRIO_PROCESS, process.pid, PRIORITY)
    return process


def _found(text: str, code: int) -> Mapping[str, Any]:
    lines = text.strip().splitlines()
    last = lines[-1] if lines else ""
    if code == 2 and last.startswith("Error: "):
        raise InputError(last.removeprefix("Error: "))
    try:
        found = json.loads(text[text.index("{") :])
    except ValueError:
        found = None
    if code != 0 or not isinstance(found, dict):
        raise RunError(f"Measuring failed ({last[:200] or f'exit code {code}'}).")
    return found


def _free_disk_mib(folder: Path) -> float | None:
    there = next(path for path in (folder, *folder.absolute().parents) if path.is_dir())
    with suppress(OSError):
        return shutil.disk_usage(there).free / 2**20
    return None


def _free_mib() -> float | None:
    with suppress(OSError, ValueError):
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) / 1024
    return None
