"""What the synthesis network takes for a recipe: w for each layer, and noise, by the steps of `explorer.recipe`."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from explorer import vectors
from explorer.parts import Blend, Direction, Noise, Source, Stored
from explorer.recipe import Recipe, noise_field
from explorer.values import RecipeError
from explorer.vectors import DirectionVector
from stylegan import latents, seeds
from stylegan.networks import Generator

Rows = Callable[[Source], Tensor]  # w of a source, [1, w_dim] (the same for every layer) or [L, w_dim]
NoiseId = tuple[int | None, float] | None  # (seed or None for the stored picture, strength), None: no noise


def source_w(source: Source, label: int | None, G: Generator, rows: Rows, stored: Callable[[str], Tensor]) -> Tensor:
    """Step 1: w of `source`, `[1 or L, w_dim]`; `rows` gives the ends of a blend."""
    if isinstance(source, Stored):
        return stored(source.latent).to(G.w_mean).reshape(-1, G.config.w_dim)
    if isinstance(source, Blend) and source.space == "w":
        return torch.lerp(rows(source.a), rows(source.b), source.amount)
    labels = None if label is None else G.one_hot([label])
    row: Tensor = G.mapping(_z(source, G).to(G.w_mean), labels)[0, :1]
    return row


def _z(source: Source, G: Generator) -> Tensor:
    """`[1, z_dim]` on the CPU."""
    if isinstance(source, Blend):
        a, b, t = _z(source.a, G), _z(source.b, G), source.amount
        between: Tensor = latents.slerp(a, b, t) * a.norm() ** (1 - t) * b.norm() ** t
        return between
    assert isinstance(source, int)  # `Blend` lets nothing else into z
    return seeds.seeds_to_z([source], G.config.z_dim)


def styles(recipe: Recipe, G: Generator, rows: Rows, directions: Mapping[str, DirectionVector]) -> Tensor:
    """Steps 2 to 4: w `[L, w_dim]`, truncated, mixed and moved.

    Raises:
        RecipeError: a direction is unknown, or held by its own locks.
    """
    num_ws = G.config.num_ws
    psi = G.w_mean.new_tensor([recipe.psi_of(layer) for layer in range(num_ws)])[:, None]

    def truncated(source: Source) -> Tensor:
        return torch.lerp(G.w_mean, rows(source), psi)  # w̄ + ψ·(w − w̄)

    w = truncated(recipe.source)
    for mix in recipe.mixes:
        layers, amounts = (list(column) for column in zip(*mix.layers, strict=True))
        w[layers] = torch.lerp(w[layers], truncated(mix.source)[layers], w.new_tensor(amounts)[:, None])
    for edit in recipe.edits:
        locks = [found(lock, directions) for lock in edit.locks]
        move = vectors.step(found(edit.direction, directions), locks, edit.strength).to(w)
        w[slice(None) if edit.layers is None else list(edit.layers)] += move
    return w


def found(direction: Direction, directions: Mapping[str, DirectionVector]) -> DirectionVector:
    """The vector of a recipe's direction, or RecipeError."""
    if direction.digest not in directions:
        raise RecipeError(f"This model has no direction {direction.name} ({direction.digest[:8]}).")
    return directions[direction.digest]


def noise_id(noise: Noise, layer: int) -> NoiseId:
    """Step 5: all that decides the noise of a layer."""
    seed, strength = noise.seed_of(layer), noise.strength_of(layer)
    if strength == 0 or (seed is None and noise.mode == "none"):
        return None
    return seed, strength


def drawn(seed: int, layer: int, like: Tensor) -> Tensor:
    """The noise picture of `seed`, in the shape, on the device and in the precision of `like`."""
    return torch.from_numpy(noise_field(seed, layer, like.shape[-1])).to(like)
