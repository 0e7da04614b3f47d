"""Checks of plain values: each returns the value in its one normal form, or raises RecipeError with one sentence."""

import math
import operator
import re
import reprlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from numbers import Real
from typing import Any, TypeVar

from stylegan.errors import InputError

MAX_LAYERS = 32  # no StyleGAN has more: 1024² has 18
_DIGEST = re.compile(r"[0-9a-f]{8,64}")

T = TypeVar("T")


class RecipeError(InputError):
    """A recipe, or a file or address that should carry one, is not usable."""


def show(value: object) -> str:
    """`repr` cut to a length that fits in a sentence."""
    try:
        return reprlib.repr(value)
    except ValueError:  # an int of more than 4300 digits has no repr
        return "a huge number"


def whole(value: object, what: str, largest: int) -> int:
    """A whole number from 0 to `largest`; numpy's ints count, bool and 5.0 do not."""
    try:
        number = operator.index(value)  # type: ignore[arg-type]  # the point is to find out
    except TypeError:
        number = -1
    if isinstance(value, bool) or not 0 <= number <= largest:
        raise RecipeError(f"{what} is a whole number from 0 to {largest}, not {show(value)}.")
    return number


def real(value: object, what: str, low: float, high: float) -> float:
    """A finite number in [low, high] as a float, −0.0 as 0.0."""
    number = math.nan
    if isinstance(value, Real) and not isinstance(value, bool):
        with suppress(OverflowError):  # an int too large for a float
            number = float(value)
    if not low <= number <= high:  # also refuses NaN
        raise RecipeError(f"{what} is a number from {low:g} to {high:g}, not {show(value)}.")
    return number + 0.0  # −0.0 + 0.0 = 0.0


def choice(value: object, what: str, choices: Sequence[str]) -> str:
    """One of the strings in `choices`."""
    if not isinstance(value, str) or value not in choices:
        raise RecipeError(f"{what} is one of {', '.join(choices)}, not {show(value)}.")
    return value


def digest(value: object, what: str) -> str:
    """8 to 64 lower-case hex digits."""
    if not isinstance(value, str) or not _DIGEST.fullmatch(value):
        raise RecipeError(f"{what} is 8 to 64 of the digits 0-9a-f, not {show(value)}.")
    return value


def name(value: object, what: str) -> str:
    """1 to 64 printable characters without surrounding spaces."""
    if not isinstance(value, str) or not 1 <= len(value) <= 64 or not value.isprintable() or value != value.strip():
        raise RecipeError(f"{what} is 1 to 64 printable characters, not {show(value)}.")
    return value


def items(value: object, what: str, most: int) -> tuple[Any, ...]:
    """A list or tuple of at most `most` items, as a tuple; what is in it is not looked at."""
    if not isinstance(value, (list, tuple)):
        raise RecipeError(f"{what} is a list, not {show(value)}.")
    if len(value) > most:
        raise RecipeError(f"{what} has at most {most} entries, not {len(value)}.")
    return tuple(value)


def layer_numbers(value: object, what: str) -> tuple[int, ...]:
    """At least one layer, sorted, each once."""
    layers = {whole(layer, f"A layer of {what}", MAX_LAYERS - 1) for layer in items(value, what, MAX_LAYERS)}
    if not layers:
        raise RecipeError(f"{what} names no layer: give at least one.")
    return tuple(sorted(layers))


def per_layer(value: object, what: str, check: Callable[[object], T]) -> tuple[tuple[int, T], ...]:
    """(layer, value) pairs sorted by layer, each layer at most once, each value through `check`."""
    pairs: dict[int, T] = {}
    for pair in items(value, what, MAX_LAYERS):
        if not isinstance(pair, (list, tuple)) or len(pair) != 2:
            raise RecipeError(f"{what} is a list of [layer, value] pairs; {show(pair)} is none.")
        layer = whole(pair[0], f"A layer of {what}", MAX_LAYERS - 1)
        if layer in pairs:
            raise RecipeError(f"{what} gives layer {layer} twice.")
        pairs[layer] = check(pair[1])
    return tuple(sorted(pairs.items()))
