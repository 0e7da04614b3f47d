"""The Models tab: what each model is, choosing one, and (for the owner) opening files of others."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from explorer.context import AppContext
from explorer.library import ModelCard
from explorer.ui.shared import Shared
from explorer.values import RecipeError


def build(app: AppContext, shared: Shared) -> None:
    """Draw the tab."""
    cards = gr.HTML(
        html_template='<div class="cards"></div>',
        js_on_load="window.explorer.cards(element, props, watch);",
        apply_default_css=False,
        elem_id="cards",
    )
    outputs = [cards, shared.model]

    def look() -> Any:
        app.library.refresh()
        return shown(app)

    shared.on(shared.tab.select, look, None, outputs)
    if not app.options.owner:
        return
    with gr.Accordion("Open another file", open=False):
        path = gr.Textbox(label="File", info="an official pickle, or a PyTorch port's, on this machine", max_lines=1,
                          elem_id="import-path")  # fmt: skip
        start = gr.Button("Convert and add", size="sm")
        told = gr.Textbox(show_label=False, interactive=False, container=False, elem_id="import-told")

    def convert(text: str) -> Iterator[Any]:
        if not text.strip():
            raise RecipeError("Type the path of a file on this machine.")
        for step in app.library.import_file(Path(text.strip().strip("'\""))):
            yield step.text, gr.skip(), gr.skip()
        yield (step.text, *shown(app))

    shared.on([start.click, path.submit], convert, path, [told, *outputs], queue=True, trigger_mode="once")


def shown(app: AppContext) -> tuple[list[dict[str, Any]], Any]:
    """The cards as the page draws them, and the choices of the model chooser."""
    return [_card(card) for card in app.library.cards()], gr.update(choices=choices(app))


def choices(app: AppContext) -> list[tuple[str, str]]:
    """Names and digests for the chooser."""
    return [(f"{card.name} · {card.resolution}²", card.digest) for card in app.library.cards()]


def _card(card: ModelCard) -> dict[str, Any]:
    """Plain texts; the page sets them as text, never as HTML."""
    facts = [
        f"{card.resolution}² pixels",
        f"{card.num_ws} style layers",
        f"{card.parameters / 1e6:.3g} million weights",
        f"ψ {card.default_psi:g}",
    ]
    facts += [f"{card.label_dim} classes"] * (card.label_dim > 0) + ["no noise inputs"] * (not card.has_noise)
    facts += ["directions"] * card.has_directions
    if isinstance(card.training.get("kimg"), (int, float)):
        facts.append(f"trained on {card.training['kimg']:,.0f} thousand pictures")
    return {
        "digest": card.digest,
        "name": card.name,
        "about": card.description,
        "facts": " · ".join(facts),
        "licence": f"Licence: {card.licence}" if card.licence else "",
        "short": card.digest[:12],
    }
