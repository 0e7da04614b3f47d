"""The parts of a recipe: sources, mixes, directions, edits and noise, as frozen dataclasses of plain values.

`explorer.recipe` says what each does to the picture. Every value is checked when it is made and put in one normal form
(ints, floats without −0.0, sorted layers), so that equal parts have equal JSON.
"""

from dataclasses import dataclass
from typing import TypeAlias

from explorer import values
from explorer.values import RecipeError
from stylegan.seeds import MAX_SEED

MAX_LOCKS = 32
MAX_DEPTH = 3  # blends of blends: a film between two blends needs them
MAX_BLEND = 4.0  # outside 0 … 1 a blend extrapolates; ±4 takes a slerp once around its circle
MAX_STRENGTH_SD = 100.0
MAX_NOISE = 10.0

SPACES = ("w", "z")
NOISE_MODES = ("stored", "random", "none")

Source: TypeAlias = "int | Stored | Blend"  # an int is a seed
Amounts: TypeAlias = tuple[tuple[int, float], ...]  # (layer, value), sorted by layer, each layer once


@dataclass(frozen=True)
class Stored:
    """A latent w `[L, w_dim]` or `[w_dim]` that the app keeps under the digest of its numbers."""

    latent: str

    def __post_init__(self) -> None:
        values.digest(self.latent, "The digest of a stored latent")


@dataclass(frozen=True)
class Blend:
    """From `a` (amount 0) to `b` (amount 1), in space "w" (lerp) or "z" (slerp; seeds and their z blends only)."""

    a: Source
    b: Source
    amount: float
    space: str = "w"

    def __post_init__(self) -> None:
        values.choice(self.space, "The space of a blend", SPACES)
        set_normal(
            self,
            a=check_source(self.a, "The first end of a blend"),
            b=check_source(self.b, "The second end of a blend"),
            amount=values.real(self.amount, "The amount of a blend", -MAX_BLEND, MAX_BLEND),
        )
        if self.space == "z" and not (_has_z(self.a) and _has_z(self.b)):
            raise RecipeError('A blend in z is between seeds; blend stored latents and blends in w with space "w".')
        if _depth(self) > MAX_DEPTH:
            raise RecipeError(f"Blends of blends go {MAX_DEPTH} levels deep, not {_depth(self)}.")


@dataclass(frozen=True)
class Mix:
    """Styles of another source on some layers: `layers` holds (layer, amount 0 … 1) pairs."""

    source: Source
    layers: Amounts

    def __post_init__(self) -> None:
        amounts = values.per_layer(self.layers, "A mix", lambda x: values.real(x, "The amount of a mix", 0, 1))
        if not amounts:
            raise RecipeError("A mix names no layer: give at least one.")
        set_normal(self, source=check_source(self.source, "The source of a mix"), layers=amounts)


@dataclass(frozen=True)
class Direction:
    """Which direction: the name people read, and the digest of its vector, which is what counts."""

    name: str
    digest: str

    def __post_init__(self) -> None:
        values.name(self.name, "The name of a direction")
        values.digest(self.digest, "The digest of a direction")


@dataclass(frozen=True)
class Edit:
    """A move of `strength` standard deviations along a direction, on all layers (None) or some.

    `locks` are directions that it keeps still: it moves along the part orthogonal to all of them.
    """

    direction: Direction
    strength: float
    layers: tuple[int, ...] | None = None
    locks: tuple[Direction, ...] = ()

    def __post_init__(self) -> None:
        locks = values.items(self.locks, "The locks of an edit", MAX_LOCKS)
        if not isinstance(self.direction, Direction) or not all(isinstance(lock, Direction) for lock in locks):
            raise RecipeError("The direction and the locks of an edit are Directions: a name and a digest.")
        if len({self.direction.digest, *(lock.digest for lock in locks)}) != len(locks) + 1:
            raise RecipeError("An edit's locks are different directions, and none of them is the edit's own.")
        set_normal(
            self,
            strength=values.real(self.strength, "The strength of an edit", -MAX_STRENGTH_SD, MAX_STRENGTH_SD),
            layers=None if self.layers is None else values.layer_numbers(self.layers, "An edit"),
            locks=tuple(sorted(locks, key=lambda lock: str(lock.digest))),  # which are locked counts, not in what order
        )


@dataclass(frozen=True)
class Noise:
    """`mode` holds for layers without a seed of their own in `seeds`; `strengths` scale single layers (absent: 1).

    `seed` is what "random" draws from; the other modes have it 0.
    """

    mode: str = "stored"
    seed: int = 0
    seeds: tuple[tuple[int, int], ...] = ()
    strengths: Amounts = ()

    def __post_init__(self) -> None:
        values.choice(self.mode, "The noise mode", NOISE_MODES)
        set_normal(
            self,
            seed=_seed(self.seed),
            seeds=values.per_layer(self.seeds, "The noise seeds", _seed),
            strengths=values.per_layer(
                self.strengths, "The noise strengths", lambda x: values.real(x, "A noise strength", 0, MAX_NOISE)
            ),
        )
        if self.mode != "random" and self.seed != 0:
            raise RecipeError(f'A noise seed needs the mode "random", not "{self.mode}".')

    def seed_of(self, layer: int) -> int | None:
        """What `noise_field` draws this layer's picture from; None: not drawn, but stored or none, as the mode says."""
        return dict(self.seeds).get(layer, self.seed if self.mode == "random" else None)

    def strength_of(self, layer: int) -> float:
        """What this layer's noise is multiplied with; 1 is as trained."""
        return dict(self.strengths).get(layer, 1.0)


def set_normal(target: object, **normal: object) -> None:
    """Put values in their normal form into a frozen dataclass: for its __post_init__ alone."""
    for key, value in normal.items():
        object.__setattr__(target, key, value)


def _seed(value: object) -> int:
    return values.whole(value, "A seed", MAX_SEED)


def check_source(value: object, what: str) -> Source:
    """A seed from 0 to 2³²−1, a Stored or a Blend."""
    return value if isinstance(value, (Stored, Blend)) else values.whole(value, f"{what}, if a seed,", MAX_SEED)


def _has_z(source: Source) -> bool:
    return isinstance(source, int) or (isinstance(source, Blend) and source.space == "z")


def _depth(source: Source) -> int:
    return 1 + max(_depth(source.a), _depth(source.b)) if isinstance(source, Blend) else 0
