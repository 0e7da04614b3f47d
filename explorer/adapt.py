"""A recipe moved to another model: what that model has not is left out."""

from collections.abc import Iterable
from dataclasses import replace
from typing import TypeVar

from explorer.library import ModelCard
from explorer.parts import Mix
from explorer.recipe import Recipe

T = TypeVar("T")


def fresh(card: ModelCard, seed: int = 0) -> Recipe:
    """The picture a model is first seen with: a seed at the ψ and cutoff that it was published with."""
    label = 0 if card.label_dim else None
    return Recipe(card.digest, seed, label, card.default_psi, card.default_cutoff)


def adapted(recipe: Recipe, card: ModelCard) -> Recipe:
    """`recipe` for the model of `card`: layers and classes that it has not are dropped, and so are all directions."""
    if recipe.model == card.digest:
        return recipe
    noise_layers = card.num_layers if card.has_noise else 0
    noise = recipe.noise
    label = recipe.label if recipe.label is not None and recipe.label < card.label_dim else None
    if label is None and card.label_dim:
        label = 0
    cutoff = None if recipe.cutoff is None or recipe.cutoff >= card.num_ws else recipe.cutoff
    mixes = [Mix(mix.source, kept) for mix in recipe.mixes if (kept := _below(mix.layers, card.num_ws))]
    return replace(
        recipe,
        model=card.digest,
        label=label,
        cutoff=cutoff,
        layer_psi=_below(recipe.layer_psi, card.num_ws),
        mixes=tuple(mixes),
        edits=(),
        noise=replace(noise, seeds=_below(noise.seeds, noise_layers), strengths=_below(noise.strengths, noise_layers)),
    )


def _below(pairs: Iterable[tuple[int, T]], count: int) -> tuple[tuple[int, T], ...]:
    return tuple(pair for pair in pairs if pair[0] < count)
