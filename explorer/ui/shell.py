"""The shell: the head of the page, the stage, the tabs, undo and redo; and how it is launched."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gradio as gr

from explorer import link
from explorer.adapt import adapted, fresh
from explorer.base import StyleGANError
from explorer.context import AppContext
from explorer.history import History
from explorer.library import ModelCard
from explorer.recipe import Recipe
from explorer.runs import Runs
from explorer.ui import (
    api,
    api_directions,
    api_figures,
    api_film,
    api_find,
    api_measure,
    directions,
    explore,
    film,
    following,
    gallery,
    launch,
    measure,
    mix,
    models,
    noise,
    sheet,
    steps,
    train,
    truncation,
)  # fmt: skip
from explorer.ui.shared import Shared


@dataclass(frozen=True)
class Tab:
    """One tab: its name, what draws it, and what it needs."""

    name: str
    build: Callable[[AppContext, Shared], None]
    stage: bool = True  # False: the tab takes the whole width
    owner: bool = False  # True: not built where strangers come (Options.owner)


TABS = (
    Tab("Explore", explore.build),
    Tab("Mix", mix.build),
    Tab("Directions", directions.build),
    Tab("Noise", noise.build),
    Tab("Truncation", truncation.build),
    Tab("Film", film.build),
    Tab("Gallery", gallery.build),
    Tab("Train", train.build, stage=False, owner=True),
    Tab("Measure", measure.build, stage=False),
    Tab("Models", models.build),
)

HELP = (
    ("← →", "seed"), ("↑ ↓", "ψ"), ("D", "dice"), ("Z Y", "undo"), ("B", "before"), ("P", "pin"), ("K", "keep"),
    ("S", "save"), ("L", "link"), ("X", "pixels"),
)  # fmt: skip


def build(app: AppContext) -> gr.Blocks:
    """The whole page for `app`; what its options do not allow is not built."""
    page: gr.Blocks
    settings: dict[str, Any] = {"analytics_enabled": False, "delete_cache": launch.temporary(app.options)}
    with gr.Blocks(title="StyleGAN Explorer", **settings) as page:
        shared = Shared(app)
        history = gr.State(None)
        note = gr.Textbox(visible=False)
        shared.visitor = gr.BrowserState("", storage_key="explorer.visitor", secret="it hides nothing from its owner")
        with gr.Row(elem_id="head"):
            gr.HTML("<h1>StyleGAN Explorer</h1>", elem_id="name", apply_default_css=False)
            runs = Runs(app.options.runs)
            flag = following.flag(runs) if app.options.owner else None
            shared.model = gr.Dropdown(models.choices(app), label="Model", container=False, elem_id="model")
            if flag is not None:
                following.connect(app, shared, runs, flag)
            gr.HTML(_THEME_BUTTON, elem_id="theme", apply_default_css=False)
        with gr.Row(elem_id="page"):
            with gr.Column(elem_id="left"):
                shared.draw_stage()
                strip = sheet.sheet(app, "steps", "Steps", loads=False)
                keys = "".join(f"<span><kbd>{key}</kbd> {what}</span>" for key, what in HELP)
                gr.HTML(f'<div class="help">{keys}</div>', elem_id="help", apply_default_css=False)
            with gr.Column(elem_id="right"), gr.Tabs():
                for tab in TABS:
                    if not tab.owner or app.options.owner:
                        _draw(tab, app, shared)
        shared.bind("model", shared.model, _with_model(app), lambda recipe, card: card.digest)
        steps.connect(shared, history, strip)
        shared.connect()
        page.load(
            _start(app),
            shared.visitor,
            [shared.live, history, shared.model, shared.visitor, note],
            show_progress="hidden",
            api_visibility="private",
            queue=False,
        ).then(None, note, None, js="(note) => { if (note) window.explorer.error(note); }", show_progress="hidden")
        api.build(app)
        api_figures.build(app)
        api_directions.build(app)
        api_find.build(app)
        api_film.build(app)
        api_measure.build(app)
    return page


_THEME_BUTTON = (
    '<button type="button" title="Light or dark" aria-label="Light or dark" '
    'onclick="window.explorer.theme()">◐</button>'
)


def _draw(tab: Tab, app: AppContext, shared: Shared) -> None:
    with gr.Tab(tab.name) as shared.tab:
        tab.build(app, shared)
    wide = "false" if tab.stage else "true"
    shared.tab.select(None, None, None, js=f'() => {{ document.body.classList.toggle("wide", {wide}); }}')


def _with_model(app: AppContext) -> Callable[[Recipe, ModelCard, Any], Recipe]:
    def apply(recipe: Recipe, card: ModelCard, value: Any) -> Recipe:
        return adapted(recipe, app.library.card(value))

    return apply


def _start(app: AppContext) -> Callable[[str, gr.Request], Any]:
    """The picture a page opens with: the one in its address, else the default model's seed 0; and what was wrong."""

    def start(key: str, request: gr.Request) -> Any:
        default = app.library.default
        recipe, note = None, ""
        try:
            recipe = link.from_params(dict(request.query_params), default)
            if recipe is not None:
                app.engine.check(recipe)
        except StyleGANError as error:
            recipe, note = None, str(error)
        recipe = recipe or fresh(app.library.card(default))
        chooser = gr.update(choices=models.choices(app), value=recipe.model)
        return recipe.json, History(recipe), chooser, key or secrets.token_urlsafe(), note

    return start
