"""Directions as files: what people import and export in the Steer part, and what they rename and forget there."""

import gradio as gr

from explorer.context import AppContext
from explorer.ui.shared import Shared


def build(app: AppContext, shared: Shared, steer: gr.HTML) -> None:
    """Draw the buttons; `steer` has the chosen direction as its value."""
