"""The Mix tab: styles of a second seed on some layers of the picture, and the paper's figure 3 as a matrix.

What a hand sets (seed B, layers, amounts) shows in the picture at once; strip and matrix take the same layers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import gradio as gr

from explorer import edits, sheets, typed
from explorer.base import MAX_SEED
from explorer.context import AppContext
from explorer.gallery import Gallery
from explorer.library import ModelCard
from explorer.parts import Mix, Source, check_source
from explorer.recipe import Recipe
from explorer.ui import sheet
from explorer.ui.figures import follower
from explorer.ui.shared import Shared
from explorer.values import RecipeError, items
from explorer.words import source_words

MOST, DEMO_MOST = 12, 8  # rows, and columns, of the matrix
PICKS, KEPT = 24, 8  # seeds and kept pictures to pick from
ROWS, COLUMNS = "0-2", "3-8"

_MIXER = (
    '<div class="mixer"><div class="choose" role="group" aria-label="Layers that come from B"></div>'
    '<div class="span"><input type="range" class="low" aria-label="From layer" title="From which layer">'
    '<input type="range" class="high" aria-label="To layer" title="To which layer"></div>'
    '<div class="ticks" role="group" aria-label="Single layers"></div>'
    '<div class="sizes" aria-hidden="true"></div></div>'
)


def build(app: AppContext, shared: Shared) -> None:
    """Draw the tab."""
    again = follower("() => window.explorer.present + JSON.stringify(window.explorer.mixing.value())")
    with gr.Row(elem_classes="pair"):
        with gr.Column():
            mixer = _mixer(shared)
            note = gr.HTML(
                html_template='<p class="note">${value || ""}</p>', apply_default_css=False, elem_id="mix-note"
            )
        with gr.Column():
            strip = sheet.sheet(app, "mix-strip", "A, its mixes with B, and B")
            _amount(shared)
    with gr.Row(elem_classes="fields"):
        rows = gr.Textbox(ROWS, label="Rows: A", info="seeds like 0-3,8", max_lines=1, elem_id="mix-rows")
        columns = gr.Textbox(COLUMNS, label="Columns: B", info="give the layers", max_lines=1,
                             elem_id="mix-columns")  # fmt: skip
    matrix = sheet.sheet(app, "matrix", "Mixes: rows are A, columns are B")
    most = DEMO_MOST if app.options.demo else MOST

    def pair(text: str, settings: Any) -> Any:
        recipe = shared.present(text)
        card = app.library.card(recipe.model)
        return _strip(recipe, card, settings), _note(card)

    def figure(text: str, settings: Any, a: str, b: str) -> Any:
        recipe = shared.present(text)
        amounts = _amounts_of(settings, app.library.card(recipe.model))
        return _matrix(recipe, typed.seeds(a, "Rows", most), typed.seeds(b, "Columns", most), amounts)

    inputs = [shared.live, mixer, rows, columns]
    shared.on(again.again, pair, inputs[:2], [strip, note])
    shared.on([again.again, rows.submit, rows.blur, columns.submit, columns.blur], figure, inputs, matrix, queue=True)
    picked = _picks(app, shared, rows, columns, most)
    picked.success(figure, inputs, matrix, show_progress="hidden", api_visibility="private")


def _mixer(shared: Shared) -> gr.HTML:
    with gr.Row(elem_classes="joined"):
        second = gr.Number(1, label="Seed B", info="gives styles", precision=0, minimum=0,
                           maximum=MAX_SEED, elem_id="mix-seed")  # fmt: skip
        gr.HTML(
            '<button type="button" title="Previous" onclick="explorer.mixing.step(-1)">‹</button>'
            '<button type="button" title="Next" onclick="explorer.mixing.step(1)">›</button>'
            '<button type="button" title="Any" onclick="explorer.mixing.dice()">⚄</button>'
            '<button type="button" title="Mix B into the picture, or take it out" class="wide" id="mix-on" '
            'aria-pressed="false" onclick="explorer.mixing.toggle()">In picture</button>',
            elem_classes="buttons", apply_default_css=False,
        )  # fmt: skip
    mixer = gr.HTML(
        html_template=_MIXER, js_on_load="window.explorer.mixer(element, props);", apply_default_css=False,
        elem_id="mixer",
    )  # fmt: skip
    second.change(None, second, second, js="(b) => window.explorer.mixing.seed(b)", show_progress="hidden")

    def read_seed(recipe: Recipe, card: ModelCard) -> int | None:
        source = recipe.mixes[-1].source if recipe.mixes else None
        return source if isinstance(source, int) else None

    shared.bind("mix", [], _apply, _read)
    shared.bind("mix_seed", second, _shows_only, read_seed, listen=False)
    return mixer


def _amount(shared: Shared) -> None:
    amount = gr.Slider(0, 100, 100, step=1, label="Amount", info="% of B on these layers", buttons=[],
                       elem_id="mix-amount")  # fmt: skip
    amount.change(None, amount, None, js="(a) => { window.explorer?.mixing.amount(a / 100); }", show_progress="hidden")

    def read_amount(recipe: Recipe, card: ModelCard) -> float | None:
        return round(100 * max(amount for _, amount in recipe.mixes[-1].layers)) if recipe.mixes else None

    shared.bind("mix_amount", amount, _shows_only, read_amount, listen=False)
    with gr.Accordion("Amount per layer", open=False):
        gr.HTML(
            html_template='<div class="bars" role="group" aria-label="Amount per layer"></div>',
            js_on_load="window.explorer.amounts(element);", apply_default_css=False, elem_classes="layers",
            elem_id="mix-amounts",
        )  # fmt: skip


def _shows_only(recipe: Recipe, card: ModelCard, value: Any) -> Recipe:
    raise RecipeError('This is a part of the edit "mix".')


def _apply(recipe: Recipe, card: ModelCard, value: Any) -> Recipe:
    """{b, amounts: [[layer, amount], …]}: the last mix of the picture; b = null keeps its source, no amounts end it."""
    last = recipe.mixes[-1].source if recipe.mixes else None
    source = last if value["b"] is None else value["b"]
    plain = recipe if last is None else edits.clear_mix(recipe, last)
    amounts = _pairs(value["amounts"])
    if not amounts:
        return plain
    if source is None:
        raise RecipeError("A mix needs a seed B.")
    return edits.mix_amounts(plain, source, amounts)


def _read(recipe: Recipe, card: ModelCard) -> dict[str, Any]:
    """What the mixer shows: the layers there are, and the last mix, if there is one."""
    layers = range(card.num_ws)
    mix = recipe.mixes[-1] if recipe.mixes else None
    return {
        "sizes": [card.layer_sizes[min(layer, len(card.layer_sizes) - 1)] for layer in layers],
        "bands": {band: [layer for layer in chosen if layer in layers] for band, chosen in card.bands.items()},
        "b": mix.source if mix and isinstance(mix.source, int) else None,
        "amounts": [list(pair) for pair in mix.layers] if mix else None,
    }


def _pairs(value: object) -> dict[int, float]:
    """Amounts that a browser sent, by layer; `Mix` checks them."""
    pairs = items(value, "The amounts of a mix", 32)
    return dict(Mix(0, pairs).layers) if pairs else {}


def _amounts_of(settings: Any, card: ModelCard) -> Mapping[int, float]:
    """The amounts in the mixer's value that the model has layers for; before there is a value, the coarse layers."""
    if settings is None:
        return dict.fromkeys(card.bands["coarse"], 1.0)
    if not isinstance(settings, dict):
        raise RecipeError("The settings of the mixer are a JSON object.")
    return {layer: amount for layer, amount in _pairs(settings.get("amounts")).items() if layer < card.num_ws}


def _strip(recipe: Recipe, card: ModelCard, settings: Any) -> dict[str, Any]:
    """A, A with the coarse, middle and fine styles of B, and B."""
    plain = edits.clear_mixes(recipe)
    last: Source = recipe.mixes[-1].source if recipe.mixes else 1
    asked = settings.get("b") if isinstance(settings, dict) else None
    b = last if asked is None else check_source(asked, "B")
    amount = max(_amounts_of(settings, card).values(), default=1.0) or 1.0
    bands = {band: [layer for layer in layers if layer < card.num_ws] for band, layers in card.bands.items()}
    mixed = zip(bands, sheets.presets(plain, b, bands, amount).recipes, strict=True)
    pictures = [("A", plain), *((band, one) for band, one in mixed if one), ("B", replace(plain, source=b))]
    return {
        "columns": len(pictures),
        "cells": [_cell(one, name, f"{name} from {source_words(b)}") for name, one in pictures],
    }


def _note(card: ModelCard) -> str:
    """One sentence where a model has not all three bands. Plain text of ours: gr.HTML draws it."""
    lacking = [band for band, layers in card.bands.items() if not any(layer < card.num_ws for layer in layers)]
    return f"This model ends at {card.resolution}²: it has no {' or '.join(lacking)} layers." if lacking else ""


def _matrix(recipe: Recipe, a: Sequence[int], b: Sequence[int], amounts: Mapping[int, float]) -> dict[str, Any]:
    figure = sheets.mixing(recipe, a, b, amounts or {0: 0.0})
    cells: list[dict[str, Any]] = []
    for index, one in enumerate(figure.recipes):
        row, column = divmod(index, figure.columns)
        names = [f"A {a[row - 1]}"] * (row > 0) + [f"B {b[column - 1]}"] * (column > 0)
        cells.append(_cell(one, " + ".join(names), named=0 in (row, column)) if one else {"caption": ""})
    return {"columns": figure.columns, "cells": cells}


def _cell(recipe: Recipe, short: str, caption: str | None = None, named: bool = True) -> dict[str, Any]:
    return {"recipe": recipe.json, "caption": caption or short, "short": short, "named": named}


def _picks(app: AppContext, shared: Shared, rows: gr.Textbox, columns: gr.Textbox, most: int) -> Any:
    """The fold with pictures to pick seeds from: kept ones, then a page of seeds. Returns the event of a pick."""
    with gr.Accordion("Pick seeds", open=False) as fold:
        with gr.Row(elem_classes="joined"):
            first = gr.Number(0, label="Seeds from", info="after kept ones; a click adds or removes", precision=0,
                              minimum=0, maximum=MAX_SEED - PICKS, elem_id="mix-first")  # fmt: skip
            target = gr.Radio([("rows", "rows"), ("columns", "columns")], value="rows", label="To",
                              info="which list", elem_id="mix-target")  # fmt: skip
        picks = sheet.sheet(app, "mix-picks", "Pictures to pick", loads=False)

    def look(text: str, start: float | None, key: str, request: gr.Request) -> Any:
        recipe = edits.clear_mixes(shared.present(text))
        kept = _kept_seeds(app.gallery(request.username, key))
        begin = int(min(max(start or 0, 0), MAX_SEED - PICKS))
        listed = dict.fromkeys([*kept, *range(begin, begin + PICKS)])
        return sheet.cells([(edits.with_seed(recipe, seed), f"seed {seed}") for seed in listed], 0)

    def pick(a: str, b: str, to: str, event: gr.EventData) -> Any:
        source = Recipe.from_json(event._data["recipe"]).source
        if not isinstance(source, int):
            raise RecipeError("This picture does not start from a seed.")
        if to == "columns":
            return a, typed.with_toggled(b, source, most)
        return typed.with_toggled(a, source, most), b

    shared.on([fold.expand, first.change], look, [shared.live, first, shared.visitor], picks)
    return shared.on(picks.pick, pick, [rows, columns, target], [rows, columns], queue=True)


def _kept_seeds(gallery: Gallery) -> list[int]:
    sources = (kept.recipe.source for kept in gallery.listing().pictures)
    return list(dict.fromkeys(source for source in sources if isinstance(source, int)))[:KEPT]
