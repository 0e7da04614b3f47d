"""The Explore tab: seed, ψ, blend and class of the picture on the stage, and a contact sheet of seeds beside them."""

from typing import Any

import gradio as gr

from explorer import edits, link, sheets
from explorer.base import MAX_SEED
from explorer.context import AppContext
from explorer.library import ModelCard
from explorer.parts import Blend
from explorer.recipe import Recipe
from explorer.ui import sheet
from explorer.ui.bind import clamped
from explorer.ui.layers import bars, layer_bars
from explorer.ui.shared import Shared
from explorer.values import whole

PSI = 1.5  # the slider's end; recipes may go further
PAGE = 24  # seeds on the contact sheet


def build(app: AppContext, shared: Shared) -> None:
    """Draw the tab."""
    with gr.Row(elem_classes="work"):
        with gr.Column(elem_classes="controls"):
            _seed(shared)
            _psi(shared)
            _label(shared)
            _blend(shared)
            _layer_psi(shared)
            _recipe_text(shared)
        with gr.Column(elem_classes="beside"):
            _seeds(app, shared)


def _seed(shared: Shared) -> None:
    with gr.Row(elem_classes="joined"):
        seed = gr.Number(0, label="Seed", info="each number is another picture", precision=0,
                         minimum=0, maximum=MAX_SEED, elem_id="seed")  # fmt: skip
        gr.HTML(
            '<button type="button" title="Previous (←)" onclick="explorer.tools.step(-1)">‹</button>'
            '<button type="button" title="Next (→)" onclick="explorer.tools.step(1)">›</button>'
            '<button type="button" title="Any (D)" onclick="explorer.tools.dice()">⚄</button>',
            elem_classes="buttons", apply_default_css=False,
        )  # fmt: skip

    def apply(recipe: Recipe, card: ModelCard, value: Any) -> Recipe:
        value = whole(value, "A seed", MAX_SEED)
        if isinstance(recipe.source, Blend):
            return edits.blend_to(
                edits.with_seed(recipe, value), recipe.source.b, recipe.source.amount, recipe.source.space
            )
        return edits.with_seed(recipe, value)

    def read(recipe: Recipe, card: ModelCard) -> int | None:
        start = recipe.source.a if isinstance(recipe.source, Blend) else recipe.source
        return start if isinstance(start, int) else None

    shared.bind("seed", seed, apply, read)


def _psi(shared: Shared) -> None:
    with gr.Column(elem_classes="marked"):
        psi = gr.Slider(-PSI, PSI, 0.7, step=0.01, label="Truncation ψ", buttons=[], elem_id="psi",
                        info="how far from the mean")  # fmt: skip
        marks = ((-1, "anti-picture"), (0, "mean"), (1, "as drawn"))
        gr.HTML(
            "".join(
                f'<button type="button" style="left:{100 * (at + PSI) / (2 * PSI):.2f}%" '
                f"onclick=\"explorer.edit('psi', {at})\">{name}</button>"
                for at, name in marks
            ),
            elem_classes="marks", apply_default_css=False,
        )  # fmt: skip
    cutoff = gr.Dropdown([("all", -1)], value=-1, label="ψ reaches", elem_id="cutoff",
                         info="finer layers stay as drawn")  # fmt: skip

    def apply_cutoff(recipe: Recipe, card: ModelCard, value: Any) -> Recipe:
        return edits.with_cutoff(recipe, None if value == -1 else value)

    def read_cutoff(recipe: Recipe, card: ModelCard) -> int:
        return -1 if recipe.cutoff is None or recipe.cutoff >= card.num_ws else recipe.cutoff

    shared.bind("psi", psi, lambda recipe, card, value: edits.with_psi(recipe, value),
                lambda recipe, card: clamped(recipe.psi, -PSI, PSI))  # fmt: skip
    shared.bind("cutoff", cutoff, apply_cutoff, read_cutoff)
    shared.on_model(lambda card: [gr.update(choices=_reaches(card))], [cutoff])


def _reaches(card: ModelCard) -> list[tuple[str, int]]:
    """Every cutoff by the resolution it ends at: "all", then from the finest down to "none"."""
    first = card.layer_sizes[0]

    def words(cutoff: int) -> str:
        last = card.layer_sizes[cutoff - 1]
        span = f"{first}²" if last == first else f"{first}²–{last}²"
        return f"{span} ({cutoff} layer{'s' * (cutoff != 1)})"

    return [("all layers", -1), *((words(n), n) for n in range(card.num_ws - 1, 0, -1)), ("no layer", 0)]


def _label(shared: Shared) -> None:
    label = gr.Dropdown([("none", -1)], value=-1, label="Class", info="what kind of picture", visible=False,
                        elem_id="label")  # fmt: skip

    def update(card: ModelCard) -> list[Any]:
        choices = [("none", -1), *((str(n), n) for n in range(card.label_dim))]
        return [gr.update(choices=choices, visible=card.label_dim > 0)]

    shared.bind("label", label,
                lambda recipe, card, value: edits.with_label(recipe, None if value == -1 else value),
                lambda recipe, card: -1 if recipe.label is None else recipe.label)  # fmt: skip
    shared.on_model(update, [label])


def _blend(shared: Shared) -> None:
    with gr.Accordion("Blend", open=False):
        amount = gr.Slider(0, 1, 0, step=0.01, label="Amount", info="from this seed to the second", buttons=[],
                           elem_id="blend-amount")  # fmt: skip
        with gr.Row(elem_classes="joined"):
            second = gr.Number(1, label="Second seed", info="the far end", precision=0, minimum=0,
                               maximum=MAX_SEED, elem_id="blend-seed")  # fmt: skip
            space = gr.Radio([("W", "w"), ("Z", "z")], value="w", label="Through", elem_id="blend-space",
                             info="straight or round")  # fmt: skip

    def apply(recipe: Recipe, card: ModelCard, value: Any) -> Recipe:
        share, end, through = value
        return edits.blend_to(recipe, end, share, through) if share else edits.without_blend(recipe)

    def read(recipe: Recipe, card: ModelCard) -> list[Any]:
        source = recipe.source
        if not isinstance(source, Blend):
            return [0, None, None]
        return [clamped(source.amount, 0, 1), source.b if isinstance(source.b, int) else None, source.space]

    shared.bind("blend", [amount, second, space], apply, read)


def _layer_psi(shared: Shared) -> None:
    with gr.Accordion("ψ per layer", open=False):
        layer_bars("layer_psi", "ψ", -PSI, PSI, 0.01, "layer-psi")
        reset = gr.Button("One ψ for all", size="sm")
        reset.click(None, None, None, js="() => { window.explorer.edit('one_psi', true); }", show_progress="hidden")

    def apply(recipe: Recipe, card: ModelCard, value: Any) -> Recipe:
        layer, psi = value
        return edits.with_layer_psi(recipe, [layer], psi)

    def read(recipe: Recipe, card: ModelCard) -> Any:
        values = [clamped(recipe.psi_of(layer), -PSI, PSI) for layer in range(card.num_ws)]
        return bars(values, {layer for layer, _ in recipe.layer_psi}, card)

    shared.bind("layer_psi", [], apply, read)
    shared.bind("one_psi", [], lambda recipe, card, value: edits.clear_layer_psi(recipe), lambda recipe, card: None)


def _recipe_text(shared: Shared) -> None:
    with gr.Accordion("Recipe", open=False):
        text = gr.Textbox(label="All that decides the pixels", lines=3, max_lines=6, elem_id="recipe",
                          info="paste another, or a link")  # fmt: skip
        show = gr.Button("Show", size="sm")
        js = "(text) => { window.explorer.edit('recipe', text); }"
        show.click(None, text, None, js=js, show_progress="hidden")

    def apply(recipe: Recipe, card: ModelCard, value: Any) -> Recipe:
        if isinstance(value, str) and not value.lstrip().startswith("{"):
            return link.from_link(value.strip(), recipe.model) or recipe
        return Recipe.from_json(value)

    shared.bind("recipe", text, apply, lambda recipe, card: recipe.json, listen=False)


def _seeds(app: AppContext, shared: Shared) -> None:
    with gr.Row(elem_classes="joined"):
        first = gr.Number(0, label="Seeds from", info="with these settings", precision=0, minimum=0,
                          maximum=MAX_SEED - PAGE, elem_id="first-seed")  # fmt: skip
        back = gr.Button("‹", size="sm", min_width=32)
        on = gr.Button("›", size="sm", min_width=32)
        dice = gr.Button("⚄", size="sm", min_width=32)
    pictures = sheet.sheet(app, "seeds", "Seeds", room=PAGE)
    last = MAX_SEED - PAGE
    for button, js in (
        (back, f"(first) => Math.max(0, first - {PAGE})"),
        (on, f"(first) => Math.min({last}, first + {PAGE})"),
        (dice, f"() => Math.floor(Math.random() * 100000 / {PAGE}) * {PAGE}"),
    ):
        button.click(None, first, first, js=js, show_progress="hidden")

    def show(text: str, start: float | None) -> Any:
        recipe = shared.present(text)
        begin = int(min(max(start or 0, 0), last))
        seeds = range(begin, begin + PAGE)
        return sheet.cells(list(zip(sheets.contact(recipe, seeds, 0).recipes, map(str, seeds), strict=True)), 0)

    shared.on([first.change, shared.live.settle], show, [shared.live, first], pictures)
