"""Files between the page and the app: those that the page or a client will fetch, and those that a browser sent."""

import base64
import binascii
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gradio as gr

from explorer.ui.bind import text_of
from explorer.values import RecipeError


def new_file(name: str) -> Path:
    """A path of this name in a new folder that Gradio serves from; nothing of it may come from a client unchecked."""
    path = Path(gr.utils.get_upload_folder(), uuid.uuid4().hex, name)
    path.parent.mkdir(parents=True)
    return path


def file_of(data: Mapping[str, Any], key: str, most: int) -> bytes:
    """A file that a browser sent as base64; RecipeError: it is damaged, or larger than `most` bytes."""
    try:
        return base64.b64decode(text_of(data, key, most * 4 // 3 + 4), validate=True)
    except (RecipeError, binascii.Error) as error:
        raise RecipeError(f"This file is damaged, or larger than {most >> 20} MiB: choose another.") from error
