"""A picture as an immutable value: what it is made from, never how it is shown.

How a recipe becomes a picture; the engine and `script.as_python` both follow this, with L layers numbered from 0:

1. `source` gives w `[L, w_dim]`: a seed through the mapping network with the label; a stored latent as it is; a blend
   of two of these in w by lerp, or in z by slerp (of the directions; the length is |a|^(1−t)·|b|^t).
2. Truncation: layer i becomes w̄ + ψᵢ·(w − w̄), where ψᵢ = `psi_of(i)`.
3. Each mix, in order: its source goes through 1 and 2, then layer i = lerp(layer i, its layer i, amount).
4. Each edit, in order: its layers (None: all) move by strength · σ · n. Without locks n is the direction's unit vector;
   with them, what is left of it orthogonal to all of them, brought back to length 1. σ is the direction's own, the
   standard deviation of the population's w along it, so that locks do not change how long a step is.
5. Noise: layer i adds its noise picture times `noise.strength_of(i)`. The picture is `noise_field(noise.seed_of(i), i)`
   where that seed is not None, else the model's stored one, or none at all in mode "none".

A recipe's identity is its digest, SHA-256 over canonical JSON: keys sorted, defaults left out (so that a field added
later changes no digest), whole floats written as ints, −0.0 as 0. Python's own hash(-1.0) == hash(-2.0) would not do.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from explorer import plain, values
from explorer.parts import (
    MAX_DEPTH,
    MAX_LOCKS,
    Amounts,
    Blend,
    Direction,
    Edit,
    Mix,
    Noise,
    Source,
    Stored,
    check_source,
    set_normal,
)
from explorer.values import MAX_LAYERS, RecipeError

__all__ = [
    "Amounts", "Blend", "Direction", "Edit", "Mix", "Noise", "Recipe", "RecipeError", "Source", "Stored", "check",
    "noise_field",
]  # fmt: skip

VERSION = 1
DIGEST_LENGTH = 32  # hex digits of a recipe's own digest
MAX_JSON_BYTES = 64 * 1024
MAX_MIXES = 64
MAX_EDITS = 64
MAX_PSI = 10.0
MAX_LABEL = 99_999

STORED_NOISE = Noise()


@dataclass(frozen=True, eq=False)
class Recipe:
    """All that decides a picture's pixels; see the head of this file for how. Equal and hashed by `digest`.

    Args:
        model: digest of the model file.
        source: a seed, a `Stored` latent or a `Blend`.
        label: class index, or None for a model without classes (zeros).
        psi: truncation ψ of the first `cutoff` layers; 1 leaves w as it is, 0 is the mean picture.
        cutoff: how many layers ψ reaches; None is all.
        layer_psi: (layer, ψ) pairs that override ψ and cutoff on single layers.
        mixes, edits, noise: see their classes.

    Raises:
        RecipeError: anything of the wrong type, out of range or not finite, or more than 64 KiB of JSON in all.
    """

    model: str
    source: Source = 0
    label: int | None = None
    psi: float = 0.7
    cutoff: int | None = None
    layer_psi: Amounts = ()
    mixes: tuple[Mix, ...] = ()
    edits: tuple[Edit, ...] = ()
    noise: Noise = STORED_NOISE

    def __post_init__(self) -> None:
        values.digest(self.model, "The model digest")
        mixes = values.items(self.mixes, "The list of mixes", MAX_MIXES)
        edits = values.items(self.edits, "The list of edits", MAX_EDITS)
        if not all(isinstance(mix, Mix) for mix in mixes) or not all(isinstance(edit, Edit) for edit in edits):
            raise RecipeError("Mixes are Mix values and edits are Edit values.")
        if len({mix.source for mix in mixes}) < len(mixes):
            raise RecipeError("Two mixes have the same source: give all its layers in one.")
        if len({edit.direction.digest for edit in edits}) < len(edits):
            raise RecipeError("Two edits have the same direction: give it once.")
        if not isinstance(self.noise, Noise):
            raise RecipeError(f"The noise of a recipe is a Noise value, not {values.show(self.noise)}.")
        set_normal(
            self,
            source=check_source(self.source, "The source of a recipe"),
            label=None if self.label is None else values.whole(self.label, "A label", MAX_LABEL),
            psi=_psi(self.psi),
            cutoff=None if self.cutoff is None else values.whole(self.cutoff, "The cutoff", MAX_LAYERS),
            layer_psi=values.per_layer(self.layer_psi, "The ψ per layer", _psi),
            mixes=mixes,
            edits=edits,
        )
        if len(self.json) > MAX_JSON_BYTES:
            raise RecipeError(f"This recipe has more than {MAX_JSON_BYTES // 1024} KiB: use fewer mixes and edits.")

    @cached_property
    def json(self) -> str:
        """The canonical JSON, ASCII only: what the digest is over and what PNGs and links carry."""
        return json.dumps({"version": VERSION, **plain.fields_of(self)}, sort_keys=True, separators=(",", ":"))

    @cached_property
    def digest(self) -> str:
        """The recipe's identity: 32 hex digits."""
        return hashlib.sha256(self.json.encode("ascii")).hexdigest()[:DIGEST_LENGTH]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Recipe) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self  # immutable; gr.State copies what it holds

    def psi_of(self, layer: int) -> float:
        """ψ of one layer, with its own value, the cutoff and the common ψ in that order; 1 is no truncation."""
        common = self.psi if self.cutoff is None or layer < self.cutoff else 1.0
        return dict(self.layer_psi).get(layer, common)

    @classmethod
    def from_json(cls, text: str | bytes) -> "Recipe":
        """The recipe that `text` holds, of this version or an older one.

        Raises:
            RecipeError: not JSON, an unknown or doubled field, a newer version, or a value that `Recipe` refuses.
        """
        return cls.from_data(plain.parse(text, "recipe", MAX_JSON_BYTES))

    @classmethod
    def from_data(cls, data: object) -> "Recipe":
        """The recipe in parsed JSON; as strict as `from_json`."""
        version, rest = plain.versioned(data, VERSION, "recipe")
        for older in range(version, VERSION):
            rest = _UPGRADES[older](rest)
        return plain.build(cls, rest, "A recipe", **_READERS)


def noise_field(seed: int, layer: int, size_px: int) -> npt.NDArray[np.float32]:
    """The noise picture of a layer for a seed: float32 `[1, 1, size_px, size_px]`, standard normal.

    RandomState's stream is frozen for good (NEP 19), unlike those of numpy's and torch's newer generators.
    """
    return np.random.RandomState([seed, layer]).randn(1, 1, size_px, size_px).astype(np.float32)


def check(recipe: Recipe, *, num_ws: int, label_dim: int = 0, num_noise: int | None = None) -> None:
    """Raise RecipeError if the recipe names layers or classes that a model has not.

    Args:
        num_ws: the model's style layers.
        label_dim: its classes; 0 for none.
        num_noise: its noise layers; None is as many as style layers.
    """
    if recipe.label is not None and recipe.label >= label_dim:
        has = f"classes 0 to {label_dim - 1}" if label_dim else "no classes"
        raise RecipeError(f"The recipe asks for class {recipe.label}, but this model has {has}.")
    if recipe.cutoff is not None and recipe.cutoff > num_ws:
        raise RecipeError(f"The cutoff is {recipe.cutoff}, but this model has only {num_ws} layers.")
    edited = [layer for edit in recipe.edits for layer in edit.layers or ()]
    mixed = [layer for mix in recipe.mixes for layer, _ in mix.layers]
    _check_layers("ψ per layer", [layer for layer, _ in recipe.layer_psi], num_ws)
    _check_layers("A mix", mixed, num_ws)
    _check_layers("An edit", edited, num_ws)
    noise_layers = [layer for layer, _ in (*recipe.noise.seeds, *recipe.noise.strengths)]
    _check_layers("Noise", noise_layers, num_ws if num_noise is None else num_noise)


def _check_layers(what: str, layers: list[int], count: int) -> None:
    if layers and max(layers) >= count:
        has = f"layers 0 to {count - 1}" if count else "none"
        raise RecipeError(f"{what} on layer {max(layers)}: this model has {has}.")


def _psi(value: object) -> float:
    return values.real(value, "ψ", -MAX_PSI, MAX_PSI)


_UPGRADES: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {}  # version → its fields as the next version's


def _read_source(data: object, depth: int = 0) -> object:
    if not isinstance(data, dict):
        return data
    if "latent" in data:
        return plain.build(Stored, data, "A stored latent")
    if depth == MAX_DEPTH:
        raise RecipeError(f"Blends of blends go at most {MAX_DEPTH} levels deep.")

    def end(value: object) -> object:
        return _read_source(value, depth + 1)

    return plain.build(Blend, data, "A blend", a=end, b=end)


def _read_mixes(data: object) -> tuple[Mix, ...]:
    entries = values.items(data, "The list of mixes", MAX_MIXES)
    return tuple(plain.build(Mix, entry, "A mix", source=_read_source) for entry in entries)


def _read_edits(data: object) -> tuple[Edit, ...]:
    entries = values.items(data, "The list of edits", MAX_EDITS)
    return tuple(plain.build(Edit, entry, "An edit", direction=_read_direction, locks=_read_locks) for entry in entries)


def _read_direction(data: object) -> Direction:
    return plain.build(Direction, data, "A direction")


def _read_locks(data: object) -> tuple[Direction, ...]:
    return tuple(_read_direction(entry) for entry in values.items(data, "The locks of an edit", MAX_LOCKS))


def _read_noise(data: object) -> Noise:
    return plain.build(Noise, data, "Noise")


_READERS: dict[str, Callable[[object], object]] = {
    "source": _read_source,
    "mixes": _read_mixes,
    "edits": _read_edits,
    "noise": _read_noise,
}
