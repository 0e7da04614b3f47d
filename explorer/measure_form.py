"""What a browser or a program asks to have measured, checked: models, data, metrics, and how.

A form is `{models, data, run, folder, metrics, count, data_count, psi, cutoff, cutoffs, seed, extractor, file,
distance, scorer, crop}`; what is missing or null is as a plain measurement has it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from explorer.library import Library, ModelCard
from explorer.measure_cost import Size
from explorer.runs import Runs
from explorer.values import RecipeError, choice, items, real, show, whole
from stylegan.data.rendered import ENDLESS, PORTRAITS
from stylegan.data.sources import open_source
from stylegan.errors import InputError
from stylegan.metrics.measure import METRICS, NEEDS_DATA, NEEDS_SCORER
from stylegan.metrics.scripted import KNOWN
from stylegan.seeds import MAX_SEED

DATA = ("portraits", "run", "folder")
EXTRACTORS = ("lite0", *KNOWN, "file")
DISTANCES = ("lite0", "vgg16")
FEWEST, MOST, USUAL = 2, 100_000, 2000  # samples
MOST_MODELS, MOST_CUTOFFS, MAX_TEXT, MAX_PSI, MAX_LAYERS = 200, 6, 4096, 10.0, 32
LEAST = {"pr": 4, "psi": 4, "ls": 20, "halves": 4}  # samples, pictures
SPREAD = 5  # snapshots of a run, evenly spread


@dataclass(frozen=True)
class Subject:
    """A model to be measured, in a file that is there. `key` is how forms name it."""

    key: str
    path: Path
    name: str
    kimg: float | None
    resolution: int
    scorer: Path | None  # that reads its pictures

    @property
    def label(self) -> str:
        """Its name, and how far it had come."""
        return self.name if self.kimg is None else f"{self.name}, {self.kimg:g} kimg"


@dataclass(frozen=True)
class Order:
    """What to measure, checked."""

    subjects: tuple[Subject, ...]
    data: str | None  # as `--data` names it; None: no metric needs any
    metrics: tuple[str, ...]
    count: int
    data_count: int | None = None  # None: as many as samples, or as there are
    psi: float = 1.0
    cutoff: int | None = None
    seed: int = 0
    extractor: str = "lite0"  # as `--extractor` names it
    distance: str = "lite0"
    crop: bool = False
    cutoffs: tuple[int | None, ...] = ()  # that the price of ψ is measured at; none: `cutoff`

    def size(self, subject: Subject) -> Size:
        """What the cost of measuring one of the models hangs on."""
        portraits = self.data is not None and self.data.startswith(PORTRAITS)
        counts = (self.count, self.data_count or self.count, subject.resolution)
        return Size(self.metrics, *counts, self.extractor, self.distance, portraits, len(self.cutoffs) or 1)


@dataclass(frozen=True)
class Counter:
    """What a form refers to."""

    library: Library
    runs: Runs
    local: bool  # whether files of this machine may be named

    def order(self, form: Mapping[str, Any]) -> Order:
        """The order of a form. InputError, DataError: one sentence on what is wrong with it."""
        listed = items(form.get("metrics"), "The list of metrics", len(METRICS))
        metrics = tuple(dict.fromkeys(choice(metric, "A metric", METRICS) for metric in listed))
        if not metrics:
            raise RecipeError("Choose what to measure.")
        count = _count(form.get("count"), "samples", USUAL)
        data_count = None if form.get("data_count") is None else _count(form["data_count"], "pictures of the data", 0)
        fewer = min(count, data_count or count)
        for metric, least in LEAST.items():
            if metric in metrics and fewer < least:
                raise RecipeError(f"{_TITLES[metric]} takes at least {least} samples, not {fewer}.")
        cutoff, scorer = form.get("cutoff"), form.get("scorer")
        subjects = self._subjects(form.get("models"), scorer)
        if lacking := [one.label for one in subjects if one.scorer is None and set(metrics) & set(NEEDS_SCORER)]:
            raise RecipeError(f"{lacking[0]} has no attribute scorer: leave attributes and separability out.")
        return Order(
            subjects=subjects,
            data=self._data(form, data_count or count) if set(metrics) & set(NEEDS_DATA) else None,
            metrics=metrics,
            count=count,
            data_count=data_count,
            psi=real(_or(form, "psi", 1.0), "ψ", -MAX_PSI, MAX_PSI),
            cutoff=None if cutoff is None else whole(cutoff, "The cutoff", MAX_LAYERS),
            seed=whole(_or(form, "seed", 0), "The seed", MAX_SEED),
            extractor=self._extractor(form),
            distance=choice(_or(form, "distance", "lite0"), "The perceptual distance", DISTANCES),
            crop=form.get("crop") is True,
            cutoffs=_cutoffs(form.get("cutoffs")),
        )

    def offered(self) -> dict[str, Any]:
        """What there is to choose from, as plain data."""
        cards = self.library.cards()
        models = [
            {"key": f"model:{card.digest}", "name": f"{card.name} · {card.resolution}²",
             "scorer": self.library.companion(card.digest, ".attributes") is not None}
            for card in cards
        ]  # fmt: skip
        runs = [
            {"name": run.name, "snapshots": list(run.snapshots), "data": run.data}
            for run in self.runs.listing()
            if run.snapshots
        ]
        return {"models": models, "runs": runs, "local": self.local, "usual": USUAL}

    def _subjects(self, keys: object, scorer: object) -> tuple[Subject, ...]:
        own = None
        if scorer:
            own = self.library.companion(str(scorer), ".attributes")
            if own is None:
                raise RecipeError("This model has no attribute scorer: choose another.")
        found: dict[str, Subject] = {}
        for key in items(keys, "The list of models", MOST_MODELS):
            for subject in self._named(key, own):
                found.setdefault(subject.key, subject)
        if not found:
            raise RecipeError("Choose at least one model.")
        if len(found) > MOST_MODELS:
            raise RecipeError(f"At most {MOST_MODELS} models are measured at once, not {len(found)}.")
        return tuple(found.values())

    def _named(self, key: object, scorer: Path | None) -> list[Subject]:
        """The models of one key: `model:DIGEST`, or `run:NAME:` with a snapshot, newest, some or all."""
        kind, _, rest = key.partition(":") if isinstance(key, str) else ("", "", "")
        if kind == "model":
            card, path = self.library.card(rest), self.library.file(rest)
            name, kimg = _opened_snapshot(card)
            scorer = scorer or self.library.companion(rest, ".attributes")
            return [Subject(str(key), path.absolute(), name, kimg, card.resolution, scorer)]
        name, _, which = rest.rpartition(":")
        if kind != "run" or not name:
            raise RecipeError(f"There is no model {show(key)}.")
        status = self.runs.status(name)
        with self.runs.lock:
            reader = self.runs.reader(name)
            files = {snapshot: reader.snapshot(snapshot).absolute() for snapshot in status.snapshots}
        return [
            Subject(f"run:{name}:{one}", files[one], name, float(one), status.resolution or 0, scorer)
            for one in _snapshots(status.snapshots, which, name)
        ]

    def _data(self, form: Mapping[str, Any], count: int) -> str:
        kind = choice(_or(form, "data", "portraits"), "The data", DATA)
        if kind == "portraits":
            return f"{PORTRAITS}:{count}"
        if kind == "run":
            with self.runs.lock:
                plan = self.runs.reader(form.get("run")).facts().plan
            data, rendered = str(plan.get("data", "")), plan.get("count")
            if data == ENDLESS or (data == PORTRAITS and not isinstance(rendered, int)):
                return f"{PORTRAITS}:{count}"
            return f"{PORTRAITS}:{rendered}" if data == PORTRAITS else _looked_at(data)
        if not self.local:
            raise InputError("Folders can be named on the machine itself only: measure against the data of a run.")
        return _looked_at(_path(form.get("folder"), "a folder or zip of images"))

    def _extractor(self, form: Mapping[str, Any]) -> str:
        kind = choice(_or(form, "extractor", "lite0"), "The extractor", EXTRACTORS)
        if kind != "file":
            return kind
        if not self.local:
            raise InputError("Files can be named on the machine itself only: choose another extractor.")
        path = Path(_path(form.get("file"), "a TorchScript file"))
        if not path.is_file():
            raise InputError(f"There is no file {path}.")
        return str(path)


_TITLES = {"pr": "Precision and recall", "psi": "The price of ψ", "ls": "Separability", "halves": "Two halves"}


def _count(value: object, what: str, usual: int) -> int:
    """Whole numbers that come as floats are fine: a browser has no others."""
    if value is None:
        return usual
    number = int(value) if isinstance(value, float) and value.is_integer() else value
    if isinstance(number, bool) or not isinstance(number, int) or not FEWEST <= number <= MOST:
        raise RecipeError(f"The number of {what} is from {FEWEST} to {MOST:,}, not {show(value)}.")
    return number


def _cutoffs(text: object) -> tuple[int | None, ...]:
    """`"all, 8, 4"` → (None, 8, 4)."""
    if text is None:
        return ()
    words = [word.strip() for word in text.split(",") if word.strip()] if isinstance(text, str) else [""]
    if len(words) > MOST_CUTOFFS or not all(word == "all" or (word.isdecimal() and len(word) < 4) for word in words):
        raise RecipeError(f"Cutoffs are at most {MOST_CUTOFFS} numbers of layers such as all, 8, 4, not {show(text)}.")
    return tuple(dict.fromkeys(None if word == "all" else int(word) for word in words))


def _or(form: Mapping[str, Any], key: str, usual: Any) -> Any:
    value = form.get(key)
    return usual if value is None else value


def _opened_snapshot(card: ModelCard) -> tuple[str, float | None]:
    """The name of a model, and how far a run had come with it, where the library opened it as a snapshot."""
    kimg = card.training.get("kimg")
    if isinstance(kimg, (int, float)) and card.name.endswith(f", {kimg:g} kimg"):
        return card.name.removesuffix(f", {kimg:g} kimg"), float(kimg)
    return card.name, None


def _snapshots(known: Sequence[str], which: str, run: str) -> Sequence[str]:
    if not known:
        raise RecipeError(f"{run} has no snapshot yet.")
    if which == "newest":
        return known[-1:]
    if which == "all":
        return known
    if which == "some":
        last = len(known) - 1
        return [known[i] for i in sorted({round(k * last / (SPREAD - 1)) for k in range(SPREAD)})]
    if which not in known:
        raise RecipeError(f"{run} has no snapshot {show(which)} any more.")
    return [which]


def _path(value: object, what: str) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > MAX_TEXT or "\0" in value:
        raise RecipeError(f"Type the path of {what} on this machine.")
    return str(Path(value.strip().strip("'\"")).expanduser().absolute())


def _looked_at(path: str) -> str:
    """`path`, where there are images. DataError: there are none."""
    open_source(path).close()
    return path
