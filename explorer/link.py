"""Recipe ↔ the address of the page.

A recipe of one seed with ψ, cutoff and class is readable: `seed=5&psi=0.7&cutoff=8&model=…`. Any other is `r=…`: its
canonical JSON, raw deflate (RFC 1951), base64url (RFC 4648 §5) without padding; below 2000 characters if ordinary.
"""

import base64
import json
import re
import zlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from explorer.recipe import MAX_JSON_BYTES, Recipe
from explorer.values import RecipeError, show

MAX_LINK = 8000  # characters; servers and messengers cut longer ones

_PACKED = "r"
_SHORT: dict[str, re.Pattern[str]] = {
    "seed": re.compile(r"[0-9]{1,10}"),
    "psi": re.compile(r"-?[0-9]{1,3}(\.[0-9]{1,25})?(e-[0-9]{1,3})?"),
    "cutoff": re.compile(r"[0-9]{1,2}"),
    "label": re.compile(r"[0-9]{1,5}"),
    "model": re.compile(r"[0-9a-f]{8,64}"),
}
_FOREIGN = re.compile(r"__.*|view|deep_link|utm_.*|fbclid|gclid")  # Gradio's own, and what messengers add


def to_query(recipe: Recipe) -> str:
    """The query of an address, without its question mark.

    Raises:
        RecipeError: longer than any address should be.
    """
    plain = Recipe(recipe.model, recipe.source, recipe.label, recipe.psi, recipe.cutoff)
    if isinstance(recipe.source, int) and recipe == plain:
        given = {"seed": recipe.source, "psi": recipe.psi, "cutoff": recipe.cutoff, "label": recipe.label}
        set_ = {key: json.dumps(_short(value)) for key, value in given.items() if value is not None}
        return urlencode({**set_, "model": recipe.model})
    packed = base64.urlsafe_b64encode(_deflated(recipe.json.encode())).rstrip(b"=").decode()
    if len(packed) > MAX_LINK:
        raise RecipeError("This recipe is too long for a link: save the PNG, which carries it, and pass that on.")
    return f"{_PACKED}={packed}"


def from_link(text: str, model: str) -> Recipe | None:
    """The recipe in an address or its query; see `from_params`."""
    if not isinstance(text, str) or len(text) > 2 * MAX_LINK:
        raise RecipeError(f"A link is text of at most {2 * MAX_LINK} characters.")
    try:
        query = urlsplit(text).query if "?" in text else text
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query), errors="strict", max_num_fields=32)
    except ValueError as error:
        raise RecipeError("This link cannot be read: copy it again, whole.") from error
    if len({key for key, _ in pairs}) < len(pairs):
        raise RecipeError("This link gives a setting twice.")
    return from_params(dict(pairs), model)


def from_params(params: Mapping[str, str], model: str) -> Recipe | None:
    """The recipe in the parameters of an address, as `request.query_params` gives them; None where they hold none.

    Args:
        model: digest of the model to use where a short link names none.

    Raises:
        RecipeError: an unknown setting, a value that is none, a damaged or oversized packed recipe.
    """
    ours = {key: value for key, value in params.items() if not _FOREIGN.fullmatch(key)}
    unknown = [key for key in ours if key != _PACKED and key not in _SHORT]
    if unknown:
        raise RecipeError(f"A link has no setting {show(unknown[0])}; it knows {', '.join(_SHORT)}.")
    if _PACKED in ours:
        if len(ours) > 1:
            raise RecipeError(f'A link with a whole recipe, "{_PACKED}=", has no other settings beside it.')
        return Recipe.from_json(_unpacked(ours[_PACKED]))
    return Recipe(**{"model": model, **_fields(ours)}) if ours else None


def _fields(short: Mapping[str, str]) -> dict[str, Any]:
    for key, value in short.items():
        if not _SHORT[key].fullmatch(value):
            raise RecipeError(f"The link's {key} cannot be {show(value)}.")
    read = {"seed": int, "psi": float, "cutoff": int, "label": int, "model": str}
    return {"source" if key == "seed" else key: read[key](value) for key, value in short.items()}


def _short(value: float) -> float:
    return int(value) if value == int(value) else value


def _deflated(data: bytes) -> bytes:
    deflater = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    return deflater.compress(data) + deflater.flush()


def _unpacked(text: str) -> bytes:
    if len(text) > MAX_LINK or not re.fullmatch(r"[A-Za-z0-9_-]+", text):
        raise RecipeError(f"The recipe in this link is not at most {MAX_LINK} letters and digits: copy the link again.")
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        data = inflater.decompress(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), MAX_JSON_BYTES + 1)
    except (ValueError, zlib.error) as error:
        raise RecipeError("The recipe in this link is damaged: copy the link again, whole.") from error
    if len(data) <= MAX_JSON_BYTES and (not inflater.eof or inflater.unused_data):
        raise RecipeError("The recipe in this link is damaged: copy the link again, whole.")
    return data  # one byte over the limit is enough for Recipe.from_json to refuse it
