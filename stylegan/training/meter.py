"""What a run tells of itself every few seconds: means since the last time, speed, time left."""

import math
import resource
import sys
import time
from dataclasses import dataclass

import torch
from torch import Tensor

from stylegan.training.config import TrainConfig
from stylegan.training.schedule import Phase
from stylegan.training.trainer import IterationStats

COST_PER_DOUBLING = 3.5  # a picture of twice the size takes about this much longer; only for the time left


@dataclass(frozen=True)
class Tick:
    """Means over the iterations since the last tick; NaN-free, as a penalty may not have been due (None)."""

    kimg: float
    sec: float  # trained so far
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
    peak_memory_mib: float
    remaining_sec: float

    @property
    def is_finite(self) -> bool:
        """False where the losses have become NaN or infinite."""
        return None not in (self.generator_loss, self.discriminator_loss)


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
        self._phase: Phase | None = None

    @property
    def seconds(self) -> float:
        """Since the interval began."""
        return time.monotonic() - self._began

    def add(self, stats: IterationStats, phase: Phase) -> None:
        """Take one iteration in."""
        d = stats.discriminator
        values = (stats.generator_loss, d.loss, d.penalty, d.real_score, d.fake_score)
        row = torch.stack([*(v.float() for v in values), stats.skipped.to(d.loss.device)])
        self._sums = row if self._sums is None else self._sums + row
        self._count += 1
        self._penalties += stats.regularized
        self._phase = phase

    def read(self, nimg: int, sec: float) -> Tick:
        """The tick of the interval, which ends here."""
        assert self._sums is not None
        assert self._phase is not None
        g, d, penalty, real, fake, skipped = self._sums.tolist()
        rate = (nimg - self._nimg) / max(self.seconds, 1e-9)
        n, phase = self._count, self._phase
        tick = Tick(
            kimg=nimg / 1000,
            sec=sec,
            lod=phase.lod,
            resolution=phase.resolution,
            minibatch=phase.minibatch,
            learning_rate=phase.learning_rate,
            generator_loss=_finite(g / n),
            discriminator_loss=_finite(d / n),
            penalty=_finite(penalty / self._penalties) if self._penalties else None,
            real_score=_finite(real / n),
            fake_score=_finite(fake / n),
            skipped=int(skipped),
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
    total, step = config.total_kimg * 1000, max(config.total_kimg * 10, 1.0)
    seconds, at = 0.0, float(nimg)
    while at < total:
        doublings = math.log2(config.phase(int(at)).resolution / now)
        seconds += min(step, total - at) / images_per_sec * COST_PER_DOUBLING**doublings
        at += step
    return seconds


def peak_memory_mib(device: torch.device) -> float:
    """Most memory that was in use: of the GPU, or of this process."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    unit = 1 if sys.platform == "darwin" else 1024  # bytes on macOS, KiB elsewhere
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
