"""The stage: the live picture with its tools, as one Gradio component and the server functions behind it.

The component's value is the recipe on screen as JSON: events take it as an input, and setting it loads a recipe. See
page.js for the loop that keeps the picture and the controls in step.
"""

from collections.abc import Mapping
from typing import Any

import gradio as gr

from explorer import frames, link, png, script
from explorer.context import AppContext
from explorer.recipe import MAX_JSON_BYTES, Recipe
from explorer.ui import icons
from explorer.ui.bind import Bindings, answering, text_of, visitor_of
from explorer.ui.files import file_of
from explorer.values import RecipeError
from explorer.words import describe

SMALL_PX = 128  # up to here pictures are shown so large that JPEG would be seen, and PNG is as quick
MAX_UPLOAD_BYTES, MAX_DEMO_UPLOAD_BYTES = 16 << 20, 10 << 20

_TOOLS = (
    ("undo", "Undo (Z)", ""),
    ("redo", "Redo (Y)", ""),
    ("compare", "Hold to see the picture before, or the pinned one (B)", ""),
    ("pin", "Pin this picture to compare others with it (P)", ""),
    ("pixels", "Show pixels as they are, or smoothly (X)", ""),
    ("open", "Open a PNG that was saved here; dropping one on the page does the same", ""),
    ("keep", "Keep in the gallery (K)", "Keep"),
    ("film", "Add to the film as a key (F)", ""),
    ("png", "Save as PNG with the recipe inside (S)", "PNG"),
    ("link", "Copy a link to this picture (L)", "Link"),
    ("python", "Copy as a Python script", "Python"),
)

_JS = """window.explorer.stage(element, trigger, props, server, watch);
// its events: 'step' 'undo' 'redo' 'at' 'keep' 'settle' 'sync' 'model'"""


def stage(app: AppContext, bindings: Bindings) -> gr.HTML:
    """The component; its events are settle (a gesture has ended), model (another one), and those of the shell."""
    return gr.HTML(
        html_template=_template(),
        js_on_load=_JS,
        apply_default_css=False,
        elem_id="stage",
        server_functions=[_frame(app, bindings), _png_file(app), _python_text(app), _opened(app)],
    )


def _template() -> str:
    buttons = "".join(
        f'<button type="button" data-tool="{name}" title="{title}" aria-label="{title}">'
        f"{icons.svg(name)}{f'<span>{text}</span>' if text else ''}</button>"
        for name, title, text in _TOOLS
    )
    return (
        '<div class="frame"><canvas role="img" aria-label="The picture"></canvas>'
        '<div class="drop">Drop a PNG that was saved here</div></div>'
        '<div class="line"><span class="words"></span><span class="error" role="alert"></span></div>'
        f'<div class="tools" role="toolbar" aria-label="Picture">{buttons}</div>'
        '<input type="file" accept="image/png" hidden>'
    )


def _recipe(data: Mapping[str, Any], key: str = "recipe") -> Recipe:
    return Recipe.from_json(text_of(data, key, MAX_JSON_BYTES))


def _frame(app: AppContext, bindings: Bindings) -> Any:
    @answering
    def frame(data: Mapping[str, Any]) -> dict[str, Any]:
        """{visitor, base, edits, lossless} → {image, recipe, words, query, model, values}."""
        base = _recipe(data, "base")
        recipe = bindings.edited(base, app.library.card(base.model), data.get("edits", []))
        card = app.library.card(recipe.model)
        picture = app.engine.render(recipe, visitor=visitor_of(data))
        lossless = data.get("lossless") is True or card.resolution <= SMALL_PX
        return {
            "image": frames.data_uri(picture, lossless),
            "recipe": recipe.json,
            "words": describe(recipe),
            "query": _query(recipe),
            "model": card.digest,
            "values": bindings.values(recipe, card),
        }

    return frame


def _query(recipe: Recipe) -> str | None:
    try:
        return link.to_query(recipe)
    except RecipeError:  # too long for an address
        return None


def _png_file(app: AppContext) -> Any:
    @answering
    def png_file(data: Mapping[str, Any]) -> dict[str, Any]:
        """{recipe} → {name, data}: the PNG that carries it."""
        recipe = _recipe(data)
        file = png.encode(app.engine.render(recipe), recipe)
        return {"name": f"stylegan-{recipe.digest[:8]}.png", "data": frames.png_uri(file)}

    return png_file


def _python_text(app: AppContext) -> Any:
    @answering
    def python_text(data: Mapping[str, Any]) -> dict[str, Any]:
        """{recipe} → {text}: a script that makes its picture."""
        recipe = _recipe(data)
        app.engine.check(recipe)
        return {"text": script.as_python(recipe, f"{app.library.card(recipe.model).name}.safetensors")}

    return python_text


def _opened(app: AppContext) -> Any:
    most = MAX_DEMO_UPLOAD_BYTES if app.options.demo else MAX_UPLOAD_BYTES

    @answering
    def opened(data: Mapping[str, Any]) -> dict[str, Any]:
        """{png: base64} → {recipe}: what the file carries."""
        recipe = png.read(file_of(data, "png", most))
        app.engine.check(recipe)
        return {"recipe": recipe.json}

    return opened
