"""What tests of the page do and look at, waiting on conditions."""

import json
from typing import Any

import numpy as np

from explorer.recipe import Recipe


def recipe(page: Any) -> Recipe:
    """The recipe on screen, once every edit has been answered and the controls show it."""
    page.wait_for_function("explorer.idle()")
    return Recipe.from_json(page.evaluate("explorer.present"))


def until(page: Any, condition: str) -> Recipe:
    """The recipe on screen, once it satisfies a JavaScript condition on `recipe`."""
    page.wait_for_function(f"explorer.idle() && ((recipe) => {condition})(JSON.parse(explorer.present))")
    return recipe(page)


def settled(page: Any, steps: int) -> None:
    """Wait until the strip under the picture has this many steps."""
    page.wait_for_function(f"document.querySelectorAll('#steps .cell').length === {steps}")


def control(page: Any, name: str) -> Any:
    """The number field of a control by its elem_id."""
    return page.locator(f"#{name} input[type=number]").first


def shows(page: Any, name: str, value: float) -> None:
    """Wait until a control shows a number."""
    page.wait_for_function(
        "([name, value]) => Number(document.querySelector(`#${name} input[type=number]`)?.value) === value",
        arg=[name, value],
    )


def pixels(page: Any, selector: str = "#stage canvas", size: int = 16) -> Any:
    """What a canvas shows, sampled in the middle of each of size × size squares: uint8 `[size, size, 3]`."""
    data = page.evaluate(
        """([selector, size]) => {
            const canvas = document.querySelector(selector), context = canvas.getContext("2d");
            const whole = Math.floor(canvas.width / size), edge = Math.floor((canvas.width - whole * size) / 2);
            const out = [];
            for (let y = 0; y < size; y++) for (let x = 0; x < size; x++) {
                const at = (i) => edge + Math.floor((i + 0.5) * whole);
                out.push(...context.getImageData(at(x), at(y), 1, 1).data.slice(0, 3));
            }
            return out;
        }""",
        [selector, size],
    )
    return np.array(data, np.uint8).reshape(size, size, 3)


def said(page: Any, words: str) -> None:
    """Wait until the line under the picture says something."""
    page.wait_for_function(f"document.querySelector('#stage .error').textContent.includes({json.dumps(words)})")
