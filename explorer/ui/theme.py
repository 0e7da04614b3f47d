"""The look: Gradio's theme in calm colours with the system's own fonts, the style sheet and the page's scripts."""

from functools import cache
from pathlib import Path

import gradio as gr

_HERE = Path(__file__).parent
SCRIPTS = (
    "page.js", "stage.js", "sheet.js", "layers.js", "cards.js", "figures.js", "mix.js", "noise.js",
    "directions.js", "steer.js", "entangled.js", "found.js", "teach.js", "find.js", "film.js", "film_view.js",
    "following.js", "train_chart.js", "train_form.js", "train_panes.js", "train_watch.js", "train.js",
    "measure_draw.js", "measure_form.js", "measure.js",
)  # fmt: skip
STYLES = ("page.css", "figures.css", "directions.css", "found.css", "film.css", "train.css", "measure.css")

_ACCENT = gr.themes.Color(
    c50="#eef5f4", c100="#d8e8e6", c200="#b4d2ce", c300="#8cb9b4", c400="#62a09a", c500="#3f8781", c600="#2f706b",
    c700="#285a57", c800="#234846", c900="#1f3b3a", c950="#102322", name="accent",
)  # fmt: skip
_GREY = gr.themes.Color(
    c50="#fbfaf9", c100="#f3f1ee", c200="#e7e4df", c300="#d3cfc8", c400="#a39e96", c500="#79746d", c600="#5b5751",
    c700="#413e3a", c800="#2a2826", c900="#1e1d1b", c950="#151413", name="grey",
)  # fmt: skip


def theme() -> gr.themes.Base:
    """Warm greys and one quiet accent, no boxes in boxes; asks no other host for anything."""
    plain = gr.themes.Base(
        primary_hue=_ACCENT,
        secondary_hue=_GREY,
        neutral_hue=_GREY,
        radius_size=gr.themes.sizes.radius_md,
        spacing_size=gr.themes.sizes.spacing_sm,
        text_size=gr.themes.sizes.text_sm,
        font=["system-ui", "sans-serif"],
        font_mono=["ui-monospace", "monospace"],
    )
    return plain.set(
        body_background_fill="*neutral_50",
        body_background_fill_dark="*neutral_950",
        body_text_color="*neutral_900",
        body_text_color_dark="*neutral_200",
        body_text_color_subdued="*neutral_500",
        body_text_color_subdued_dark="*neutral_400",
        background_fill_primary="*neutral_50",
        background_fill_primary_dark="*neutral_950",
        background_fill_secondary="*neutral_100",
        background_fill_secondary_dark="*neutral_900",
        border_color_primary="*neutral_200",
        border_color_primary_dark="*neutral_800",
        color_accent="*primary_600",
        error_text_color_dark=gr.themes.colors.red.c300,  # Gradio's is nearly white: no word of ours stands on red
        block_background_fill="transparent",
        block_background_fill_dark="transparent",
        block_border_width="0px",
        block_border_width_dark="0px",
        block_padding="0px",
        block_shadow="none",
        block_title_text_color="*body_text_color",
        block_title_text_color_dark="*body_text_color",
        block_title_text_weight="500",
        block_info_text_color="*body_text_color_subdued",
        block_info_text_color_dark="*body_text_color_subdued",
        form_gap_width="0px",
        input_background_fill="white",
        input_background_fill_dark="*neutral_900",
        input_border_width="1px",
        input_border_color="*neutral_200",
        input_border_color_dark="*neutral_800",
        input_border_color_focus="*primary_500",
        input_border_color_focus_dark="*primary_500",
        slider_color="*primary_500",
        slider_color_dark="*primary_500",
        button_secondary_background_fill="transparent",
        button_secondary_background_fill_dark="transparent",
        button_secondary_background_fill_hover="*neutral_100",
        button_secondary_background_fill_hover_dark="*neutral_900",
        button_border_width="1px",
        button_secondary_border_color="*neutral_200",
        button_secondary_border_color_dark="*neutral_800",
    )


@cache
def css() -> str:
    """The style sheets."""
    return "\n".join((_HERE / name).read_text("utf-8") for name in STYLES)


@cache
def head() -> str:
    """The scripts, which run before Gradio draws anything."""
    code = "\n".join((_HERE / name).read_text("utf-8") for name in SCRIPTS)
    return f"<script>{code}</script>"
