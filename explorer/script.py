"""Copy as Python: a recipe as a short script on the library's public API that makes the same picture."""

from explorer.parts import Blend, Source, Stored
from explorer.recipe import Recipe
from explorer.values import RecipeError

_Z = """
def z(seed):
    return stylegan.seeds_to_z([seed], G.config.z_dim)
"""

_SLERP = """
def slerp(a, b, t):  # directions on the sphere, lengths in proportion
    return latents.slerp(a, b, t) * a.norm() ** (1 - t) * b.norm() ** t
"""

_TRUNCATED = """
def truncated(w):
    result = G.truncate(w, psi={psi}, cutoff={cutoff}).clone()
    for layer, psi in {layer_psi}.items():
        result[:, layer] = G.truncate(w, psi=psi)[:, layer]
    return result
"""

_MIX = """\
other = {other}
for layer, amount in {amounts}.items():
    w[:, layer] = torch.lerp(w[:, layer], other[:, layer], amount)
"""

_NOISE = """
stored = G.noise_images("stored", 1)  # for each layer [1, 1, H, W], or None in a model without noise


def drawn(seed, layer):
    if stored[layer] is None:
        return None
    picture = np.random.RandomState([seed, layer]).randn(*stored[layer].shape)
    return torch.from_numpy(picture.astype(np.float32))


"""

_NOISE_MODES = {
    "stored": "noise = list(stored)",
    "random": "noise = [drawn({seed}, layer) for layer in range(len(stored))]",
    "none": "noise = [None] * len(stored)",
}


def as_python(recipe: Recipe, model_file: str, directions_file: str | None = None) -> str:
    """The script for the model at `model_file`; it writes `picture.png` where it is run.

    Args:
        directions_file: NAME.directions.safetensors with all directions of the recipe; None: they are in no file.

    Raises:
        RecipeError: a stored latent, or an edit along a direction that is in no file.
    """
    if recipe.edits and directions_file is None:
        raise RecipeError("A picture moved along directions cannot be copied as Python: save its PNG or its recipe.")
    head = f"G = stylegan.load({model_file!r})  # its digest: {recipe.model}\n"
    if recipe.edits:
        head += f"found = directions.load_directions({directions_file!r}).directions\n"
        head += "known = {direction.digest: direction for direction in found}\n"
    if recipe.label is not None:
        head += f"labels = torch.nn.functional.one_hot(torch.tensor([{recipe.label}]), G.config.label_dim).float()\n"
    pictures, noise = _noise(recipe)
    body = _latents(recipe) + pictures
    body += f"x = G.synthesis(w, noise={noise}, lod=G.lod)  # [1, 3, R, R], about [-1, 1]\n"
    body += 'Image.fromarray(stylegan.to_uint8(x)[0].numpy()).save("picture.png")\n'
    return _imports(head + body) + "\n" + head + _helpers(recipe, body) + body


def _imports(code: str) -> str:
    lines = ["import numpy as np"] * ("np." in code) + ["import torch"] * ("torch." in code)
    lines += ["from PIL import Image", "", "import stylegan"]
    used = ["directions"] * ("directions.steer(" in code) + ["latents"] * ("slerp(" in code)
    return "\n".join(lines + [f"from stylegan import {', '.join(used)}"] * bool(used)) + "\n"


def _helpers(recipe: Recipe, body: str) -> str:
    own_psi = _TRUNCATED.format(psi=recipe.psi, cutoff=recipe.cutoff, layer_psi=dict(recipe.layer_psi))
    used = [_Z] + [_SLERP] * ("slerp(" in body) + [own_psi] * bool(recipe.layer_psi)
    return "\n" + "\n".join(used) + "\n\n"


def _latents(recipe: Recipe) -> str:
    """The lines that end with `w`."""
    lines = f"w = {_truncated(recipe.source, recipe)}{'.clone()' * bool(recipe.mixes)}\n"
    for mix in recipe.mixes:
        lines += _MIX.format(other=_truncated(mix.source, recipe), amounts=dict(mix.layers))
    for edit in recipe.edits:
        layers = "range(G.config.num_ws)" if edit.layers is None else list(edit.layers)
        locks = ", ".join(f"known[{lock.digest!r}]" for lock in edit.locks)
        direction = f"known[{edit.direction.digest!r}]"
        lines += f"w = directions.steer(w, {direction}, {edit.strength}, layers={layers}, locks=[{locks}])\n"
    return lines


def _truncated(source: Source, recipe: Recipe) -> str:
    w = _w(source, "" if recipe.label is None else ", labels")
    return f"truncated({w})" if recipe.layer_psi else f"G.truncate({w}, psi={recipe.psi}, cutoff={recipe.cutoff})"


def _w(source: Source, labels: str) -> str:
    if isinstance(source, Stored):
        raise RecipeError("A picture of a stored latent cannot be copied as Python: save its PNG or its recipe.")
    if isinstance(source, Blend) and source.space == "w":
        return f"torch.lerp({_w(source.a, labels)}, {_w(source.b, labels)}, {source.amount})"
    return f"G.mapping({_z(source)}{labels})"


def _z(source: Source) -> str:
    if isinstance(source, Blend):  # in z, so both its ends are seeds or such blends
        return f"slerp({_z(source.a)}, {_z(source.b)}, {source.amount})"
    return f"z({source})"


def _noise(recipe: Recipe) -> tuple[str, str]:
    """The lines that make `noise`, and what `synthesis` takes."""
    noise = recipe.noise
    plain = not noise.seeds and not noise.strengths
    if noise.mode == "none" and not noise.seeds:
        return "", '"none"'
    if noise.mode == "stored" and plain:
        return "", '"stored"'
    lines = _NOISE + _NOISE_MODES[noise.mode].format(seed=noise.seed) + "\n"
    for layer, seed in noise.seeds:
        lines += f"noise[{layer}] = drawn({seed}, {layer})\n"
    for layer, strength in noise.strengths:
        if noise.mode != "none" or noise.seed_of(layer) is not None:
            lines += f"noise[{layer}] = noise[{layer}] * {strength}\n"
    return lines, "noise"
