"""A recipe in one line of words: for captions, the list of steps to undo, and the description in a PNG."""

from explorer.parts import Blend, Edit, Mix, Noise, Source, Stored
from explorer.recipe import Recipe
from stylegan.seeds import format_ranges

MAX_CHARACTERS = 300


def spoken(name: str) -> str:
    """A stored name as people read it on pages: `mouth_open` → `mouth open`. Its twin in JavaScript is in page.js."""
    return name.replace("_", " ").strip() or name


def describe(recipe: Recipe) -> str:
    """`seed 5, ψ 0.7 on 8 layers, seed 9 on layers 4-7, smile +2σ, noise 3`: what is set, at most 300 characters."""
    parts = [source_words(recipe.source)]
    if recipe.label is not None:
        parts.append(f"class {recipe.label}")
    reach = "" if recipe.cutoff is None else f" on {recipe.cutoff} layer{'s' * (recipe.cutoff != 1)}"
    parts.append(f"ψ {recipe.psi:.3g}{reach}")
    if recipe.layer_psi:
        parts.append(f"own ψ on {_layers([layer for layer, _ in recipe.layer_psi])}")
    parts += [_mix(mix) for mix in recipe.mixes]
    parts += [_edit(edit) for edit in recipe.edits]
    parts += _noise(recipe.noise)
    text = ", ".join(parts)
    return text if len(text) <= MAX_CHARACTERS else text[: MAX_CHARACTERS - 1] + "…"


def source_words(source: Source) -> str:
    """`seed 5`, `latent 5a5a5a5a` or `seed 5 → seed 7 (25 % in z)`."""
    if isinstance(source, Stored):
        return f"latent {source.latent[:8]}"
    if isinstance(source, Blend):
        ends = (
            f"({source_words(end)})" if isinstance(end, Blend) else source_words(end) for end in (source.a, source.b)
        )
        return f"{' → '.join(ends)} ({_percent(source.amount)} in {source.space})"
    return f"seed {source}"


def _percent(amount: float) -> str:
    return f"{100 * amount:.3g} %"


def _layers(layers: list[int]) -> str:
    return f"layer{'s' * (len(layers) != 1)} {format_ranges(layers)}"


def _mix(mix: Mix) -> str:
    amounts = sorted({amount for _, amount in mix.layers})
    span = _percent(amounts[0]) if len(amounts) == 1 else f"{_percent(amounts[0])} to {_percent(amounts[-1])}"
    some = "" if amounts == [1.0] else f" ({span})"
    return f"{source_words(mix.source)} on {_layers([layer for layer, _ in mix.layers])}{some}"


def _edit(edit: Edit) -> str:
    where = "" if edit.layers is None else f" on {_layers(list(edit.layers))}"
    locks = f" without {', '.join(spoken(lock.name) for lock in edit.locks)}" if edit.locks else ""
    return f"{spoken(edit.direction.name)} {edit.strength:+.3g}σ{where}{locks}"


def _noise(noise: Noise) -> list[str]:
    parts = {"stored": [], "random": [f"noise {noise.seed}"], "none": ["no noise"]}[noise.mode]
    if noise.seeds:
        parts.append(f"noise redrawn on {_layers([layer for layer, _ in noise.seeds])}")
    off = [layer for layer, strength in noise.strengths if strength == 0]
    scaled = [layer for layer, strength in noise.strengths if strength != 0]
    parts += [f"noise off on {_layers(off)}"] if off else []
    return parts + ([f"noise scaled on {_layers(scaled)}"] if scaled else [])
