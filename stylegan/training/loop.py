"""A training run from its first or stored state to its end, as a generator of small records.

The caller owns progress bars and signals: it asks the run to end through `should_stop`, which is looked at between
iterations, or with a file called `stop` in the run folder. Whatever ends a run, its folder can be resumed from.
"""

import math
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from stylegan import model_file
from stylegan.data.dataset import TrainingData, notes
from stylegan.errors import DivergedError, RunError, StyleGANError
from stylegan.images import to_uint8
from stylegan.training.gauge import Gauge, Measured, Measuring
from stylegan.training.meter import Meter, Tick
from stylegan.training.run_folder import RunFolder, kimg_name, read_events
from stylegan.training.samples import real_pictures, sample_pictures, write_grid
from stylegan.training.state import load_state, newest_state, save_state
from stylegan.training.trainer import Trainer
from stylegan.training.world import World

SNAPSHOTS = 50  # in a run that does not say how many
TICK_SHARE, MAX_TICK_SEC = 1 / 1000, 60.0  # ticks become rarer with the length of a run, up to this


@dataclass(frozen=True)
class Options:
    """How a run is carried out; nothing here changes what it computes."""

    deadline: float = math.inf  # on `time.monotonic()`'s clock: end when it has passed
    snapshot_kimg: float | None = None  # between two snapshots with their sample grids; None = 1/50 of the run
    state_sec: float = 300.0  # between two stored states
    tick_sec: float = 5.0  # between two events, at the beginning
    compiles: bool = False
    graphs: bool = False
    cache: Path | None = None  # where features are kept, for the metrics of snapshots; None = as `data.prepare`


@dataclass(frozen=True)
class Started:
    """The networks are ready; `resumed` says whether from a stored state."""

    kimg: float
    resumed: bool


@dataclass(frozen=True)
class Snapshot:
    """A generator and its sample grid were written."""

    kimg: float
    path: Path
    samples: Path


@dataclass(frozen=True)
class Ended:
    """The run is over for now: "finished", "stopped" or "time limit"; it can be resumed unless finished."""

    kimg: float
    reason: str


Record = Started | Tick | Snapshot | Measuring | Measured | Ended


def run(
    folder: RunFolder,
    trainer: Trainer,
    data: TrainingData,
    options: Options,
    should_stop: Callable[[], bool] = lambda: False,
    gauge: Gauge | None = None,
) -> Iterator[Record]:
    """Train until the config's total, the deadline or a wish to stop; resumes where the folder has a state.

    With several processes each runs this with its own trainer; they decide everything together, the writer alone
    writes. All need to see the same folder. `gauge` measures snapshots; None: made here, if the config has metrics.

    Raises:
        InputError: the metrics cannot be measured.
        DivergedError: losses are no longer finite.
        DiskFullError, DataError, RunError: one sentence that says what to do. The last stored state remains.
    """
    if gauge is None and trainer.config.metrics:
        gauge = Gauge(trainer.config, data, trainer.world, options.cache)
    session = _Session(folder, trainer, data, options, gauge)
    try:
        yield session.start()
        yield from session.ready(should_stop)
        yield from session.train(should_stop)
    except StyleGANError as error:
        session.fail(str(error))
        raise
    except Exception as error:
        told = _told(error)
        session.fail(str(told or f"{type(error).__name__}: {error}"), traceback.format_exc())
        if told is None:
            raise
        raise told from error


class _Session:
    """One stretch of a run, from a start to an end."""

    def __init__(
        self, folder: RunFolder, trainer: Trainer, data: TrainingData, options: Options, gauge: Gauge | None = None
    ) -> None:
        self.folder, self.trainer, self.data, self.options, self.gauge = folder, trainer, data, options, gauge
        self.world: World = trainer.world
        self.began = self.last_state = time.monotonic()
        self.earlier_sec = 0.0  # trained before this stretch
        self.meter = Meter(trainer.config, self.world.device)
        self.next_snapshot_nimg = 0

    @property
    def kimg(self) -> float:
        return self.trainer.nimg / 1000

    @property
    def sec(self) -> float:
        """Seconds trained, over all stretches."""
        return self.earlier_sec + time.monotonic() - self.began

    def start(self) -> Started:
        state = newest_state(self.folder.state)
        if state is not None:
            self.earlier_sec = load_state(self.trainer, state)
        if not self.world.same(self.trainer.nimg):
            raise RunError(f"Not all processes find the same state in {self.folder.path}: let them share that folder.")
        if self.world.device.type == "cuda":
            self.data.to_memory(self.world.device)
        self._plan_snapshot()
        if self.world.is_writer:
            self.folder.sweep()
            self.folder.stop.unlink(missing_ok=True)
            name = "started" if state is None else "resumed"
            told = list(notes(self.data))
            self._event(name, processes=self.world.size, device=str(self.world.device), notes=told)
            self.folder.log(f"{name} at {self.kimg:.1f} kimg on {self.world.device}, {self.world.size} process(es)")
            for note in told:
                self.folder.log(note)
            if state is None:
                write_grid(real_pictures(self.data), self.folder.path / "samples" / "reals.png")
        self.meter.restart(self.trainer.nimg)
        return Started(self.kimg, state is not None)

    def ready(self, should_stop: Callable[[], bool]) -> Iterator[Record]:
        """Make the metrics ready, and measure a snapshot that an earlier stretch left unmeasured."""
        if self.gauge is None:
            return
        yield from self.gauge.prepare(self.trainer.Gs, lambda: any(self._asked(should_stop)))
        kimg = round(self.kimg, 3)
        here = [event["event"] for event in read_events(self.folder.events) if event["kimg"] == kimg]
        (owed,) = self.world.agree(self.world.is_writer and "snapshot" in here and "metrics" not in here)
        if owed:
            yield from self._measure(should_stop)
        self.meter.restart(self.trainer.nimg)

    def train(self, should_stop: Callable[[], bool]) -> Iterator[Record]:
        """Rounds of a few iterations; what is due is looked at before each, so that a finished run ends at once."""
        while True:
            reason, tick_due, state_due = self._agree(should_stop)
            snapshot_due = bool(reason) or self.trainer.nimg >= self.next_snapshot_nimg
            if not self.meter.is_empty and (tick_due or state_due or snapshot_due):
                yield self._tick()  # first: what has diverged must not be kept
                if snapshot_due:
                    yield from self._snapshot()
                measured = snapshot_due and self.gauge is not None
                if state_due or reason or measured:  # before measuring, which may take long
                    self._save_state()
                if measured and reason in ("", "finished"):
                    yield from self._measure(should_stop)
                self.meter.restart(self.trainer.nimg)
            if reason:
                break
            self._round()
        if self.world.is_writer:
            self.folder.stop.unlink(missing_ok=True)
            self._event("ended", reason=reason)
            self.folder.log(f"{reason} at {self.kimg:.1f} kimg after {self.sec:.0f} s of training")
        yield Ended(self.kimg, reason)

    def fail(self, text: str, details: str = "") -> None:
        """Note why the run ended; a full disk must not hide the reason."""
        if not self.world.is_writer:
            return
        try:
            self._event("failed", reason=text)
            self.folder.log(f"failed: {text}\n{details}".rstrip())
        except (OSError, StyleGANError):
            pass

    def _round(self) -> None:
        """Iterations between two looks at the schedule."""
        trainer, config = self.trainer, self.trainer.config
        phase = config.phase(trainer.nimg)
        trainer.enter(phase)
        start, stop = self.world.share(phase.minibatch)
        for _ in range(config.minibatch_repeats):
            reals, labels = self.data.batch(trainer.nimg + start, stop - start, phase.resolution, config.mirror)
            self.meter.add(trainer.iteration(reals, labels, phase), phase)

    def _agree(self, should_stop: Callable[[], bool]) -> tuple[str, bool, bool]:
        """Why to end, or ""; whether a tick and a state are due. The same answer in every process."""
        now, writes = time.monotonic(), self.world.is_writer
        tick_sec = min(max(self.options.tick_sec, self.sec * TICK_SHARE), MAX_TICK_SEC)
        stop, late, tick_due, state_due = self.world.agree(
            *self._asked(should_stop),
            writes and self.meter.seconds >= tick_sec,
            writes and now - self.last_state >= self.options.state_sec,
        )
        finished = self.trainer.nimg >= self.trainer.config.total_kimg * 1000
        reason = "finished" if finished else "stopped" if stop else "time limit" if late else ""
        return reason, tick_due, state_due

    def _asked(self, should_stop: Callable[[], bool]) -> tuple[bool, bool]:
        """Whether this process is asked to stop, and whether its time is over."""
        stop = should_stop() or (self.world.is_writer and self.folder.stop.exists())
        return stop, time.monotonic() >= self.options.deadline

    def _tick(self) -> Tick:
        tick = self.meter.read(self.trainer.nimg, self.sec)
        (diverged,) = self.world.agree(not tick.is_sound)
        if diverged:
            raise DivergedError(
                f"The losses stopped being finite at {self.kimg:.1f} kimg. The last stored state is from before: "
                "resume with a lower --lr, a higher --r1-gamma or --precision fp32."
            )
        if self.world.is_writer:
            values = asdict(tick)
            self._event("tick", **{key: value for key, value in values.items() if key not in ("kimg", "sec")})
        return tick

    def _snapshot(self) -> Iterator[Snapshot]:
        self._plan_snapshot()
        if not self.world.is_writer:
            return
        trainer, name = self.trainer, kimg_name(self.trainer.nimg)
        path = self.folder.path / "snapshots" / f"{name}.safetensors"
        discriminator = model_file.discriminator_path(path)
        about = self._about()
        model_file.save(trainer.D, discriminator, about)  # first: whoever sees the generator finds its discriminator
        model_file.save(trainer.Gs, path, about)
        samples = self.folder.path / "samples" / f"{name}.png"
        write_grid(to_uint8(sample_pictures(trainer.Gs)), samples)
        self._event("snapshot", snapshot=path.name, samples=samples.name)
        yield Snapshot(self.kimg, path, samples)

    def _measure(self, should_stop: Callable[[], bool]) -> Iterator[Measuring | Measured]:
        """Measure the snapshot just written; one that is cut short is measured after resuming."""
        assert self.gauge is not None
        trainer, name = self.trainer, kimg_name(self.trainer.nimg)
        found = yield from self.gauge.measure(trainer.Gs, trainer.nimg, name, lambda: any(self._asked(should_stop)))
        if found is None:
            return
        if self.world.is_writer:
            told: dict[str, object] = {"failed": found.failed} if found.failed else {}
            rows = [item.to_json() for item in found.found]
            self._event("metrics", snapshot=f"{name}.safetensors", values=found.values, measurements=rows, **told)
            self.folder.log(found.sentence)
        yield found

    def _save_state(self) -> None:
        if self.world.is_writer:
            save_state(self.trainer, self.folder.state, self.sec)
        self.last_state = time.monotonic()

    def _plan_snapshot(self) -> None:
        """At multiples of the interval, whatever happened before: resuming does not shift them."""
        kimg = self.options.snapshot_kimg or self.trainer.config.total_kimg / SNAPSHOTS
        interval = max(1, round(kimg * 1000))
        self.next_snapshot_nimg = (self.trainer.nimg // interval + 1) * interval

    def _about(self) -> model_file.About:
        config = self.trainer.config
        training = {
            "kimg": round(self.kimg, 3),
            "total_kimg": config.total_kimg,
            "data": self.data.name,
            "data_digest": self.data.digest,
            "seed": config.seed,
            "loss": config.loss,
            "hours": round(self.sec / 3600, 3),
        }
        return model_file.About(name=self.folder.path.resolve().name, training=training)

    def _event(self, event: str, **values: object) -> None:
        self.folder.append(event, self.kimg, self.sec, **values)


def _told(error: Exception) -> RunError | None:
    """Memory that ran out, as a sentence; None for a fault of the program."""
    if isinstance(error, torch.OutOfMemoryError):
        kind = "GPU's"
    elif isinstance(error, MemoryError) or "can't allocate memory" in str(error):
        kind = "machine's"
    else:
        return None
    return RunError(f"The {kind} memory is full: give a lower --microbatch, --minibatch or --fmap-max, then resume.")
