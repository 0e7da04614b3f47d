"""Lists that people type: seeds such as `0-3,8` and values of ψ such as `1, 0.7, -0.5`."""

import re
from collections.abc import Sequence

from explorer.recipe import MAX_PSI
from explorer.values import RecipeError, real, show
from stylegan import seeds as _seeds
from stylegan.errors import InputError

MAX_CHARACTERS = 1000
_NUMBER = re.compile(r"[+-]?([0-9]{1,4}(\.[0-9]{0,12})?|\.[0-9]{1,12})")


def seeds(text: object, what: str, most: int) -> list[int]:
    """`"0-3,8"` → [0, 1, 2, 3, 8]: each once, in the order typed. RecipeError: not such a list, or more than `most`."""
    given = _text(text)
    try:
        listed = list(dict.fromkeys(_seeds.parse_seeds(given)))
    except InputError as error:
        raise RecipeError(f"{what}: seeds are typed like 0-3,8, not {show(text)}.") from error
    if len(listed) > most:
        raise RecipeError(f"{what}: at most {most} seeds here, not {len(listed)}.")
    return listed


def with_toggled(text: object, seed: int, most: int) -> str:
    """`text` with `seed` added at its end, or taken out where it is there already."""
    listed = seeds(text, "The list", most) if _text(text) else []
    if seed in listed:
        listed.remove(seed)
    elif len(listed) < most:
        listed.append(seed)
    else:
        raise RecipeError(f"The list is full with {most} seeds: take one out first.")
    return str(_seeds.format_ranges(listed))


def psis(text: object, most: int) -> list[float]:
    """`"1, 0.7, -0.5"` → [1.0, 0.7, -0.5]: in the order typed; a typed minus sign (−) is a minus, too.

    Raises:
        RecipeError: not such a list, more than `most`, or a value that no recipe takes.
    """
    words = [word for word in re.split(r"[,;\s]+", _text(text).replace("−", "-")) if word]
    if not 1 <= len(words) <= most:
        raise RecipeError(f"ψ: type 1 to {most} numbers such as 1, 0.7, -0.5.")
    for word in words:
        if not _NUMBER.fullmatch(word):
            raise RecipeError(f"ψ: numbers are typed like 1, 0.7, -0.5; {show(word)} is none.")
    return checked_psis([float(word) for word in words], most)


def checked_psis(numbers: Sequence[object], most: int) -> list[float]:
    """Values of ψ as floats, each once. RecipeError: none, more than `most`, or one that no recipe takes."""
    if not 1 <= len(numbers) <= most:
        raise RecipeError(f"ψ: give 1 to {most} numbers, not {len(numbers)}.")
    return list(dict.fromkeys(real(number, "ψ", -MAX_PSI, MAX_PSI) for number in numbers))


def _text(text: object) -> str:
    if not isinstance(text, str) or len(text) > MAX_CHARACTERS:
        raise RecipeError(f"A list is text of at most {MAX_CHARACTERS} characters, not {show(text)}.")
    return text.strip().strip(",")
