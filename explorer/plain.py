"""Frozen dataclasses as JSON: field names are keys, defaults are left out, whole floats are ints; reading is strict."""

import json
from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, TypeVar

from explorer.values import RecipeError, show

T = TypeVar("T")


def fields_of(value: Any) -> dict[str, Any]:
    """The fields of a dataclass that differ from their defaults, as plain JSON values."""
    named = ((f, getattr(value, f.name)) for f in fields(value))
    return {f.name: _plain(item) for f, item in named if item != f.default}


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return fields_of(value)
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def parse(text: str | bytes, what: str, most_bytes: int) -> Any:
    """What JSON text holds.

    Args:
        what: it should be: "recipe".
        most_bytes: longer texts are refused unread.

    Raises:
        RecipeError: not text, too long, not JSON, a doubled key, a number that is not finite.
    """

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({key for key, _ in pairs}) != len(pairs):
            raise RecipeError(f"This is not a {what}: a field is given twice.")
        return dict(pairs)

    def finite_only(name: str) -> None:
        raise RecipeError(f"A {what} holds finite numbers only, not {name}.")

    if not isinstance(text, (str, bytes)):
        raise RecipeError(f"A {what} is JSON text, not {show(text)}.")
    if len(text) > most_bytes:
        raise RecipeError(f"A {what}'s JSON has at most {most_bytes // 1024} KiB, not {len(text) // 1024 + 1}.")
    try:
        text = text.decode("utf-8-sig") if isinstance(text, bytes) else text
        return json.loads(text, object_pairs_hook=once, parse_constant=finite_only)
    except RecipeError:
        raise
    except (ValueError, RecursionError) as error:
        raise RecipeError(f"This is not a {what}: it is not valid JSON.") from error


def build(cls: Callable[..., T], data: object, what: str, **readers: Callable[[object], object]) -> T:
    """`cls` from a JSON object whose keys are its fields, each value through its reader where it has one."""
    if not isinstance(data, dict):
        raise RecipeError(f"{what} is a JSON object, not {show(data)}.")
    known = fields(cls)  # type: ignore[arg-type]  # cls is a dataclass
    unknown = [key for key in data if key not in {f.name for f in known}]
    missing = [f.name for f in known if f.default is MISSING and f.name not in data]
    if unknown:
        raise RecipeError(f"{what} has no field {show(unknown[0])}; its fields: {', '.join(f.name for f in known)}.")
    if missing:
        raise RecipeError(f'{what} lacks its "{missing[0]}".')
    return cls(**{key: readers[key](value) if key in readers else value for key, value in data.items()})


def versioned(data: object, version: int, what: str) -> tuple[int, dict[str, Any]]:
    """The version that a JSON object says it has, from 1 to `version`, and its other fields.

    Raises:
        RecipeError: no object, no version, or a newer one.
    """
    if not isinstance(data, dict) or "version" not in data:
        raise RecipeError(f'This is not a {what}: it is not a JSON object with a "version".')
    given = data["version"]
    if isinstance(given, bool) or not isinstance(given, int) or given < 1:
        raise RecipeError(f"The version of a {what} is a whole number from 1, not {show(given)}.")
    if given > version:
        raise RecipeError(
            f"This {what} has version {show(given)} and this program reads up to {version}: "
            "update StyleGAN Explorer to open it."
        )
    return given, {key: value for key, value in data.items() if key != "version"}
