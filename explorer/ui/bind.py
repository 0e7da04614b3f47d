"""Between controls and recipes: named edits, what controls show, checks of what browsers send, errors in words."""

import functools
import html
import inspect
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, ParamSpec

import gradio as gr

from explorer.base import StyleGANError
from explorer.engine import Overtaken
from explorer.library import ModelCard
from explorer.recipe import Recipe
from explorer.values import RecipeError, show

Apply = Callable[[Recipe, ModelCard, Any], Recipe]  # the value comes from a browser: check it, or let Recipe do so
Read = Callable[[Recipe, ModelCard], Any]  # plain JSON; None: the control stays as it is

MAX_EDITS = 128
MAX_NAME = 64

P = ParamSpec("P")

_log = logging.getLogger(__name__)
FAULT = "Something went wrong inside the app; its log says what. Nothing is lost."


@dataclass(frozen=True)
class Binding:
    """One setting of a recipe: how a control's value gets into it, and what its controls show."""

    name: str
    apply: Apply
    read: Read
    controls: tuple[gr.components.Component, ...] = ()


@dataclass
class Bindings:
    """All bindings of the page, by name."""

    by_name: dict[str, Binding] = field(default_factory=dict)

    def add(self, binding: Binding) -> None:
        """Make a binding known; names are used once."""
        assert binding.name not in self.by_name, binding.name
        self.by_name[binding.name] = binding

    def edited(self, recipe: Recipe, card: ModelCard, edits: object) -> Recipe:
        """`recipe` after `[[name, value], …]` as a browser sends them. RecipeError: not such a list, or a bad value."""
        if not isinstance(edits, list) or len(edits) > MAX_EDITS:
            raise RecipeError(f"Edits are a list of at most {MAX_EDITS} [name, value] pairs.")
        for edit in edits:
            if not isinstance(edit, list) or len(edit) != 2 or not isinstance(edit[0], str):
                raise RecipeError(f"An edit is a [name, value] pair, not {show(edit)}.")
            recipe = self._apply(recipe, card, *edit)
        return recipe

    def _apply(self, recipe: Recipe, card: ModelCard, name: str, value: object) -> Recipe:
        if name not in self.by_name:
            raise RecipeError(f"There is no edit {show(name)}.")
        try:
            return self.by_name[name].apply(recipe, card, value)
        except StyleGANError:
            raise
        except (TypeError, ValueError, LookupError, OverflowError) as error:
            raise RecipeError(f"{name.replace('_', ' ').capitalize()} cannot be {show(value)}.") from error

    def values(self, recipe: Recipe, card: ModelCard) -> dict[str, Any]:
        """What every control shows for `recipe`."""
        return {name: binding.read(recipe, card) for name, binding in self.by_name.items()}


def told(fn: Callable[P, Any]) -> Callable[P, Any]:
    """For Gradio events: a user's mistake becomes one message on the page, anything else goes to the log."""

    @functools.wraps(fn)
    def event(*args: P.args, **kwargs: P.kwargs) -> Any:
        with _messages(fn):
            return fn(*args, **kwargs)

    @functools.wraps(fn)
    def steps(*args: P.args, **kwargs: P.kwargs) -> Any:
        with _messages(fn):
            yield from fn(*args, **kwargs)

    return steps if inspect.isgeneratorfunction(fn) else event


@contextmanager
def _messages(fn: Callable[..., Any]) -> Iterator[None]:
    try:
        yield
    except gr.Error:
        raise
    except StyleGANError as error:
        raise gr.Error(in_words(error), print_exception=False) from error
    except Exception as error:
        _log.exception("event %s", fn.__name__)
        raise gr.Error(FAULT, print_exception=False) from error


def answering(fn: Callable[[Mapping[str, Any]], dict[str, Any]]) -> Callable[[Any], dict[str, Any]]:
    """For server functions: they answer `{"error": …}` instead of raising, whatever a browser sends."""

    @functools.wraps(fn)
    def answer(data: Any) -> dict[str, Any]:
        try:
            if not isinstance(data, dict):
                raise RecipeError("A request is a JSON object.")
            return fn(data)
        except Overtaken:
            return {"overtaken": True}
        except StyleGANError as error:
            return {"error": str(error)}
        except Exception:
            _log.exception("server function %s", fn.__name__)
            return {"error": FAULT}

    return answer


def in_words(error: Exception) -> str:
    """An error's message for a toast, which Gradio shows as HTML."""
    return html.escape(str(error), quote=False)


def text_of(data: Mapping[str, Any], key: str, most: int) -> str:
    """A text that a browser sent; RecipeError: it is none, or longer than `most` characters."""
    value = data.get(key)
    if not isinstance(value, str) or len(value) > most:
        raise RecipeError(f'A request has a text "{key}" of at most {most} characters.')
    return value


def visitor_of(data: Mapping[str, Any]) -> str:
    """Who asks, as the browser calls itself: newer requests of the same name overtake older ones."""
    return text_of(data, "visitor", MAX_NAME * 2)


def clamped(value: float, low: float, high: float) -> float:
    """What a slider from `low` to `high` can show of a value."""
    return min(max(value, low), high)
