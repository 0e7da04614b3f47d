"""What hands do to a picture: pure functions Recipe → Recipe, one for each control of the page and the API.

Settings that change nothing are dropped (a mix of amount 0, an edit of strength 0, noise at strength 1), so that the
same settings make the same recipe whatever way led to them. Layers are numbers; `parse_layers` reads them from text.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TypeVar

from explorer.parts import Blend, Direction, Edit, Mix, Noise, Source, Stored
from explorer.recipe import STORED_NOISE, Recipe
from explorer.values import MAX_LAYERS, RecipeError, show
from stylegan import seeds
from stylegan.errors import InputError
from stylegan.latents import bands
from stylegan.seeds import MAX_SEED

ALL = "all"
MAX_LAYERS_TEXT = 1000

T = TypeVar("T")


def parse_layers(text: str, num_layers: int) -> tuple[int, ...]:
    """`"coarse"`, `"middle,fine"`, `"0-3,8"`, `"all"` or a combination → layers, sorted, each once.

    Raises:
        RecipeError: no layers, a band that this model has not, a layer beyond `num_layers` − 1.
    """
    named: dict[str, range] = {**bands(num_layers), ALL: range(num_layers)}
    if not isinstance(text, str) or len(text) > MAX_LAYERS_TEXT:
        raise RecipeError(f"Layers are text of at most {MAX_LAYERS_TEXT} characters like 0-3,8, not {show(text)}.")
    layers: set[int] = set()
    for part in text.split(","):
        name = part.strip().lower()
        if name in named and not named[name]:
            raise RecipeError(f"This model has no {name} layers: it ends at {_size_px(num_layers - 1)}².")
        try:
            layers.update(named[name] if name in named else seeds.parse_layers(name, num_layers))
        except InputError as error:
            known = ", ".join(band for band in named if named[band])
            raise RecipeError(
                f"Layers are named {known}, or numbers from 0 to {num_layers - 1} like 0-3,8, not {show(text)}."
            ) from error
    return tuple(sorted(layers))


def _size_px(layer: int) -> int:
    return int(2 ** (layer // 2 + 2))


def _merged(pairs: tuple[tuple[int, T], ...], layers: Iterable[int], value: T) -> tuple[tuple[int, T], ...]:
    return tuple({**dict(pairs), **dict.fromkeys(layers, value)}.items())


# Where the picture comes from


def with_model(recipe: Recipe, model: str) -> Recipe:
    """The same recipe for another model, by its digest."""
    return replace(recipe, model=model)


def with_seed(recipe: Recipe, seed: int) -> Recipe:
    """From this seed, ending a blend."""
    return replace(recipe, source=seed)


def with_latent(recipe: Recipe, latent: str) -> Recipe:
    """From a latent that is kept under this digest."""
    return replace(recipe, source=Stored(latent))


def step_seed(recipe: Recipe, by: int) -> Recipe:
    """`by` seeds on, around the ends; in a blend its first end moves. RecipeError where there is no seed to step."""
    source = recipe.source
    if isinstance(source, Blend) and isinstance(source.a, int):
        return replace(recipe, source=replace(source, a=(source.a + by) % (MAX_SEED + 1)))
    if not isinstance(source, int):
        raise RecipeError("This picture does not start from a seed; type one to step from.")
    return replace(recipe, source=(source + by) % (MAX_SEED + 1))


def next_seed(recipe: Recipe) -> Recipe:
    """One seed on."""
    return step_seed(recipe, 1)


def previous_seed(recipe: Recipe) -> Recipe:
    """One seed back."""
    return step_seed(recipe, -1)


def blend_to(recipe: Recipe, end: Source, amount: float, space: str = "w") -> Recipe:
    """Blend towards a second source, in place of an earlier one; amount 0 keeps the blend, for its slider."""
    start = recipe.source.a if isinstance(recipe.source, Blend) else recipe.source
    return replace(recipe, source=Blend(start, end, amount, space))


def without_blend(recipe: Recipe) -> Recipe:
    """Back to the first end of the blend."""
    return replace(recipe, source=recipe.source.a) if isinstance(recipe.source, Blend) else recipe


def with_label(recipe: Recipe, label: int | None) -> Recipe:
    """Of this class; None for a model without classes."""
    return replace(recipe, label=label)


# Truncation


def with_psi(recipe: Recipe, psi: float) -> Recipe:
    """The common ψ."""
    return replace(recipe, psi=psi)


def with_cutoff(recipe: Recipe, cutoff: int | None) -> Recipe:
    """ψ reaches the first `cutoff` layers; None is all."""
    return replace(recipe, cutoff=cutoff)


def with_layer_psi(recipe: Recipe, layers: Iterable[int], psi: float) -> Recipe:
    """A ψ of their own for some layers, whatever the common ψ and the cutoff are."""
    return replace(recipe, layer_psi=_merged(recipe.layer_psi, layers, psi))


def clear_layer_psi(recipe: Recipe, layers: Iterable[int] | None = None) -> Recipe:
    """The common ψ again for some layers; None is all."""
    gone = range(MAX_LAYERS) if layers is None else set(layers)
    return replace(recipe, layer_psi=tuple(pair for pair in recipe.layer_psi if pair[0] not in gone))


def reset_truncation(recipe: Recipe, psi: float = Recipe.psi, cutoff: int | None = None) -> Recipe:
    """The ψ and cutoff that the model was published with, none per layer."""
    return replace(recipe, psi=psi, cutoff=cutoff, layer_psi=())


# Mixing


def mix_from(recipe: Recipe, source: Source, layers: Iterable[int], amount: float = 1.0) -> Recipe:
    """Styles of `source` on exactly these layers, to one amount; what the same source gave before is replaced."""
    return mix_amounts(recipe, source, dict.fromkeys(layers, amount))


def mix_amounts(recipe: Recipe, source: Source, amounts: Mapping[int, float]) -> Recipe:
    """Styles of `source` with an amount for each layer; what the same source gave before is replaced, in its place."""
    asked = Mix(source, tuple(amounts.items()))
    kept = tuple((layer, amount) for layer, amount in asked.layers if amount)
    mixes = {mix.source: mix for mix in recipe.mixes}
    if kept:
        mixes[asked.source] = Mix(asked.source, kept)
    else:
        mixes.pop(asked.source, None)
    return replace(recipe, mixes=tuple(mixes.values()))


def clear_mix(recipe: Recipe, source: Source) -> Recipe:
    """Nothing from this source any more."""
    return replace(recipe, mixes=tuple(mix for mix in recipe.mixes if mix.source != source))


def clear_mixes(recipe: Recipe) -> Recipe:
    """Nothing from any other source."""
    return replace(recipe, mixes=())


# Noise


def with_noise(recipe: Recipe, mode: str, seed: int = 0) -> Recipe:
    """ "stored", "random" (drawn from `seed`) or "none" for all layers; seeds of single layers go, strengths stay."""
    return replace(recipe, noise=Noise(mode, seed, strengths=recipe.noise.strengths))


def redraw_noise(recipe: Recipe, layers: Iterable[int], seed: int) -> Recipe:
    """New noise from `seed` on some layers."""
    return replace(recipe, noise=replace(recipe.noise, seeds=_merged(recipe.noise.seeds, layers, seed)))


def restore_noise(recipe: Recipe, layers: Iterable[int]) -> Recipe:
    """Take back what `redraw_noise` did on some layers."""
    gone = set(layers)
    return replace(recipe, noise=replace(recipe.noise, seeds=tuple(p for p in recipe.noise.seeds if p[0] not in gone)))


def noise_strength(recipe: Recipe, layers: Iterable[int], strength: float) -> Recipe:
    """Noise of some layers times `strength`; 1 is as trained, 0 is off."""
    asked = replace(recipe.noise, strengths=_merged(recipe.noise.strengths, layers, strength))
    return replace(recipe, noise=replace(asked, strengths=tuple(pair for pair in asked.strengths if pair[1] != 1)))


def noise_off(recipe: Recipe, layers: Iterable[int]) -> Recipe:
    """No noise on some layers."""
    return noise_strength(recipe, layers, 0.0)


def noise_on(recipe: Recipe, layers: Iterable[int]) -> Recipe:
    """Noise as trained on some layers."""
    return noise_strength(recipe, layers, 1.0)


def noise_only(recipe: Recipe, layers: Iterable[int], num_noise: int) -> Recipe:
    """Noise on these layers and on no other of the model's `num_noise` (the paper's figure 5)."""
    kept = set(layers)
    off_before = [layer for layer in kept if recipe.noise.strength_of(layer) == 0]
    return noise_off(noise_on(recipe, off_before), [layer for layer in range(num_noise) if layer not in kept])


def reset_noise(recipe: Recipe) -> Recipe:
    """The model's stored noise, as trained."""
    return replace(recipe, noise=STORED_NOISE)


# Directions


def with_edit(
    recipe: Recipe,
    direction: Direction,
    strength: float,
    layers: Iterable[int] | None = None,
    locks: Iterable[Direction] = (),
) -> Recipe:
    """Move by `strength` standard deviations along `direction`, in place of an earlier move along it.

    On all layers (None) or some. `locks` stay as they are; the direction itself among them is passed over.
    """
    edits = {edit.direction.digest: edit for edit in recipe.edits}
    kept_still = tuple(lock for lock in locks if lock.digest != direction.digest)
    edit = Edit(direction, strength, None if layers is None else tuple(layers), kept_still)
    if edit.strength:
        edits[direction.digest] = edit
    else:
        edits.pop(direction.digest, None)
    return replace(recipe, edits=tuple(edits.values()))


def with_locks(recipe: Recipe, locks: Iterable[Direction]) -> Recipe:
    """Every edit keeps these directions still (but its own)."""
    held = tuple(locks)
    for edit in recipe.edits:
        recipe = with_edit(recipe, edit.direction, edit.strength, edit.layers, held)
    return recipe


def clear_edit(recipe: Recipe, direction: Direction) -> Recipe:
    """No move along this direction."""
    return replace(recipe, edits=tuple(edit for edit in recipe.edits if edit.direction.digest != direction.digest))


def clear_edits(recipe: Recipe) -> Recipe:
    """No moves."""
    return replace(recipe, edits=())
