"""The Noise tab: noise of the picture layer by layer, how much each counts, and the paper's figures 4 and 5."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import gradio as gr

from explorer import edits, frames, sheets
from explorer.context import AppContext
from explorer.jobs import Jobs
from explorer.library import ModelCard
from explorer.recipe import MAX_JSON_BYTES, Recipe
from explorer.stochastic import MAX_REALISATIONS, Realisation, heat_map, influences, realisations
from explorer.ui import sheet
from explorer.ui.bind import text_of
from explorer.ui.figures import Work, follower
from explorer.ui.shared import Shared
from explorer.values import RecipeError, layer_numbers

SHOWN = 8  # realisations beside the heat map
COUNT, DEMO_COUNT = MAX_REALISATIONS, 32  # most pictures of one heat map
QUICK_PX = 64  # up to this size each layer is measured without being asked
DRAWS = 3
PLAIN = "a click shows it"
PARTS = ("all", "none", "fine only", "coarser only")

_TABLE = (
    '<p class="note"></p><div class="head"><span class="name">layer</span><span title="Noise on or off">on</span>'
    '<span class="strength" title="Times the noise as trained">strength</span>'
    '<span class="seed" title="Of the noise; empty is the stored noise">seed</span>'
    '<span title="Draw the noise anew">new</span>'
    '<span class="change" title="How far a redraw moves the picture, on average, in grey levels of 255">changes</span>'
    '</div><div class="rows"></div><p class="quiet">Strength multiplies the trained noise. An empty seed is the stored '
    "noise. The bar says how far a redraw moves this picture, in grey levels of 255.</p>"
    '<div class="go"><button type="button" data-reset title="Stored noise at strength 1 on all layers">Reset all'
    '</button><button type="button" data-go title="Measure how much each layer counts">Measure</button>'
    '<span class="told" aria-live="polite"></span></div>'
)


@dataclass(frozen=True)
class Changes:
    """What is known so far of how much the noise of each layer counts."""

    changes: tuple[tuple[int, float], ...]  # (layer, grey levels of 255)
    share: float


def build(app: AppContext, shared: Shared) -> None:
    """Draw the tab."""
    jobs = Jobs()
    again = follower()
    with gr.Row(elem_classes="work", elem_id="noise-tab"):
        with gr.Column(elem_classes="controls"):
            gr.HTML(
                html_template=_TABLE, js_on_load="window.explorer.noise(element, props, server);",
                apply_default_css=False, elem_id="noise", server_functions=_influence(app, jobs).functions(),
            )  # fmt: skip
        with gr.Column(elem_classes="beside needs-noise"):
            where = _caption("Where noise comes in", PLAIN)
            parts = sheet.sheet(app, "noise-parts", "Noise on all layers, none, the fine ones, the coarser ones")
            _caption("Realisations", "the same styles, other noise")
            drawn = sheet.sheet(app, "noise-drawn", "Realisations")
            _spread(app, jobs)
    shared.bind("noise", [], _apply, lambda recipe, card: _read(recipe, card, quick=not app.options.demo))

    def figures(text: str) -> Any:
        recipe = shared.present(text)
        card = app.library.card(recipe.model)
        if not card.has_noise:
            return PLAIN, sheet.cells([], 4), sheet.cells([], 4)
        words = PLAIN if card.bands["fine"] else f"a model of {card.resolution}² has no fine layers"
        return words, _parts(recipe, card), _drawn(recipe)

    shared.on(again.again, figures, shared.live, [where, parts, drawn])


def _caption(title: str, info: str) -> gr.HTML:
    """A heading; its value is the quiet words behind it, ours alone."""
    return gr.HTML(
        info, html_template=f'<p class="caption">{title} <small>${{value}}</small></p>', apply_default_css=False
    )


def _parts(recipe: Recipe, card: ModelCard) -> dict[str, Any]:
    """Figure 5; without fine layers only its first two pictures differ, and only they are shown."""
    layers = range(card.num_layers)
    made = sheets.noise_parts(
        recipe, {band: [i for i in members if i in layers] for band, members in card.bands.items()}
    )
    shown = zip(PARTS, made.recipes, strict=True)
    named = [(name, one) for name, one in shown if one and (card.bands["fine"] or name in PARTS[:2])]
    cells = [{"recipe": one.json, "caption": f"noise: {name}", "short": name, "named": True} for name, one in named]
    return {"columns": 4, "cells": cells}


def _drawn(recipe: Recipe) -> dict[str, Any]:
    """Some of figure 4's realisations: the first ones that its heat map is over."""
    pictures = [(edits.with_noise(recipe, "random", seed), f"noise {seed}") for seed in range(SHOWN)]
    return sheet.cells(pictures, 4)


def _apply(recipe: Recipe, card: ModelCard, value: Any) -> Recipe:
    """{layers, strength}, {layers, seed} (null: the stored noise) or {reset: true}."""
    if not isinstance(value, dict):
        raise RecipeError("An edit of noise is a JSON object.")
    if value.get("reset") is True:
        return edits.reset_noise(recipe)
    layers = layer_numbers(value["layers"], "noise")
    recipe = spelled_out(recipe, card)
    if "strength" in value:
        return edits.noise_strength(recipe, layers, value["strength"])
    if value["seed"] is None:
        return edits.restore_noise(recipe, layers)
    return edits.redraw_noise(recipe, layers, value["seed"])


def spelled_out(recipe: Recipe, card: ModelCard) -> Recipe:
    """The same picture with the mode "stored": what a mode says for all layers is said layer by layer."""
    noise, layers = recipe.noise, range(card.num_layers)
    plain = edits.with_noise(recipe, "stored")
    for layer in layers if noise.mode != "stored" else [layer for layer, _ in noise.seeds]:
        seed = noise.seed_of(layer)
        plain = edits.noise_off(plain, [layer]) if seed is None else edits.redraw_noise(plain, [layer], seed)
    return plain


def _read(recipe: Recipe, card: ModelCard, quick: bool) -> dict[str, Any]:
    """What the table shows; `quick`: small models are measured without being asked."""
    layers = range(card.num_layers) if card.has_noise else range(0)
    noise = spelled_out(recipe, card).noise if card.has_noise else recipe.noise
    return {
        "layers": [
            {"size": card.layer_sizes[layer], "strength": noise.strength_of(layer), "seed": noise.seed_of(layer)}
            for layer in layers
        ],
        "groups": {band: [layer for layer in members if layer in layers] for band, members in card.bands.items()},
        "note": "" if card.has_noise else "This model has no noise inputs, so there is nothing to redraw.",
        "quick": quick and card.resolution <= QUICK_PX,
    }


def _influence(app: AppContext, jobs: Jobs) -> Work[Changes]:
    """How much each layer counts: {recipe} → {changes: [[layer, grey levels], …]}."""

    def make(data: Mapping[str, Any], visitor: str) -> Iterator[Changes]:
        recipe = Recipe.from_json(text_of(data, "recipe", MAX_JSON_BYTES))
        known: list[tuple[int, float]] = []
        for record in influences(app.engine, recipe, DRAWS, visitor):
            known.append((record.layer, record.change))
            yield Changes(tuple(known), record.share)

    return Work(jobs, "influence", make, lambda record: {"changes": [list(pair) for pair in record.changes]})


def _spread(app: AppContext, jobs: Jobs) -> None:
    """Figure 4's heat map: {recipe, count} → {image, done, total}."""
    most = DEMO_COUNT if app.options.demo else COUNT

    def make(data: Mapping[str, Any], visitor: str) -> Iterator[Realisation]:
        recipe = Recipe.from_json(text_of(data, "recipe", MAX_JSON_BYTES))
        count = data.get("count")
        if isinstance(count, bool) or not isinstance(count, int) or not 2 <= count <= most:
            raise RecipeError(f"The heat map is over 2 to {most} pictures.")
        return realisations(app.engine, recipe, count, visitor=visitor)

    def show(record: Realisation) -> dict[str, Any]:
        image = frames.data_uri(heat_map(record.std), lossless=True)
        return {"image": image, "done": record.done, "total": record.total}

    template = (
        '<div class="spread"><div class="map">'
        '<canvas role="img" aria-label="Standard deviation of each pixel"></canvas></div>'
        '<div class="beside-map"><p class="caption">Standard deviation</p>'
        '<p class="quiet">Over this many realisations: black stays as it is, yellow moves by 64 grey levels of 255.</p>'
        f'<div class="go"><input type="number" min="2" max="{most}" step="1" value="{min(most, 20)}" '
        'aria-label="Pictures" title="How many pictures"><button type="button">Draw</button></div>'
        '<progress max="1" value="0"></progress><span class="told" aria-live="polite"></span>'
        '<span class="told old"></span></div></div>'
    )
    gr.HTML(
        html_template=template, js_on_load="window.explorer.spread(element, server);", apply_default_css=False,
        elem_id="spread", server_functions=Work(jobs, "spread", make, show).functions(),
    )  # fmt: skip
