"""Directions found for a page or a program: from scores, or without any; a look at each; and what is found, until kept.

Long work is a generator of `Step`s. The networks run through the engine, a part at a time, so that pictures go on.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch

from explorer.cache import ByteCache
from explorer.engine import Engine
from explorer.library import ModelCard
from explorer.recipe import Recipe
from explorer.scorers import Scorers
from explorer.values import RecipeError, choice, items, show, whole
from stylegan import directions as library
from stylegan.directions import (
    Direction,
    Fitness,
    FitOptions,
    Fitted,
    PictureMeasures,
    Samples,
    Scorer,
    ScoreTable,
    Step,
)
from stylegan.directions import sampling as _sampling
from stylegan.directions.records import part
from stylegan.errors import InputError
from stylegan.images import Picture, grid
from stylegan.networks import Generator

ATTRIBUTES, MEASURES, TABLE = "attributes", "measures", "table"
METHODS = ("svm", "ridge")
KINDS = ("pca", "sefa")
WHOLE = "all"  # layers, beside the bands
MIN_COUNT, MAX_COUNT, DEFAULT_COUNT = 200, 50_000, _sampling.DEFAULT_COUNT
MAX_NAMES = 64
MAX_COMPONENTS = 24
DEMO_COUNT = 2000  # samples that strangers may ask for
POOL = 4096  # samples that ends are looked for in, that σ is measured on, and that people are asked about
FIRST_SEED = _sampling.FIRST_SEED
STRIP_SD = (-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0)
ENDS = 6  # samples at either end
_SAMPLES_BYTES, _POOLS_BYTES = 192 << 20, 64 << 20
_REMEMBERED = 2000  # directions found and not kept yet, of all visitors
_BATCH_PX = 1 << 16  # pixels computed at once: about a tenth of a second on a CPU

Finding = Step[Fitted]


@dataclass(frozen=True)
class Asked:
    """What to fit: the scores `names` (none: all that are read well) of `scorer` or `table`, for `count` samples."""

    model: str
    label: int | None = None  # class of all samples
    scorer: str = MEASURES
    names: tuple[str, ...] = ()
    count: int = DEFAULT_COUNT
    method: str = "svm"
    table: ScoreTable | None = None

    def __post_init__(self) -> None:
        choice(self.scorer, "The scorer", (ATTRIBUTES, MEASURES, TABLE))
        choice(self.method, "The method", METHODS)
        names = items(self.names, "The list of attributes", MAX_NAMES)
        if not all(isinstance(name, str) for name in names):
            raise RecipeError("Attributes are named by text.")
        if whole(self.count, "The number of samples", MAX_COUNT) < MIN_COUNT:
            raise RecipeError(f"The number of samples is from {MIN_COUNT} to {MAX_COUNT}, not {self.count}.")
        if (self.table is None) == (self.scorer == TABLE):
            raise RecipeError("Scores come from a table, or from a scorer: give the one or the other.")
        object.__setattr__(self, "names", names)


@dataclass(frozen=True, eq=False)
class Look:
    """A direction to look at: `strip` is a picture moved by −3σ … 3σ, `ends` the samples that have it least, then most.

    Both are sheets of one row, uint8 `[H, W, 3]`.
    """

    strip: Picture
    ends: Picture


class Finder:
    """Finds directions, for all visitors. Thread-safe."""

    def __init__(self, engine: Engine, scorers: Scorers) -> None:
        self._engine, self._library, self._scorers = engine, engine.library, scorers
        self._samples: ByteCache[Any, Samples] = ByteCache(_SAMPLES_BYTES)
        self._pools: ByteCache[Any, Samples] = ByteCache(_POOLS_BYTES)
        self._found: OrderedDict[tuple[str, str], Direction] = OrderedDict()
        self._lock = threading.Lock()

    def scorers(self, model: str) -> list[dict[str, Any]]:
        """What there is to fit to, as plain data: the model's own scorer, where it has one, and picture measures."""
        own, problem = self._scorers.own(model)
        found = [] if own is None else [_scorer_data(ATTRIBUTES, "Attributes", own)]
        measures = _scorer_data(MEASURES, "Picture measures", PictureMeasures())
        return [*found, {**measures, "problem": problem} if problem else measures]

    def fit(self, asked: Asked, visitor: str | None = None) -> Iterator[Finding]:
        """A direction for each score asked for; the last step has them, and those that gave none with the reason why.

        Raises:
            InputError: no such scorer or score, or none of the scores gives a direction.
        """
        options = FitOptions(asked.method)  # type: ignore[arg-type]  # checked by `Asked`
        scorer: Scorer | ScoreTable = self._scorer(asked) if asked.table is None else asked.table
        names = asked.names or tuple(getattr(scorer, "readable", [column.name for column in scorer.columns]))
        known = [column.name for column in scorer.columns]
        for name in names:
            if name not in known:
                raise InputError(f"There is no score {show(name)}; there are: {', '.join(known)}.")
        sampling = self._share_of_sampling(asked, len(names))
        samples = yield from part(self._sampled(asked, scorer, visitor), 0.0, sampling)
        fitted = yield from part(library.fit_all(samples, names, options, skip=len(names) > 1), sampling, 1.0)
        if not fitted.directions:
            raise InputError(fitted.skipped[0][1])
        yield Step("fitted", 1.0, self.remember(asked.model, fitted))

    def components(
        self, model: str, label: int | None, kind: str, band: str = WHOLE, count: int = 8, visitor: str | None = None
    ) -> Iterator[Finding]:
        """Directions without labels: principal components of W ("pca") or singular vectors of style layers ("sefa").

        Args:
            band: of layers, that they are of (sefa) and are meant to act on: coarse, middle, fine or all.

        Raises:
            InputError: no such kind or band, an impossible count, a network without styles.
        """
        choice(kind, "The kind", KINDS)
        card = self._library.card(model)
        layers = band_layers(card, band)
        if whole(count, "The number of directions", MAX_COMPONENTS) < 1:
            raise RecipeError(f"The number of directions is from 1 to {MAX_COMPONENTS}, not {count}.")
        pool = yield from part(self._pool(model, label, visitor), 0.0, 0.7)
        count = min(count, card.w_dim)
        name = "" if layers is None else band

        def found(G: Generator) -> Iterator[list[Direction]]:
            if kind == "pca":
                yield library.principal_components(pool.w, count, layers, name)
            else:
                yield library.style_vectors(G, pool.w, count, layers, name)

        yield Step("decomposing", 0.7)
        steps = found(self._library.generator(model))
        for directions in self._engine.driven(model, steps, visitor):
            yield Step("found", 1.0, self.remember(model, Fitted(tuple(directions))))

    def look(self, recipe: Recipe, digest: str, visitor: str | None = None) -> Look:
        """The picture of `recipe` along a direction that was found for its model, and the two ends of the samples.

        Raises:
            RecipeError: no such direction is remembered.
        """
        direction, w = self.found(recipe.model, digest), self._engine.w(recipe)
        layers = slice(None) if direction.layers is None else list(direction.layers)
        ws = []
        for strength in STRIP_SD:
            moved = w.clone()
            moved[layers] += (strength * direction.sigma * direction.vector).to(w)
            ws.append(moved)
        strip = torch.stack([torch.from_numpy(picture) for picture in self._engine.moved(recipe, ws, visitor)])
        pool = self.pool(recipe.model, recipe.label, visitor)
        least, most = library.ends(pool.w, direction, ENDS)
        rows = [*least, *reversed(most)]
        recipes = [sample_recipe(recipe.model, pool.seeds[row], recipe.label) for row in rows]
        size = self._library.card(recipe.model).resolution
        ends = self._engine.sheet(recipes, len(recipes), min(size, 128), 0, visitor, smooth=True)
        return Look(grid(strip, len(strip), 0), ends)

    def pool(self, model: str, label: int | None, visitor: str | None = None) -> Samples:
        """4096 samples of a model (of one class) without pictures; a second or two the first time."""
        return library.finish(self._pool(model, label, visitor))

    def remember(self, model: str, fitted: Fitted) -> Fitted:
        """`fitted`, whose directions are known to `found` from now on."""
        with self._lock:
            for direction in fitted.directions:
                self._found[model, direction.digest] = direction
                self._found.move_to_end((model, direction.digest))
            while len(self._found) > _REMEMBERED:
                self._found.popitem(last=False)
        return fitted

    def found(self, model: str, digest: object, name: object = None) -> Direction:
        """A direction that was found, under another name where one is given; RecipeError where it is not here."""
        with self._lock:
            direction = self._found.get((model, digest)) if isinstance(digest, str) else None
        if direction is None:
            raise RecipeError("This direction is not remembered any more: find it again.")
        if name is None:
            return direction
        if not isinstance(name, str) or not name.strip():
            raise RecipeError("Give the direction a name, so that you know it again.")
        return replace(direction, name=name.strip())

    def _scorer(self, asked: Asked) -> Scorer:
        if asked.scorer == MEASURES:
            return PictureMeasures()
        scorer, problem = self._scorers.own(asked.model)
        if scorer is None:
            raise InputError(problem or "This model has no attribute scorer beside it: take measures or a table.")
        return scorer

    def _sampled(self, asked: Asked, scorer: Scorer | ScoreTable, visitor: str | None) -> Iterator[Step[Samples]]:
        key = (asked.model, scorer.digest, asked.count, asked.label)
        known = self._samples.get(key)
        if known is not None:
            yield Step("sampled", 1.0, known)
            return

        for step in self._engine.driven(asked.model, self._sampling(asked, scorer), visitor):
            if step.result is not None:
                self._samples.put(key, step.result, _bytes(step.result))
            yield step

    def _sampling(self, asked: Asked, scorer: Scorer | ScoreTable) -> Iterator[Step[Samples]]:
        G = self._library.generator(asked.model)
        if isinstance(scorer, ScoreTable):
            return _tabled(G, scorer, asked.label)
        device = G.w_mean.device
        batch = max(1, min(64, _BATCH_PX // G.config.resolution**2)) * (1 if device.type == "cpu" else 8)
        return library.sample(G, scorer, asked.count, label=asked.label, batch=batch)

    def _pool(self, model: str, label: int | None, visitor: str | None) -> Iterator[Step[Samples]]:
        known = self._pools.get((model, label))
        if known is not None:
            yield Step("mapped", 1.0, known)
            return
        seeds = range(FIRST_SEED, FIRST_SEED + POOL)
        steps = _sampling.latent_steps(self._library.generator(model), seeds, label)
        for step in self._engine.driven(model, steps, visitor):
            if step.result is not None:
                self._pools.put((model, label), step.result, _bytes(step.result))
            yield step

    def _share_of_sampling(self, asked: Asked, fits: int) -> float:
        """About how much of the time goes into samples, so that what is left is told well; measured on a CPU."""
        card = self._library.card(asked.model)
        sampling_sec = asked.count * (0.5e-3 if asked.table else 0.5e-3 + 2.5e-6 * card.resolution**2)
        return sampling_sec / (sampling_sec + 1.3 * fits * card.w_dim / 128)


def table_in(text: str, file: str, most: int = MAX_COUNT) -> ScoreTable:
    """The table in the text of a scores file, of at most `most` rows; InputError says which line is wrong."""
    table = library.parse_scores(text, file)
    if len(table.seeds) > most:
        raise RecipeError(f"{file} has {len(table.seeds)} rows; here at most {most} are taken.")
    return table


def sample_recipe(model: str, seed: int, label: int | None) -> Recipe:
    """The picture of a sample: a seed without truncation, with stored noise."""
    return Recipe(model, seed, label, 1.0)


def band_layers(card: ModelCard, band: object) -> tuple[int, ...] | None:
    """The style layers of a band; None for all. RecipeError: no such band, or none of its layers in this model."""
    name = choice(band, "The band", (WHOLE, *card.bands))
    if name == WHOLE:
        return None
    layers = tuple(layer for layer in card.bands[name] if layer < card.num_ws)
    if not layers:
        raise RecipeError(f"This model ends at {card.resolution}²: it has no {name} layers.")
    return layers


def data_of(direction: Direction) -> dict[str, Any]:
    """All that is known of a direction but its vector, as plain data."""
    facts = direction.facts
    return {
        "name": direction.name,
        "digest": direction.digest,
        "method": direction.method,
        "sigma": direction.sigma,
        "layers": None if direction.layers is None else list(direction.layers),
        **{key: getattr(facts, key) for key in ("samples", "positives", "negatives", "held_out", "share", "note")},
        "w": _fitness_data(facts.w),
        "z": _fitness_data(facts.z),
    }


def _fitness_data(fitness: Fitness | None) -> dict[str, float | None] | None:
    if fitness is None:
        return None
    return {
        "accuracy": fitness.accuracy,
        "auc": fitness.auc,
        "entropy_bits": fitness.entropy_bits,
        "separability": fitness.separability,
        "r2": fitness.r2,
    }


def _scorer_data(key: str, title: str, scorer: Scorer) -> dict[str, Any]:
    good = set(getattr(scorer, "readable", [column.name for column in scorer.columns]))
    columns = [{"name": c.name, "kind": c.kind, "good": c.name in good} for c in scorer.columns]
    return {"key": key, "title": title, "columns": columns}


def _tabled(G: Generator, table: ScoreTable, label: int | None) -> Iterator[Step[Samples]]:
    """`with_table`, a part at a time."""
    found = yield from part(_sampling.latent_steps(G, table.seeds, label), 0.0, 1.0)
    yield Step("read", 1.0, replace(found, columns=table.columns, scores=table.values, scorer=table.digest))


def _bytes(samples: Samples) -> int:
    return samples.z.nbytes + samples.w.nbytes + samples.scores.nbytes
