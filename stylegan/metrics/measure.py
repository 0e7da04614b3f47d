"""Measuring a model against pictures: the plan, and the work as one generator.

for step in measure(G, pictures, plan, extractor): …   # the last step has the measurements
"""

import os
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from stylegan.directions.records import Step, part
from stylegan.directions.sampling import mapped
from stylegan.directions.scores import Scorer
from stylegan.directions.targets import Column
from stylegan.errors import InputError
from stylegan.metrics import attributes, frechet, kernel, neighbours, path_length, separability
from stylegan.metrics.attributes import ScoreFeatures
from stylegan.metrics.features import Extractor
from stylegan.metrics.measurement import Measurement
from stylegan.metrics.numbers import Number
from stylegan.metrics.path_length import PathLength
from stylegan.metrics.perceptual import Distance
from stylegan.metrics.pictures import ModelPictures, Pictures, Sampling
from stylegan.metrics.sharing import Share
from stylegan.metrics.store import Features, collect
from stylegan.networks import Generator as Network
from stylegan.seeds import check_seed

Found = tuple[Measurement, ...]
Told = dict[str, tuple[Number, dict[str, Any]]]  # key of TITLES → number, what is particular to it
NEEDS_DATA = ("fid", "kid", "pr", "halves", "psi", "mixing", "attributes")
NEEDS_SCORER = ("ls", "attributes")
METRICS = ("fid", "kid", "pr", "ppl", "ls", "psi", "mixing", "attributes", "halves")
PSIS = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5)
MOST_MIXED = 4
_LEAST_R2, _LEAST_AUC = 0.3, 0.8  # what a scorer reads worse says little of a model


@dataclass(frozen=True)
class Plan:
    """What to measure: some of `METRICS`, on `count` samples and as many pictures (or `data_count`).

    `seed` is that of resamplings; samples have the seeds that `sampling` says. `paths` belong to ppl (path length),
    `psis` and `cutoffs` to psi (the price of truncation), every ψ with every cutoff; no cutoffs: that of `sampling`. ls
    is separability; mixing the distance with 1 to 4 latents mixed.
    """

    metrics: tuple[str, ...] = ("fid", "kid", "pr")
    count: int = 10_000
    data_count: int | None = None
    sampling: Sampling = field(default_factory=Sampling)
    seed: int = 0
    paths: tuple[PathLength, ...] = (PathLength("z", "full"), PathLength("w", "full"), PathLength("w", "end"))
    psis: tuple[float, ...] = PSIS
    cutoffs: tuple[int | None, ...] = ()

    def __post_init__(self) -> None:
        unknown = [name for name in self.metrics if name not in METRICS]
        if unknown or not self.metrics:
            raise InputError(f"Metrics are {', '.join(METRICS)}; {', '.join(unknown) or 'nothing'} is none.")
        check_seed(self.seed)

    def needs(self, names: tuple[str, ...]) -> bool:
        """Whether one of its metrics is among `names`."""
        return any(metric in names for metric in self.metrics)


@dataclass(frozen=True, eq=False)
class Tools:
    """What measuring is done with: `extractor` for features, `distance` for path lengths, `scorer` for attributes."""

    extractor: Extractor
    distance: Callable[[], Distance] | None = None
    scorer: Scorer | None = None
    cache: str | os.PathLike[str] | None = None
    share: Share = field(default_factory=Share)


def measure(
    G: Network, pictures: Pictures | None, plan: Plan, tools: Tools, *, name: str = "", kimg: float | None = None
) -> Iterator[Step[Found]]:
    """Measure `G`, against `pictures` where a metric needs them; the last step has the measurements.

    Raises:
        InputError: sizes that do not fit, too few pictures, pictures that are not finite, a tool that is missing.
    """
    fake = ModelPictures(G, plan.sampling, name)
    if plan.needs(NEEDS_DATA):
        if pictures is None:
            raise InputError(f"{', '.join(m for m in plan.metrics if m in NEEDS_DATA)}: say what to measure against.")
        if fake.resolution != pictures.resolution:
            raise InputError(f"{fake.name} makes {fake.resolution}² and {pictures.name} has {pictures.resolution}².")
    if plan.needs(NEEDS_SCORER) and tools.scorer is None:
        raise InputError("Separability and attributes need a scorer, NAME.attributes.safetensors: give one.")
    work = _Work(plan, tools, fake, pictures)
    about = Measurement(
        "", 0.0, extractor=tools.extractor.name, model=fake.model, model_name=fake.name, resolution=fake.resolution,
        count=plan.count, seed=plan.seed, psi=plan.sampling.psi, cutoff=plan.sampling.cutoff,
        settings=_settings(plan.sampling), kimg=kimg,
    )  # fmt: skip
    if pictures is not None:
        about = replace(about, data=pictures.digest, data_name=pictures.name, data_count=work.data_count)
    found: list[Measurement] = []
    for i, metric in enumerate(plan.metrics):
        began = time.monotonic()
        low, high = (k / len(plan.metrics) for k in (i, i + 1))
        rows = yield from part(_whole(work.run(metric, about)), low, high)
        when = datetime.now(UTC).isoformat(timespec="seconds")
        found += [replace(row, sec=round(time.monotonic() - began, 2), when=when) for row in rows]
    yield Step("measured", 1.0, tuple(found))


class _Work:
    """The metrics of one plan; what several need is collected once, and kept on disk."""

    def __init__(self, plan: Plan, tools: Tools, fake: ModelPictures, pictures: Pictures | None) -> None:
        self.plan, self.tools, self.fake, self.pictures = plan, tools, fake, pictures
        most = None if pictures is None else pictures.most
        self.data_count = plan.data_count or (plan.count if most is None else min(plan.count, most))

    def run(self, metric: str, about: Measurement) -> Generator[Step[Any], None, list[Measurement]]:
        """The measurements of one metric."""
        alone = replace(about, data="", data_name="", data_count=0)  # what hangs on no data
        if metric == "ppl":
            return (yield from self._path_lengths(alone))
        if metric == "ls":
            return (yield from self._separability(alone))
        if metric == "attributes":
            return (yield from self._overlap(about))
        if metric == "psi":
            return (yield from self._trade_off(about))
        if metric == "mixing":
            return (yield from self._mixing(about))
        reals = yield from part(_whole(self._reals()), 0.0, 0.4)
        if metric == "halves":
            number, half = Number(frechet.halves(reals)), self.data_count // 2
            of_data = replace(about, model="", model_name="", kimg=None, settings={}, count=half, data_count=half)
            return [_row(of_data, "frechet_halves", number)]
        fakes = yield from part(_whole(self._fakes(self.fake)), 0.4, 0.8)
        if metric == "fid":
            number = yield from part(_whole(frechet.measured(reals, fakes, self.plan.seed)), 0.8, 1.0)
            return [_row(about, "frechet", number)]
        if metric == "kid":
            number = yield from part(_whole(kernel.measured(reals, fakes, self.plan.seed)), 0.8, 1.0)
            return [_row(about, "kid", number)]
        rows: list[Measurement] = yield from part(_whole(self._precision(about, reals, fakes)), 0.8, 1.0)
        return rows

    def _reals(self) -> Generator[Step[Any], None, Features]:
        assert self.pictures is not None
        tools = self.tools
        count = self.data_count
        return (yield from collect(self.pictures, tools.extractor, count, cache=tools.cache, share=tools.share))

    def _fakes(self, fake: ModelPictures) -> Generator[Step[Any], None, Features]:
        tools = self.tools
        return (yield from collect(fake, tools.extractor, self.plan.count, cache=tools.cache, share=tools.share))

    def _precision(
        self, about: Measurement, reals: Features, fakes: Features
    ) -> Generator[Step[Any], None, list[Measurement]]:
        both = yield from neighbours.measured(reals, fakes, self.plan.seed)
        return [_row(about, "precision", both.precision), _row(about, "recall", both.recall)]

    def _trade_off(self, about: Measurement) -> Generator[Step[Any], None, list[Measurement]]:
        """Distance, precision and recall at each ψ and cutoff: the price of truncation."""
        plan = self.plan
        points = [(psi, cutoff) for cutoff in plan.cutoffs or (plan.sampling.cutoff,) for psi in plan.psis]
        fakes_of = [  # all of them first: what cannot be is told at once
            ModelPictures(self.fake.network, replace(plan.sampling, psi=psi, cutoff=cutoff), self.fake.name)
            for psi, cutoff in points
        ]
        reals = yield from part(_whole(self._reals()), 0.0, 0.2)
        found: list[Measurement] = []
        for i, ((psi, cutoff), fake) in enumerate(zip(points, fakes_of, strict=True)):
            low, far, near, high = (0.2 + 0.8 * (i + k) / len(points) for k in (0, 0.7, 0.9, 1))
            at = replace(about, psi=psi, cutoff=cutoff)
            fakes = yield from part(_whole(self._fakes(fake)), low, far)
            number = yield from part(_whole(frechet.measured(reals, fakes, plan.seed)), far, near)
            found.append(_row(at, "frechet", number))
            found += yield from part(_whole(self._precision(at, reals, fakes)), near, high)
        return found

    def _mixing(self, about: Measurement) -> Generator[Step[Any], None, list[Measurement]]:
        """Distance with 1 to 4 latents mixed at random layers (table 2)."""
        reals = yield from part(_whole(self._reals()), 0.0, 0.2)
        found: list[Measurement] = []
        for mixed in range(1, MOST_MIXED + 1):
            low, middle, high = (0.2 + 0.8 * (mixed - k) / MOST_MIXED for k in (1, 0.25, 0))
            sampling = replace(self.plan.sampling, mixed=mixed)
            fake = ModelPictures(self.fake.network, sampling, self.fake.name)
            fakes = yield from part(_whole(self._fakes(fake)), low, middle)
            number = yield from part(_whole(frechet.measured(reals, fakes, self.plan.seed)), middle, high)
            found.append(_row(replace(about, settings={**_settings(sampling), "mixed": mixed}), "frechet", number))
        return found

    def _path_lengths(self, about: Measurement) -> Generator[Step[Any], None, list[Measurement]]:
        if self.tools.distance is None:
            raise InputError("Path lengths need a perceptual distance.")
        distance, found = self.tools.distance(), list[Measurement]()
        for i, kind in enumerate(self.plan.paths):
            low, high = (k / len(self.plan.paths) for k in (i, i + 1))
            paths = (self.fake, kind, self.plan.count, distance, self.plan.seed, self.tools.share)
            number = yield from part(_whole(path_length.measured(*paths)), low, high)
            settings = {**about.settings, "space": kind.space, "reach": kind.reach, "crop": kind.crop}
            found.append(_row(replace(about, extractor=distance.name, settings=settings), "ppl", number))
        return found

    def _scores(self, pictures: Pictures, count: int) -> Generator[Step[Any], None, Features]:
        assert self.tools.scorer is not None
        scored = ScoreFeatures(self.tools.scorer)
        return (yield from collect(pictures, scored, count, cache=self.tools.cache, share=self.tools.share))

    def _separability(self, about: Measurement) -> Generator[Step[Any], None, list[Measurement]]:
        count = self.plan.count
        fake = ModelPictures(self.fake.network, replace(self.plan.sampling, psi=1.0), self.fake.name)
        scores = yield from part(_whole(self._scores(fake, count)), 0.0, 0.5)
        values, (places, columns) = scores.rows(0, count), readable(self.tools.scorer)
        numbers = range(count)
        z = fake.latents(numbers)
        w = mapped(fake.network, z, fake.labels(numbers))
        found: list[Measurement] = []
        for low, space, latents in ((0.5, "z", z), (0.75, "w", w)):
            given = (latents.double().numpy(), columns, values[:, places])
            told = yield from part(_whole(separability.measured(*given)), low, low + 0.25)
            bits = {name: round(value, 4) for name, value in told.bits.items()}
            settings = {**about.settings, "space": space, "bits": bits}
            at = replace(about, extractor=_scorer_name(self.tools.scorer), psi=1.0, cutoff=None, settings=settings)
            found.append(_row(at, "separability", Number(told.score)))
        return found

    def _overlap(self, about: Measurement) -> Generator[Step[Any], None, list[Measurement]]:
        assert self.pictures is not None
        data = yield from part(_whole(self._scores(self.pictures, self.data_count)), 0.0, 0.5)
        samples = yield from part(_whole(self._scores(self.fake, self.plan.count)), 0.5, 1.0)
        _, columns = readable(self.tools.scorer)
        wanted = {column.name for column in columns}
        assert self.tools.scorer is not None
        found = [h for h in attributes.histograms(self.tools.scorer.columns, data, samples) if h.name in wanted]
        mean = sum(item.overlap for item in found) / len(found)
        shown = {h.name: {"low": h.low, "high": h.high, "data": h.data, "samples": h.samples} for h in found}
        settings = {**about.settings, "overlaps": {h.name: round(h.overlap, 4) for h in found}, "histograms": shown}
        at = replace(about, extractor=_scorer_name(self.tools.scorer), settings=settings)
        return [_row(at, "overlap", Number(mean))]


def readable(scorer: Scorer | None) -> tuple[list[int], list[Column]]:
    """Columns that the scorer reads well, as far as it says, and their places; all where it does not say."""
    quality = getattr(scorer, "quality", {})
    found = []
    for i, column in enumerate(scorer.columns if scorer else ()):
        known = quality.get(column.name, {})
        if known.get("r2", 1.0) >= _LEAST_R2 and known.get("auc", 1.0) >= _LEAST_AUC:
            found.append((i, column))
    if not found:
        raise InputError("The scorer reads no attribute well enough to measure with.")
    return [i for i, _ in found], [column for _, column in found]


def warnings(plan: Plan, extractor: Extractor) -> Iterator[str]:
    """Sentences on what a plan's counts do to its numbers."""
    smaller = min(plan.count, plan.data_count or plan.count)
    if plan.needs(("fid", "psi", "mixing")) and smaller < extractor.width:
        yield (
            f"{smaller} pictures are fewer than the {extractor.width} dimensions of {extractor.name}'s features: the "
            "covariances are singular and the Fréchet distance comes out far too high. Compare it with others of the "
            "same count only, or take KID, which has no such bias."
        )


def _row(about: Measurement, metric: str, number: Number) -> Measurement:
    return replace(about, metric=metric, value=number.value, low=number.low, high=number.high)


def _scorer_name(scorer: Scorer | None) -> str:
    return f"scorer {scorer.digest[:8]}" if scorer else ""


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


def _whole(steps: Generator[Step[Any], None, Any]) -> Iterator[Step[Any]]:
    """`steps` with what they return as the result of a last step."""
    result = yield from steps
    yield Step("", 1.0, result)
