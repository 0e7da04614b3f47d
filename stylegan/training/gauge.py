"""Metrics of each snapshot while a run trains (`--metrics fid,kid,pr,ppl`): of the averaged generator, against the
run's own pictures. Features of the pictures are computed once, before the first step, and kept by content.

Each snapshot adds a line to events.jsonl:

    {"event": "metrics", "kimg": 12.8, "sec": 345.6, "snapshot": "000012.800.safetensors",
     "values": {"frechet": 81.2, "precision": 0.71, "recall": 0.33},
     "measurements": [{"metric": "frechet", "value": 81.2, "low": 79.9, "high": 82.5, "kimg": 12.8,
                       "extractor": "EfficientNet-Lite0", "count": 2500, "data_count": 2500, …}, …]}

`values` are the numbers by `Measurement.key` (frechet, kid, precision, recall, ppl_w_full), `measurements` all that is
known of each (`Measurement.to_json`, read by `measurement.from_json`). Of a snapshot that could not be measured
`values` is {}, `measurements` is [], and "failed" is one sentence; the run goes on.

Measuring works on a copy of the generator, draws from generators of its own and changes nothing that training rests on.
"""

import copy
import math
import os
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Any

import torch

from stylegan import model_file
from stylegan.data.dataset import TrainingData
from stylegan.directions.records import Step
from stylegan.errors import InputError, StyleGANError
from stylegan.metrics.measurement import Measurement
from stylegan.networks import Generator as Network
from stylegan.training.config import TrainConfig
from stylegan.training.world import World


@dataclass(frozen=True)
class Measuring:
    """Measuring goes on: `share` from 0 to 1, and what it is at in a few words."""

    kimg: float
    phase: str
    share: float


@dataclass(frozen=True)
class Measured:
    """The snapshot at `kimg` was measured, or why it could not be."""

    kimg: float
    found: tuple[Measurement, ...]
    failed: str = ""

    @property
    def values(self) -> dict[str, float]:
        """The numbers by short name."""
        return {item.key: item.value for item in self.found}

    @property
    def sentence(self) -> str:
        """For people: `12.8 kimg: Fréchet distance 81.2 (79.9 to 82.5), …; EfficientNet-Lite0, 2500 samples`."""
        if self.failed:
            return f"not measured at {self.kimg:.1f} kimg: {self.failed}"
        numbers = ", ".join(f"{item.label} {item.number}" for item in self.found)
        return f"measured at {self.kimg:.1f} kimg: {numbers}; {self.found[0].extractor}, {self.found[0].count} samples"


Ends = Callable[[], bool]  # whether this process wants to end, looked at between two steps


class Gauge:
    """What measures the snapshots of one run. Several processes share the work and do every call together."""

    def __init__(
        self, config: TrainConfig, data: TrainingData, world: World, cache: str | os.PathLike[str] | None = None
    ) -> None:
        """Raises InputError where the metrics of `config` cannot be measured here: see `prepare` for the rest."""
        from stylegan.metrics import measure, pictures, tools  # here: most runs measure nothing
        from stylegan.metrics.path_length import PathLength
        from stylegan.metrics.perceptual import Lite0Distance
        from stylegan.metrics.sharing import Share

        if config.generator.image_channels != 3:
            raise InputError("--metrics need colour pictures: this run's have not three channels.")
        self._world, self._cache = world, cache
        self._pictures = pictures.of_training(data)
        most = self._pictures.most
        count = config.metrics_count if most is None else min(config.metrics_count, most)
        least = 4 if "pr" in config.metrics else 2
        if config.metrics != ("ppl",) and count < least:
            raise InputError(f"--metrics {','.join(config.metrics)} need {least} pictures or more, not {count}.")
        self._plan = measure.Plan(config.metrics, config.metrics_count, count, paths=(PathLength("w", "full"),))
        distance = Lite0Distance(world.device) if "ppl" in config.metrics else None
        self._tools = measure.Tools(
            tools.open_extractor(config.metrics_extractor, world.device, cache),
            None if distance is None else lambda: distance,
            cache=cache,
            share=Share(world.rank, world.size, str(world.device)),
        )

    @property
    def warnings(self) -> list[str]:
        """Sentences on what the counts do to the numbers."""
        from stylegan.metrics.measure import warnings

        return list(warnings(self._plan, self._tools.extractor))

    def prepare(self, G: Network, ends: Ends) -> Iterator[Measuring]:
        """Features of the data, and a trial on a few samples of `G`.

        Raises:
            InputError: pictures that cannot be measured, or no memory for it.
            DataError, DiskFullError: the cache cannot be used.
        """
        failed, _ = yield from self._driven(self._preparing(G), 0.0, ends)
        if failed:
            raise InputError(f"The snapshots of this run cannot be measured: {failed}")

    def measure(self, G: Network, nimg: int, name: str, ends: Ends) -> Generator[Measuring, None, Measured | None]:
        """Measure `G` as it is now, after `nimg` images, the snapshot called `name`. None where it was asked to end."""
        from stylegan.metrics.measure import measure
        from stylegan.metrics.store import sweep

        kimg = round(nimg / 1000, 3)
        steps = measure(_copy(G), self._pictures, self._plan, self._tools, name=name, kimg=kimg)
        failed, found = yield from self._driven(steps, kimg, ends)
        sweep(self._cache)
        if found is None and not failed:
            return None
        if not all(math.isfinite(item.value) for item in found or ()):
            failed = "the numbers are not finite."
        return Measured(kimg, () if failed else found, failed)

    def _preparing(self, G: Network) -> Iterator[Step[bool]]:
        from stylegan.metrics.measure import NEEDS_DATA
        from stylegan.metrics.pictures import ModelPictures
        from stylegan.metrics.store import PART, collect

        tools, plan = self._tools, self._plan
        if plan.needs(NEEDS_DATA):
            count = plan.data_count or plan.count
            yield from collect(self._pictures, tools.extractor, count, cache=self._cache, share=tools.share)
        yield Step("trying the metrics", 1.0)
        with tools.share.all_or_none():
            tools.extractor.features(ModelPictures(_copy(G)).take(0, PART))
        yield Step("the metrics are ready", 1.0, True)

    def _driven(self, steps: Iterator[Step[Any]], kimg: float, ends: Ends) -> Generator[Measuring, None, Any]:
        """Take `steps` with all processes in step: why it failed, or "", and the result, None where it was ended."""
        while True:
            failed, step = "", None
            try:
                step = next(steps)
            except (StyleGANError, MemoryError, RuntimeError) as error:
                failed = _sentence(error)
            ended, broken = self._world.agree(ends(), bool(failed))
            if broken:
                return failed or "another process could not go on: its own message says why.", None
            assert step is not None, "the last step carries the result"
            if step.result is not None:
                return "", step.result
            if ended:
                return "", None
            yield Measuring(kimg, step.phase, step.share)


def _copy(G: Network) -> Network:
    """`G` as it is now, known by the digest of its snapshot's file."""
    found = copy.deepcopy(G).eval().requires_grad_(False)
    found.digest = model_file.digest_of(found)
    return found


def _sentence(error: Exception) -> str:
    if isinstance(error, StyleGANError):
        return str(error)
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)) or "can't allocate memory" in str(error):
        return "the memory is full; give a lower --microbatch, or leave --metrics out."
    raise error
