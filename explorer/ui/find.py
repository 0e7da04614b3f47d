"""The Find part of the Directions tab: directions from scorers, from clicks, and without either."""

import gradio as gr

from explorer.context import AppContext
from explorer.ui.shared import Shared


def build(app: AppContext, shared: Shared) -> None:
    """Draw the part."""
    gr.HTML('<p class="note"></p>', apply_default_css=False, elem_id="find")
