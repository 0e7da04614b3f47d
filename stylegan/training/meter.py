"""What a run tells of itself every few seconds: means since the last time, speed, time left."""

import importlib.util
import math
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from stylegan.training.config import TrainConfig
from stylegan.training.schedule import Phase
from stylegan.training.trainer import IterationStats

COST_PER_DOUBLING = 3.5  # a picture of twice the size takes about this much longer; only for the time left
STUCK_ITERATIONS = 50  # without a step: gradients that are never finite


@dataclass(frozen=True)
class Tick:
    """Means over this process's share of the iterations since the last tick; None for what is not finite, or for a
    penalty that was not due.
    """

    kimg: float
    sec: float  # trained so far
    iterations: int  # since the last tick
    lod: float
    resolution: int
    minibatch: int
    learning_rate: float
    generator_loss: float | None
    discriminator_loss: float | None  # without the penalty
    penalty: float | None  # R1 or gradient penalty
    real_score: float | None
    fake_score: float | None
    skipped: int  # steps left out for gradients that were not finite
    images_per_sec: float
    peak_memory_mib: float | None  # of the GPU, or of this process; None where the system does not tell
    remaining_sec: float

    @property
    def is_sound(self) -> bool:
        """False where losses or scores are no longer finite, or no step has been taken for long."""
        finite = None not in (self.generator_loss, self.discriminator_loss, self.real_score, self.fake_score)
        return finite and not (self.iterations >= STUCK_ITERATIONS and self.skipped >= self.iterations)


class Meter:
    """Sums on the device, read (and waited for) only at a tick."""

    def __init__(self, config: TrainConfig, device: torch.device) -> None:
        self.config, self.device = config, device
        self.restart(0)

    def restart(self, nimg: int) -> None:
        """Begin a new interval."""
        self._began, self._nimg = time.monotonic(), nimg
        self._sums: Tensor | None = None
        self._count = self._penalties = 0
        self._skipped: int | Tensor = 0
        self._phase: Phase | None = None

    @property
    def is_empty(self) -> bool:
        """Whether no iteration was taken in since the last tick."""
        return self._count == 0

    @property
    def seconds(self) -> float:
        """Since the interval began."""
        return time.monotonic() - self._began

    def add(self, stats: IterationStats, phase: Phase) -> None:
        """Take one iteration in."""
        d = stats.discriminator
        row = torch.stack([stats.generator.loss, d.loss, d.penalty, d.real_score, d.fake_score]).float()
        self._sums = row if self._sums is None else self._sums + row
        self._count += 1
        self._penalties += stats.regularized
        self._skipped += stats.skipped
        self._phase = phase

    def read(self, nimg: int, sec: float) -> Tick:
        """The tick of the interval, which ends here."""
        assert self._sums is not None
        assert self._phase is not None
        g, d, penalty, real, fake = self._sums.tolist()
        rate = (nimg - self._nimg) / max(self.seconds, 1e-9)
        n, phase = self._count, self._phase
        tick = Tick(
            kimg=nimg / 1000,
            sec=sec,
            iterations=n,
            lod=phase.lod,
            resolution=phase.resolution,
            minibatch=phase.minibatch,
            learning_rate=phase.learning_rate,
            generator_loss=_finite(g / n),
            discriminator_loss=_finite(d / n),
            penalty=_finite(penalty / self._penalties) if self._penalties else None,
            real_score=_finite(real / n),
            fake_score=_finite(fake / n),
            skipped=int(self._skipped),
            images_per_sec=rate,
            peak_memory_mib=peak_memory_mib(self.device),
            remaining_sec=remaining_sec(self.config, nimg, rate),
        )
        self.restart(nimg)
        return tick


def remaining_sec(config: TrainConfig, nimg: int, images_per_sec: float) -> float:
    """Rough time left at the present speed, larger pictures taking longer in proportion."""
    if images_per_sec <= 0:
        return 0.0
    now = config.phase(nimg).resolution
    sides = [4 << i for i in range(config.generator.max_lod + 1)]
    return growing_sec(config, nimg, {r: COST_PER_DOUBLING ** math.log2(r / now) / images_per_sec for r in sides})


def growing_sec(config: TrainConfig, nimg: int, sec_per_image: Mapping[int, float]) -> float:
    """Seconds from image `nimg` to the end of the run, given those of one image at each resolution."""
    total = config.total_kimg * 1000
    step = max(total / 1000, 1.0)
    seconds, at = 0.0, float(nimg)
    while at < total:
        seconds += min(step, total - at) * sec_per_image[config.phase(int(at)).resolution]
        at += step
    return seconds


def peak_memory_mib(device: torch.device) -> float | None:
    """Most memory that was in use: of the GPU, or of this process; None where the system does not tell (Windows)."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    if importlib.util.find_spec("resource") is None:
        return None
    import resource

    unit = 1 if sys.platform == "darwin" else 1024  # bytes on macOS, KiB elsewhere
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
