"""Measuring a model against pictures: the plan, and the work as one generator.

for step in measure(G, pictures, plan, extractor): …   # the last step has the measurements
"""

import os
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from stylegan.directions.records import Step, part
from stylegan.errors import InputError
from stylegan.metrics import frechet, kernel, neighbours
from stylegan.metrics.features import Extractor
from stylegan.metrics.measurement import Measurement
from stylegan.metrics.numbers import Number
from stylegan.metrics.pictures import ModelPictures, Pictures, Sampling
from stylegan.metrics.sharing import Share
from stylegan.metrics.store import Features, collect
from stylegan.networks import Generator as Network
from stylegan.seeds import check_seed

Found = tuple[Measurement, ...]
AGAINST_DATA = ("fid", "kid", "pr", "halves")


@dataclass(frozen=True)
class Plan:
    """What to measure: names of `AGAINST_DATA`, `count` samples and as many pictures (or `data_count`).

    `seed` is that of resamplings; samples have the seeds `sampling` says.
    """

    metrics: tuple[str, ...] = ("fid", "kid", "pr")
    count: int = 10_000
    data_count: int | None = None
    sampling: Sampling = field(default_factory=Sampling)
    seed: int = 0

    def __post_init__(self) -> None:
        unknown = [name for name in self.metrics if name not in AGAINST_DATA]
        if unknown or not self.metrics:
            raise InputError(f"Metrics are {', '.join(AGAINST_DATA)}; {', '.join(unknown) or 'nothing'} is none.")
        check_seed(self.seed)


def measure(
    G: Network,
    pictures: Pictures,
    plan: Plan,
    extractor: Extractor,
    *,
    name: str = "",
    cache: str | os.PathLike[str] | None = None,
    share: Share | None = None,
) -> Iterator[Step[Found]]:
    """Measure `G` against `pictures`; the last step has the measurements.

    Raises:
        InputError: sizes that do not fit, too few pictures, pictures that are not finite.
    """
    fake = ModelPictures(G, plan.sampling, name)
    if fake.resolution != pictures.resolution:
        raise InputError(f"{fake.name} makes {fake.resolution}² and {pictures.name} has {pictures.resolution}².")
    began = time.monotonic()
    data_count = plan.data_count or (plan.count if pictures.most is None else min(plan.count, pictures.most))
    needs_model = set(plan.metrics) != {"halves"}
    reals = yield from part(_whole(collect(pictures, extractor, data_count, cache=cache, share=share)), 0.0, 0.4)
    fakes = reals
    if needs_model:
        fakes = yield from part(_whole(collect(fake, extractor, plan.count, cache=cache, share=share)), 0.4, 0.8)
    about = Measurement(
        "", 0.0, extractor=extractor.name, model=fake.model, model_name=fake.name, data=pictures.digest,
        data_name=pictures.name, resolution=pictures.resolution, count=plan.count, data_count=data_count,
        seed=plan.seed, psi=plan.sampling.psi, cutoff=plan.sampling.cutoff, settings=_settings(plan.sampling),
    )  # fmt: skip
    found: list[Measurement] = []
    for i, metric in enumerate(plan.metrics):
        low, high = (0.8 + 0.2 * k / len(plan.metrics) for k in (i, i + 1))
        numbers = yield from part(_whole(_compare(metric, reals, fakes, plan.seed)), low, high)
        for key, number in numbers.items():
            sec, when = time.monotonic() - began, datetime.now(UTC).isoformat(timespec="seconds")
            about_it = replace(about, sec=round(sec, 2), when=when)
            if metric == "halves":
                about_it = replace(about_it, model="", model_name="", count=data_count // 2, data_count=data_count // 2)
            found.append(replace(about_it, metric=key, value=number.value, low=number.low, high=number.high))
    yield Step("measured", 1.0, tuple(found))


def warnings(plan: Plan, extractor: Extractor) -> Iterator[str]:
    """Sentences on what a plan's counts do to its numbers."""
    smaller = min(plan.count, plan.data_count or plan.count)
    if "fid" in plan.metrics and smaller < extractor.width:
        yield (
            f"{smaller} pictures are fewer than the {extractor.width} dimensions of {extractor.name}'s features: the "
            "covariances are singular and the Fréchet distance comes out far too high. Compare it with others of the "
            "same count only, or take KID, which has no such bias."
        )


def _settings(sampling: Sampling) -> dict[str, Any]:
    plain = Sampling()
    found: dict[str, Any] = {}
    if sampling.first_seed != plain.first_seed:
        found["first_seed"] = sampling.first_seed
    if sampling.label is not None:
        found["class"] = sampling.label
    if sampling.mixed > 1:
        found["mixed"] = sampling.mixed
    return found


def _compare(metric: str, reals: Features, fakes: Features, seed: int) -> Generator[Step[Any], None, dict[str, Number]]:
    if metric == "fid":
        return {"frechet": (yield from frechet.measured(reals, fakes, seed))}
    if metric == "kid":
        return {"kid": (yield from kernel.measured(reals, fakes, seed))}
    if metric == "halves":
        yield Step("distance of two halves", 0.0)
        return {"frechet_halves": Number(frechet.halves(reals))}
    both = yield from neighbours.measured(reals, fakes, seed)
    return {"precision": both.precision, "recall": both.recall}


def _whole(steps: Generator[Step[Any], None, Any]) -> Iterator[Step[Any]]:
    """`steps` with what they return as the result of a last step."""
    result = yield from steps
    yield Step("", 1.0, result)
