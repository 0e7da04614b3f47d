"""What a training run shows on the terminal: a bar while pictures are prepared, then one live line.

Without a terminal (a log file, a subprocess) it prints a line now and then instead.
"""

import time
from collections.abc import Callable, Generator, Iterator
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from stylegan.data.dataset import TrainingData, notes
from stylegan.data.prepare import prepare
from stylegan.data.records import Progress as Preparing
from stylegan.data.records import Result
from stylegan.errors import Cancelled
from stylegan.training.config import TrainConfig
from stylegan.training.gauge import Measured, Measuring
from stylegan.training.loop import Ended, Record, Snapshot, Started
from stylegan.training.meter import Tick

PLAIN_SEC = 30.0  # between two lines without a terminal
PREPARING_SEC = 5.0  # the same, while pictures are prepared


class Watch:
    """Shows a run; writes to stderr, so that stdout stays free for results. One that is not `active` shows nothing."""

    def __init__(self, active: bool = True) -> None:
        self.console = Console(stderr=True, quiet=not active, highlight=False)
        self._on_terminal = active and self.console.is_terminal
        self._line_open = False  # whether the cursor stands behind a live line
        self._last_line = float("-inf")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        if self._line_open:  # whatever is printed next begins a line of its own
            self._write("\n")

    def prepare(
        self, data: str, resolution: int, should_stop: Callable[[], bool] = lambda: False, **options: Any
    ) -> TrainingData:
        """Prepare the pictures behind a bar and say what is worth knowing about them. Raises Cancelled as `finish`."""
        pictures = self.finish(prepare(data, resolution, **options), should_stop)
        for note in notes(pictures):
            self.say(f"note: {note}")
        return pictures

    def say(self, text: str) -> None:
        """A line that stays."""
        self._lasting(text)

    def finish(
        self, steps: Generator[Preparing, None, Result], should_stop: Callable[[], bool] = lambda: False
    ) -> Result:
        """Run `steps` behind a bar and return what they return.

        Raises:
            Cancelled: `should_stop` said so between two steps; the message is how far they came.
        """
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=self.console, disable=not self._on_terminal, transient=True) as bar:
            task = bar.add_task("reading", total=None)
            self._last_line = time.monotonic()  # what is quick needs no line
            while True:
                try:
                    step = next(steps)
                except StopIteration as end:
                    result: Result = end.value
                    break
                bar.update(task, description=step.phase, completed=step.done, total=step.total or None)
                words = f"{step.phase} {step.done} of {step.total}" if step.total else step.phase
                self._now_and_then(words, PREPARING_SEC)
                if should_stop():
                    steps.close()
                    raise Cancelled(words)
        self._last_line = float("-inf")
        return result

    def follow(self, records: Iterator[Record], config: TrainConfig) -> None:
        """Show each record until the run ends."""
        for record in records:
            if isinstance(record, Tick):
                self._live(tick_line(record, config))
            elif isinstance(record, Measuring):
                self._live(f"{record.kimg:.1f}/{config.total_kimg:g} kimg  {100 * record.share:.0f}%  {record.phase}")
            else:
                self._lasting(_sentence(record))

    def _live(self, text: str) -> None:
        """A line that the next one overwrites; without a terminal, a line now and then."""
        if self._on_terminal:
            width = max(20, self.console.width - 1)
            self._write("\r" + text[:width].ljust(width))
            self._line_open = True
        else:
            self._now_and_then(text, PLAIN_SEC)

    def _now_and_then(self, text: str, least_sec: float) -> None:
        """A line where there is no terminal, and none was printed just before."""
        if not self._on_terminal and time.monotonic() - self._last_line >= least_sec:
            self._last_line = time.monotonic()
            self._lasting(text)

    def _lasting(self, text: str) -> None:
        if self._line_open:
            self._write("\n")
            self._line_open = False
        self.console.print(text, markup=False, soft_wrap=True)

    def _write(self, text: str) -> None:
        self.console.file.write(text)
        self.console.file.flush()


def tick_line(tick: Tick, config: TrainConfig) -> str:
    """`12.3/200 kimg  32² (40% in)  G 0.712  D 1.204  R1 0.031  …`, the most important first."""
    fade = f" ({100 * (1 - tick.lod % 1):.0f}% in)" if tick.lod % 1 else ""
    name = "R1" if config.loss == "logistic" else "GP"
    penalty = "" if tick.penalty is None else f"  {name} {tick.penalty:.3g}"
    skipped = f"  {tick.skipped} steps skipped" if tick.skipped else ""
    return (
        f"{tick.kimg:.1f}/{config.total_kimg:g} kimg  {duration(tick.remaining_sec)} left  "
        f"{tick.resolution}²{fade}  {tick.images_per_sec:.1f} img/s  "
        f"G {_short(tick.generator_loss)}  D {_short(tick.discriminator_loss)}{penalty}  "
        f"scores {_short(tick.real_score)} real, {_short(tick.fake_score)} fake{skipped}"
    )


def duration(seconds: float) -> str:
    """3725 → `1 h 02 min`, 90 → `1 min`, 200 000 → `2 d 7 h`."""
    minutes = int(seconds / 60)
    if minutes >= 48 * 60:
        return f"{minutes // 1440} d {minutes // 60 % 24} h"
    if minutes >= 60:
        return f"{minutes // 60} h {minutes % 60:02d} min"
    return f"{minutes} min" if minutes else f"{int(seconds)} s"


def _short(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _sentence(record: Started | Snapshot | Measured | Ended) -> str:
    if isinstance(record, Started):
        return f"resumed at {record.kimg:.1f} kimg" if record.resumed else "started"
    if isinstance(record, Measured):
        return record.sentence
    if isinstance(record, Snapshot):
        return f"snapshot at {record.kimg:.1f} kimg: {record.samples}"
    return f"{record.reason} at {record.kimg:.1f} kimg"
