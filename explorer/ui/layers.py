"""One upright slider per layer, as on an equaliser: for everything that a recipe can set layer by layer."""

from typing import Any

import gradio as gr

from explorer.library import ModelCard


def layer_bars(name: str, what: str, low: float, high: float, step: float, elem_id: str) -> gr.HTML:
    """Sliders for the binding `name`, whose edits have the value `[layer, number]`; what they show comes from `bars`.

    Args:
        what: what a slider sets, for screen readers: "ψ".
        low, high, step: their range.
    """
    return gr.HTML(
        html_template=(
            f'<div class="bars" data-name="{name}" data-what="{what}" data-min="{low}" data-max="{high}" '
            f'data-step="{step}" role="group" aria-label="{what} per layer"></div>'
        ),
        js_on_load="window.explorer.layers(element, props);",
        apply_default_css=False,
        elem_id=elem_id,
        elem_classes="layers",
    )


def bars(values: list[float], own: set[int], card: ModelCard) -> list[dict[str, Any]]:
    """What the sliders show: a value per layer, and which layers have one of their own."""
    return [
        {"value": value, "size": card.layer_sizes[min(layer, len(card.layer_sizes) - 1)], "own": layer in own}
        for layer, value in enumerate(values)
    ]
