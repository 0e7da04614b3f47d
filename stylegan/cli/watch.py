"""What a training run shows on the terminal: a bar while pictures are prepared, then one live line.

Without a terminal (a log file, a subprocess) it prints a line now and then instead.
"""

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from stylegan.data.dataset import TrainingData
from stylegan.data.prepare import prepare
from stylegan.training.config import TrainConfig
from stylegan.training.loop import Ended, Record, Snapshot, Started
from stylegan.training.meter import Tick

PLAIN_SEC = 30.0  # between two lines without a terminal


class Watch:
    """Shows a run; writes to stderr, so that stdout stays free for results."""

    def __init__(self, active: bool = True) -> None:
        self.console = Console(stderr=True, quiet=not active, highlight=False)
        self.last_line = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        sys.stderr.flush()

    def prepare(self, data: str, resolution: int, seed: int, **sources: Any) -> TrainingData:
        """Prepare the pictures behind a bar and say what is worth knowing about them."""
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=self.console, disable=not self.console.is_terminal) as bar:
            task = bar.add_task("reading", total=None)
            steps = prepare(data, resolution, seed=seed, **sources)
            while True:
                try:
                    step = next(steps)
                except StopIteration as end:
                    pictures: TrainingData = end.value
                    break
                bar.update(task, description=step.phase, completed=step.done, total=step.total or None)
        report = getattr(pictures, "report", None)
        for warning in report.warnings if report else ():
            self.console.print(f"note: {warning}", markup=False)
        return pictures

    def follow(self, records: Iterator[Record], config: TrainConfig) -> None:
        """Show each record until the run ends."""
        for record in records:
            if isinstance(record, Tick):
                self._tick(record, config)
            else:
                self._line(_sentence(record), last=True)

    def _tick(self, tick: Tick, config: TrainConfig) -> None:
        fade = f" +{100 * (1 - tick.lod % 1):.0f}%" if tick.lod % 1 else ""
        penalty = "" if tick.penalty is None else f"  penalty {tick.penalty:.3g}"
        self._line(
            f"{tick.kimg:.1f}/{config.total_kimg:g} kimg  {tick.resolution}²{fade}  "
            f"G {tick.generator_loss:.3f}  D {tick.discriminator_loss:.3f}{penalty}  "
            f"scores {tick.real_score:+.2f} real {tick.fake_score:+.2f} fake  "
            f"{tick.images_per_sec:.1f} img/s  {duration(tick.remaining_sec)} left",
            last=False,
        )

    def _line(self, text: str, last: bool) -> None:
        """Overwrite the live line; a `last` one stays."""
        if self.console.is_terminal:
            width = max(20, self.console.width - 1)
            self.console.file.write("\r" + text[:width].ljust(width) + ("\n" if last else ""))
            self.console.file.flush()
        elif last or time.monotonic() - self.last_line >= PLAIN_SEC:
            self.last_line = time.monotonic()
            self.console.print(text, markup=False, soft_wrap=True)


def duration(seconds: float) -> str:
    """3725 → `1 h 02 min`."""
    minutes = int(seconds / 60)
    if minutes >= 60:
        return f"{minutes // 60} h {minutes % 60:02d} min"
    return f"{minutes} min" if minutes else f"{int(seconds)} s"


def _sentence(record: Started | Snapshot | Ended) -> str:
    if isinstance(record, Started):
        return f"resumed at {record.kimg:.1f} kimg" if record.resumed else "started"
    if isinstance(record, Snapshot):
        return f"snapshot at {record.kimg:.1f} kimg: {_shown(record.samples)}"
    return f"{record.reason} at {record.kimg:.1f} kimg"


def _shown(path: Path) -> str:
    return str(path)
