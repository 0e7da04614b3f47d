"""Named endpoints for programs: `/generate`, `/render`, `/models`. Parameters are typed, named and have defaults.

An endpoint is a function with annotations and a docstring: `endpoint(fn, outputs)`. Other tabs' endpoints do the same.
"""

import inspect
import json
from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr
from gradio.components.api_component import Api
from gradio.processing_utils import save_bytes_to_cache

from explorer import frames, png
from explorer.adapt import fresh
from explorer.base import MAX_SEED
from explorer.context import AppContext
from explorer.parts import Noise
from explorer.recipe import Recipe
from explorer.ui.bind import told
from explorer.values import RecipeError, show, whole

AT_ONCE = 4  # calls that are worked on
_SCHEMAS = {int: "integer", float: "number", str: "string", bool: "boolean", dict: "object", list: "array"}


def endpoint(fn: Callable[..., Any], outputs: Sequence[gr.components.Component], at_once: int | None = None) -> None:
    """Make `fn` an endpoint named after it; its annotations and defaults are what clients are told.

    Values reach `fn` as they were sent: it checks them, or hands them to `Recipe`, and raises the project's errors.
    Calls wait in one line for all endpoints, or in a line of their own for those that take long and run `at_once`.
    """
    inputs: list[gr.components.Component] = []
    for name, parameter in inspect.signature(fn).parameters.items():
        if parameter.annotation is gr.Request:  # who asks; Gradio hands it over
            continue
        if parameter.annotation is Upload:
            inputs.append(gr.File(label=_described(fn, name), visible=False))
            continue
        kind = next((schema for type_, schema in _SCHEMAS.items() if type_.__name__ in str(parameter.annotation)), None)
        inputs.append(Api(parameter.default, {"type": kind} if kind else {}, _described(fn, name)))
    button = gr.Button(visible=False)
    line = fn.__name__ if at_once else "api"
    button.click(told(fn), inputs, list(outputs), api_name=fn.__name__, api_description=inspect.getdoc(fn),
                 show_progress="hidden", concurrency_limit=at_once or AT_ONCE, concurrency_id=line)  # fmt: skip


def _described(fn: Callable[..., Any], name: str) -> str:
    """What the docstring says of a parameter, for the list of endpoints."""
    lines = (line.strip() for line in (inspect.getdoc(fn) or "").splitlines())
    return next((line for line in lines if line.startswith(f"{name}: ")), name)


class Upload(str):
    """A parameter for a file that clients send (`gradio_client.handle_file`): where it lies, named as it was."""


def picture() -> gr.Image:
    """An output for a picture file."""
    return gr.Image(type="filepath", format="png", label="picture", visible=False)


def record(label: str) -> gr.JSON:
    """An output for plain data."""
    return gr.JSON(label=label, visible=False)


def saved(app: AppContext, recipe: Recipe, size: int | None = None) -> tuple[str, Any]:
    """The PNG of a recipe, with the recipe inside, as a file for clients; and the recipe as data."""
    file = png.encode(app.engine.render(recipe, size), recipe)
    return save_bytes_to_cache(file, f"{recipe.digest[:12]}.png", gr.utils.get_upload_folder()), json.loads(recipe.json)


def model_of(app: AppContext, model: object) -> str:
    """A digest from what a client calls a model: its digest, the start of it, its name, or nothing for the default."""
    if model is None or model == "":
        return app.library.default
    cards = app.library.cards()
    if isinstance(model, str):
        for card in cards:
            if card.digest == model or card.name == model or (len(model) >= 8 and card.digest.startswith(model)):
                return card.digest
    names = ", ".join(f"{card.name} ({card.digest[:8]})" for card in cards)
    raise RecipeError(f"There is no model {show(model)}; there are: {names}.")


def recipe_of(value: object) -> Recipe:
    """A recipe from a client, as JSON text or as the object itself."""
    return Recipe.from_json(value) if isinstance(value, str) else Recipe.from_data(value)


def plain(
    app: AppContext, seed: Any, psi: Any, cutoff: Any, label: Any, noise_seed: Any, model: object
) -> Recipe:  # what a client sent; Recipe checks it
    """The recipe of a seed, or of another source; a label of None is the model's first class."""
    digest = model_of(app, model)
    label = fresh(app.library.card(digest)).label if label is None else label
    noise = Noise() if noise_seed is None else Noise("random", noise_seed)
    return Recipe(digest, seed, label, psi, cutoff, noise=noise)


def sheet_file(app: AppContext, recipes: Sequence[Recipe], columns: int, name: str) -> str:
    """A sheet in the model's own size, smaller where that would be too much, as a PNG file for clients."""
    size = app.library.card(recipes[0].model).resolution
    while size > 64 and len(recipes) * size * size > 16 << 20:
        size //= 2
    file = frames.png_bytes(app.engine.sheet(recipes, columns, size))
    return str(save_bytes_to_cache(file, f"{name}.png", gr.utils.get_upload_folder()))


def build(app: AppContext) -> None:
    """Make the endpoints known; nothing of them is on the page."""

    def generate(
        seed: int = 0,
        psi: float = 0.7,
        cutoff: int | None = None,
        label: int | None = None,
        noise_seed: int | None = None,
        model: str = "",
    ) -> tuple[str, Any]:
        """The picture of a seed, as a PNG that carries its recipe, and the recipe as JSON.

        Args:
            seed: whole number from 0 to 4294967295.
            psi: truncation ψ: 0 is the mean picture, 1 is no truncation, −1 the anti-picture; from −10 to 10.
            cutoff: how many layers ψ reaches, from the coarsest; None is all.
            label: class, for models that have classes; None is class 0 there.
            noise_seed: draw all noise from this seed; None is the model's stored noise.
            model: digest or name; empty is the first one of /models.
        """
        seed = whole(seed, "seed", MAX_SEED)
        return saved(app, plain(app, seed, psi, cutoff, label, noise_seed, model))

    def render(recipe: dict[str, Any] | str = "", size: int | None = None) -> tuple[str, Any]:
        """The picture of a recipe, as a PNG that carries it, and the recipe in its canonical form.

        Args:
            recipe: JSON, as the other endpoints return it and as the PNG files carry it.
            size: pixels per side; None is the model's own.
        """
        return saved(app, recipe_of(recipe), size)

    def models() -> list[dict[str, Any]]:
        """The models there are: digest, name, resolution, layers, classes, default ψ and cutoff, bands, training."""
        return [
            {
                "digest": card.digest,
                "name": card.name,
                "description": card.description,
                "licence": card.licence,
                "resolution": card.resolution,
                "num_ws": card.num_ws,
                "label_dim": card.label_dim,
                "default_psi": card.default_psi,
                "default_cutoff": card.default_cutoff,
                "bands": {band: list(layers) for band, layers in card.bands.items()},
                "layer_sizes": list(card.layer_sizes),
                "has_noise": card.has_noise,
                "has_directions": card.has_directions,
                "parameters": card.parameters,
                "training": dict(card.training),
            }
            for card in app.library.cards()
        ]

    endpoint(generate, [picture(), record("recipe")])
    endpoint(render, [picture(), record("recipe")])
    endpoint(models, [record("models")])
