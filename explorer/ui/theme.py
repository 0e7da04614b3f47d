"""The look: Gradio's theme in calm colours with the system's own fonts, the style sheet and the page's scripts."""

from functools import cache
from pathlib import Path

import gradio as gr

_HERE = Path(__file__).parent
SCRIPTS = ("page.js", "stage.js", "sheet.js", "layers.js")


def theme() -> gr.themes.Base:
    """Warm greys and one quiet accent; asks no other host for anything."""
    return gr.themes.Base(
        primary_hue=gr.themes.colors.teal,
        secondary_hue=gr.themes.colors.stone,
        neutral_hue=gr.themes.colors.stone,
        radius_size=gr.themes.sizes.radius_md,
        spacing_size=gr.themes.sizes.spacing_sm,
        text_size=gr.themes.sizes.text_sm,
        font=["system-ui", "sans-serif"],
        font_mono=["ui-monospace", "monospace"],
    )


@cache
def css() -> str:
    """The style sheet."""
    return (_HERE / "page.css").read_text("utf-8")


@cache
def head() -> str:
    """The scripts, which run before Gradio draws anything."""
    code = "\n".join((_HERE / name).read_text("utf-8") for name in SCRIPTS)
    return f"<script>{code}</script>"
