"""A training run from its first or stored state to its end, as a generator of small records.

The caller owns progress bars and signals: it asks the run to end through `should_stop`, which is looked at between
iterations, or with a file called `stop` in the run folder. Whatever ends a run, its folder can be resumed from.
"""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from stylegan import model_file
from stylegan.data.dataset import TrainingData
from stylegan.errors import DivergedError, RunError, StyleGANError
from stylegan.images import to_uint8
from stylegan.training.meter import Meter, Tick
from stylegan.training.run_folder import RunFolder, kimg_name
from stylegan.training.samples import real_pictures, sample_pictures, write_grid
from stylegan.training.state import load_state, newest_state, save_state
from stylegan.training.trainer import Trainer
from stylegan.training.world import World


@dataclass(frozen=True)
class Options:
    """How a run is carried out; nothing here changes what it computes."""

    time_limit_sec: float = math.inf
    snapshot_kimg: float = 20.0  # between two snapshots with their sample grids
    state_sec: float = 300.0  # between two stored states
    tick_sec: float = 5.0  # between two events
    compile_synthesis: bool = False


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


Record = Started | Tick | Snapshot | Ended


def run(
    folder: RunFolder,
    trainer: Trainer,
    data: TrainingData,
    world: World,
    options: Options,
    should_stop: Callable[[], bool] = lambda: False,
) -> Iterator[Record]:
    """Train until the config's total, the time limit or a wish to stop; resumes where the folder has a state.

    Raises:
        DivergedError: losses are no longer finite.
        DiskFullError, DataError, RunError: one sentence that says what to do. The last stored state remains.
    """
    began = time.monotonic()
    session = _Session(folder, trainer, data, world, options, began)
    try:
        yield session.start()
        yield from session.train(should_stop)
    except torch.cuda.OutOfMemoryError as error:
        text = "The GPU's memory is full: lower --microbatch, the minibatch or the channels, then resume."
        session.fail(text)
        raise RunError(text) from error
    except StyleGANError as error:
        session.fail(str(error))
        raise


class _Session:
    """One stretch of a run, from a start to an end."""

    def __init__(
        self, folder: RunFolder, trainer: Trainer, data: TrainingData, world: World, options: Options, began: float
    ) -> None:
        self.folder, self.trainer, self.data, self.world, self.options = folder, trainer, data, world, options
        self.began = began
        self.earlier_sec = 0.0  # trained before this stretch
        self.meter = Meter(trainer.config, world.device)
        self.last_state = began
        self.next_snapshot_nimg = 0

    @property
    def kimg(self) -> float:
        return self.trainer.nimg / 1000

    @property
    def sec(self) -> float:
        """Seconds trained, over all stretches."""
        return self.earlier_sec + time.monotonic() - self.began

    def start(self) -> Started:
        state = newest_state(self.folder.path / "state")
        if state is not None:
            self.earlier_sec = load_state(self.trainer, state)
        if self.world.device.type == "cuda":
            self.data.to_memory(self.world.device)
        self._plan_snapshot()
        if self.world.is_writer:
            self.folder.stop.unlink(missing_ok=True)
            name = "started" if state is None else "resumed"
            self._event(name, processes=self.world.size, device=str(self.world.device))
            self.folder.log(f"{name} at {self.kimg:.1f} kimg on {self.world.device}, {self.world.size} process(es)")
            if state is None:
                write_grid(real_pictures(self.data), self.folder.path / "samples" / "reals.png")
        self.meter.restart(self.trainer.nimg)
        return Started(self.kimg, state is not None)

    def train(self, should_stop: Callable[[], bool]) -> Iterator[Record]:
        config, trainer = self.trainer.config, self.trainer
        reason = ""
        while not reason:
            phase = config.phase(trainer.nimg)
            trainer.enter(phase)
            start, stop = self.world.share(phase.minibatch)
            for _ in range(config.minibatch_repeats):
                position = trainer.nimg + start
                reals, labels = self.data.batch(position, stop - start, phase.resolution, config.mirror)
                self.meter.add(trainer.iteration(reals, labels, phase), phase)
            reason = self._reason_to_end(should_stop)
            if reason or self.meter.seconds >= self.options.tick_sec:
                yield self._tick()
            if reason or trainer.nimg >= self.next_snapshot_nimg:
                yield from self._snapshot()
            if reason or time.monotonic() - self.last_state >= self.options.state_sec:
                self._save_state()
        if self.world.is_writer:
            self.folder.stop.unlink(missing_ok=True)
            self._event("ended", reason=reason)
            self.folder.log(f"{reason} at {self.kimg:.1f} kimg after {self.sec:.0f} s of training")
        yield Ended(self.kimg, reason)

    def fail(self, text: str) -> None:
        """Note why the run ended; a full disk must not hide the reason."""
        if not self.world.is_writer:
            return
        try:
            self._event("failed", reason=text)
            self.folder.log(f"failed: {text}")
        except (OSError, StyleGANError):
            pass

    def _reason_to_end(self, should_stop: Callable[[], bool]) -> str:
        """The same answer in every process, which a collective vote makes sure of."""
        if self.trainer.nimg >= self.trainer.config.total_kimg * 1000:
            return "finished"
        wants = should_stop() or (self.world.is_writer and self.folder.stop.exists())
        late = time.monotonic() - self.began >= self.options.time_limit_sec
        if self.world.any(wants):
            return "stopped"
        return "time limit" if self.world.any(late) else ""

    def _tick(self) -> Tick:
        tick = self.meter.read(self.trainer.nimg, self.sec)
        if not tick.is_finite:
            raise DivergedError(
                f"The losses stopped being finite at {self.kimg:.1f} kimg. The last stored state is from before: "
                "resume with a lower --lr or a higher --r1-gamma, or in fp32."
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
        about = self._about()
        # A sibling that a stop between the two leaves is found by name, so the discriminator goes first.
        discriminator = path.with_name(f"{name}.discriminator.safetensors")
        model_file.save(trainer.D, discriminator, about)
        model_file.save(trainer.Gs, path, about)
        for older in path.parent.glob("*.discriminator.safetensors"):
            if older != discriminator:
                older.unlink()
        samples = self.folder.path / "samples" / f"{name}.png"
        write_grid(to_uint8(sample_pictures(trainer.Gs)), samples)
        self._event("snapshot", snapshot=path.name, samples=samples.name)
        yield Snapshot(self.kimg, path, samples)

    def _save_state(self) -> None:
        if self.world.is_writer:
            save_state(self.trainer, self.folder.path / "state", self.sec)
        self.world.wait()
        self.last_state = time.monotonic()

    def _plan_snapshot(self) -> None:
        """At multiples of the interval, whatever happened before: resuming does not shift them."""
        interval = max(1, round(self.options.snapshot_kimg * 1000))
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
        return model_file.About(name=self.folder.path.name, training=training)

    def _event(self, event: str, **values: object) -> None:
        self.folder.append(event, self.kimg, self.sec, **values)
