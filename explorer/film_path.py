"""Where a film is at each moment: recipes between two keys, sweeps, circles, and a grid's tiles; pure functions.

Between two recipes all that is continuous moves: the source (straight in w, or on the sphere in z), ψ of every layer,
the amounts of mixes, the strengths of directions and of noise. What is not (class, noise seeds, the layers and locks of
an edit, the order of mixes) switches half-way. A mix, an edit or noise that only one of the two has is faded.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import torch

from explorer import edits
from explorer.film import Circle, DirectionSweep, Film, FilmError, NoiseSweep, PsiSweep
from explorer.library import ModelCard
from explorer.parts import Amounts, Blend, Edit, Mix, Noise, Source
from explorer.recipe import Recipe
from stylegan.seeds import MAX_SEED, seeds_to_z

Way = Callable[[float], Recipe]  # from one stop (0) to the next (1)


@dataclass(frozen=True)
class Place:
    """Where a frame is: on which of the film's ways, and what share of it is behind."""

    way: int
    share: float


def ways(film: Film, card: ModelCard, seed: int | None = None) -> list[Way]:
    """The ways of a film one after the other, for the tile of `seed` where it is a grid.

    Raises:
        InputError: a grid of pictures without seeds, or two keys that nothing lies between.
    """
    recipes = [key.recipe for key in film.keys]
    if seed is not None:
        recipes = [_moved(recipe, seed - _leading_seed(recipes[0].source)) for recipe in recipes]
    if film.sweep is None:
        return [partial(between, recipes[a], recipes[b], card=card, space=film.space) for a, b in film.ways]
    there = _swept(film, recipes[0], card)
    return [there if a < b else lambda share: there(1 - share) for a, b in film.ways]


def places(film: Film, speeds: Sequence["Pace"] | None = None) -> list[Place]:
    """Where each frame is.

    Args:
        speeds: how the picture changes on each way, for the easing "even"; others do not need it.
    """
    counts = [film.travel_frames] * len(film.ways)
    if speeds is not None:
        counts = _dealt(sum(counts), [pace.length for pace in speeds])
    listed: list[Place] = []
    for way, (start, _) in enumerate(film.ways):
        last = not film.closed and way == len(film.ways) - 1
        steps = counts[way] - 1 if last else counts[way]
        listed += [Place(way, 0.0)] * film.hold_frames(start)
        ease = _easing(film) if speeds is None else speeds[way].share
        listed += [Place(way, ease(frame / steps)) for frame in range(counts[way])]
    if not film.closed:
        listed += [Place(len(film.ways) - 1, 1.0)] * film.hold_frames(film.ways[-1][1])
    return listed


def _easing(film: Film) -> Callable[[float], float]:
    if film.easing == "smooth" and not isinstance(film.sweep, NoiseSweep):
        return lambda t: t * t * (3 - 2 * t)
    return lambda t: t


# Constant perceptual speed


@dataclass(frozen=True)
class Pace:
    """How far the picture has changed at evenly spaced shares of a way: 0 at first, `length` at last."""

    distances: tuple[float, ...]

    @classmethod
    def of(cls, changes: Iterable[float]) -> "Pace":
        """From the change in each of the equal parts of a way."""
        sums = [0.0]
        for change in changes:
            sums.append(sums[-1] + change)
        return cls(tuple(sums))

    @property
    def length(self) -> float:
        """From end to end."""
        return self.distances[-1]

    def share(self, t: float) -> float:
        """The share of the way at which the share `t` of all change is behind: 0 at 0, 1 at 1, linear in between."""
        parts = len(self.distances) - 1
        if self.length == 0 or t <= 0 or t >= 1:
            return min(max(t, 0.0), 1.0)
        sought = t * self.length
        i = next(i for i in range(parts) if self.distances[i + 1] >= sought)
        low, high = self.distances[i], self.distances[i + 1]
        return (i + (sought - low) / (high - low)) / parts


def _dealt(total: int, lengths: Sequence[float]) -> list[int]:
    """`total` frames over ways in proportion to their lengths, at least two each: by largest remainders."""
    spare, whole = total - 2 * len(lengths), sum(lengths)
    exact = [spare * (length / whole if whole else 1 / len(lengths)) for length in lengths]
    counts = [math.floor(share) for share in exact]
    by_rest = sorted(range(len(exact)), key=lambda i: counts[i] - exact[i])
    for i in by_rest[: spare - sum(counts)]:
        counts[i] += 1
    return [2 + count for count in counts]


# Between two recipes


def between(a: Recipe, b: Recipe, share: float, *, card: ModelCard, space: str = "w") -> Recipe:
    """The recipe at `share` of the way from `a` (0, exactly) to `b` (1, exactly)."""
    if share in (0, 1):
        return b if share else a
    nearer = b if share >= 0.5 else a
    psi, cutoff, layer_psi = _psi_between(a, b, share, card.num_ws)
    return Recipe(
        model=a.model,
        source=_source_between(a.source, b.source, share, space),
        label=nearer.label,
        psi=psi,
        cutoff=cutoff,
        layer_psi=layer_psi,
        mixes=_mixes_between(a.mixes, b.mixes, share, space),
        edits=_edits_between(a.edits, b.edits, share),
        noise=_noise_between(a.noise, b.noise, share, card.num_layers if card.has_noise else 0),
    )


def _lerp(a: float, b: float, share: float) -> float:
    return a if a == b else a + (b - a) * share


def _source_between(a: Source, b: Source, share: float, space: str) -> Source:
    return a if a == b else Blend(a, b, share, space)


def _psi_between(a: Recipe, b: Recipe, share: float, num_ws: int) -> tuple[float, int | None, Amounts]:
    """ψ, cutoff and ψ per layer; spelled out layer by layer where the two reach different layers."""
    psi = _lerp(a.psi, b.psi, share)
    layers = [layer for layer, _ in a.layer_psi]
    cutoff = a.cutoff
    if a.cutoff != b.cutoff or layers != [layer for layer, _ in b.layer_psi]:
        layers, cutoff = list(range(num_ws)), None
    return psi, cutoff, tuple((layer, _lerp(a.psi_of(layer), b.psi_of(layer), share)) for layer in layers)


def _mixes_between(a: tuple[Mix, ...], b: tuple[Mix, ...], share: float, space: str) -> tuple[Mix, ...]:
    """Mixes of one source change their amounts; of those left, two on the same layers change from source to source."""
    of_a, of_b = ({mix.source: mix for mix in mixes} for mixes in (a, b))
    left = [mix for mix in b if mix.source not in of_a]
    mixed: list[Mix] = []
    for mix in a:
        alike = (other for other in left if _layers(other) == _layers(mix))
        partner = of_b.get(mix.source) or next(alike, None)
        if partner in left:
            left.remove(partner)
        source = mix.source if partner is None else _source_between(mix.source, partner.source, share, space)
        mixed.append(Mix(source, _amounts_between(mix.layers, partner.layers if partner else (), share)))
    mixed += [Mix(mix.source, _amounts_between((), mix.layers, share)) for mix in left]
    return tuple(mixed)


def _layers(mix: Mix) -> list[int]:
    return [layer for layer, _ in mix.layers]


def _amounts_between(a: Amounts, b: Amounts, share: float, absent: float = 0.0) -> Amounts:
    of_a, of_b = dict(a), dict(b)
    layers = sorted({*of_a, *of_b})
    return tuple((layer, _lerp(of_a.get(layer, absent), of_b.get(layer, absent), share)) for layer in layers)


def _edits_between(a: tuple[Edit, ...], b: tuple[Edit, ...], share: float) -> tuple[Edit, ...]:
    of_a, of_b = ({edit.direction.digest: edit for edit in moves} for moves in (a, b))
    moved: list[Edit] = []
    for digest in dict.fromkeys((*of_a, *of_b)):
        first, second = of_a.get(digest), of_b.get(digest)
        form = second if second and (first is None or share >= 0.5) else first
        assert form is not None
        strength = _lerp(first.strength if first else 0.0, second.strength if second else 0.0, share)
        if strength:
            moved.append(replace(form, strength=strength))
    return tuple(moved)


def _noise_between(a: Noise, b: Noise, share: float, layers: int) -> Noise:
    """Which noise it is switches; how strong it is moves. Noise that is off on one side counts as of strength 0."""

    def off(noise: Noise, layer: int) -> bool:
        return noise.mode == "none" and noise.seed_of(layer) is None

    if (a.mode == "none") == (b.mode == "none"):
        return replace(b if share >= 0.5 else a, strengths=_amounts_between(a.strengths, b.strengths, share, 1.0))
    heard = a if b.mode == "none" else b
    strengths = []
    for layer in range(layers):
        first, second = (0.0 if off(noise, layer) else noise.strength_of(layer) for noise in (a, b))
        strengths.append((layer, _lerp(first, second, share)))
    silent_seeds = dict((b if heard is a else a).seeds)
    seeds = {**silent_seeds, **dict(heard.seeds)} if silent_seeds else dict(heard.seeds)
    return replace(heard, seeds=tuple(seeds.items()), strengths=tuple(pair for pair in strengths if pair[1] != 1))


# Sweeps


def _swept(film: Film, recipe: Recipe, card: ModelCard) -> Way:
    sweep = film.sweep
    if isinstance(sweep, PsiSweep):
        return lambda share: edits.with_psi(recipe, _lerp(sweep.low, sweep.high, share))
    if isinstance(sweep, DirectionSweep):
        own = {edit.direction.digest: edit for edit in recipe.edits}.get(sweep.direction.digest)
        layers, locks = (own.layers, own.locks) if own else (None, ())
        return lambda share: edits.with_edit(
            recipe, sweep.direction, _lerp(sweep.low, sweep.high, share), layers, locks
        )
    if isinstance(sweep, NoiseSweep):
        first, count = recipe.noise.seed, film.travel_frames
        return lambda share: edits.with_noise(recipe, "random", (first + round(share * count)) % (MAX_SEED + 1))
    assert isinstance(sweep, Circle)
    return lambda share: replace(recipe, source=circle(recipe.source, sweep, share, film.space, card.z_dim))


def circle(centre: Source, plan: Circle, share: float, space: str, z_dim: int) -> Source:
    """A point of a closed curve around `centre`; shares 0 and 1 are the same point.

    In w the ellipse c + r·cos φ·(a − c) + r·sin φ·(b − c), φ = 2π·share, as lerps: c to a by p, then to b by r·sin φ,
    with p = r·cos φ / (1 − r·sin φ). In z the great circle through a and b, of which every point is brought to the
    share 1 − r of its angle from c.
    """
    turn = share % 1.0
    if space == "w":
        cos, sin = (plan.radius * f(2 * math.pi * turn) for f in (math.cos, math.sin))
        return Blend(Blend(centre, plan.a, cos / (1 - sin)), plan.b, sin)
    a, b = seeds_to_z([plan.a, plan.b], z_dim)
    angle = math.acos(torch.nn.functional.cosine_similarity(a, b, dim=0).clamp(-1, 1).item())
    far = Blend(plan.a, plan.b, (2 * turn - 1) * math.pi / angle, "z")
    return Blend(centre, far, plan.radius, "z")


# Grids


def _moved(recipe: Recipe, by: int) -> Recipe:
    return replace(recipe, source=_source_moved(recipe.source, by))


def _source_moved(source: Source, by: int) -> Source:
    if isinstance(source, Blend):
        return replace(source, a=_source_moved(source.a, by), b=_source_moved(source.b, by))
    if not isinstance(source, int):
        raise FilmError("A grid of seeds needs keys that start from seeds, not from stored latents.")
    return (source + by) % (MAX_SEED + 1)


def _leading_seed(source: Source) -> int:
    if isinstance(source, Blend):
        return _leading_seed(source.a)
    if not isinstance(source, int):
        raise FilmError("A grid of seeds needs keys that start from seeds, not from stored latents.")
    return source
