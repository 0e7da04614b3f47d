"""Undo and redo as an immutable value of recipes.

A drag of one slider is one step: pushes that carry the same gesture replace each other until `settled`. Thumbnails are
not kept here: any picture can be rendered again from its recipe, and caches go by `Recipe.digest`.
"""

from dataclasses import dataclass, replace
from typing import Any, Self

from explorer.recipe import Recipe

MAX_STEPS = 100


@dataclass(frozen=True)
class History:
    """What was (oldest first), what is, and what was undone (next to redo first). Undo goes back 100 steps at most."""

    present: Recipe
    past: tuple[Recipe, ...] = ()
    future: tuple[Recipe, ...] = ()
    gesture: str | None = None  # what the hand is still at; None: nothing

    def push(self, recipe: Recipe, gesture: str | None = None) -> "History":
        """`recipe` as the present; what was undone is forgotten.

        Args:
            recipe: the same recipe as the present is no step.
            gesture: name of the control being dragged; with the same name as in the last push, this replaces its step.
        """
        if recipe == self.present:
            return self if gesture == self.gesture else self.settled()
        if gesture is None or gesture != self.gesture:
            return History(recipe, (*self.past, self.present)[-MAX_STEPS:], (), gesture)
        if self.past and recipe == self.past[-1]:  # dragged back to where it began: no step is left
            return History(recipe, self.past[:-1], (), None)
        return History(recipe, self.past, (), gesture)

    def settled(self) -> "History":
        """The hand is off: the next push is a step of its own."""
        return self if self.gesture is None else replace(self, gesture=None)

    def undo(self) -> "History":
        """One step back; itself where there is none."""
        return self.at(max(len(self.past) - 1, 0))

    def redo(self) -> "History":
        """One step forward again; itself where there is none."""
        return self.at(min(len(self.past) + 1, len(self.steps) - 1))

    def at(self, index: int) -> "History":
        """With `steps[index]` as the present; nothing is forgotten. IndexError outside 0 … len(steps) − 1."""
        steps = self.steps
        if not 0 <= index < len(steps):
            raise IndexError(f"The history has steps 0 to {len(steps) - 1}, not {index}.")
        if index == len(self.past):
            return self.settled()
        return History(steps[index], steps[:index], steps[index + 1 :])

    @property
    def steps(self) -> tuple[Recipe, ...]:
        """All of it, oldest first; the present is `steps[len(past)]`."""
        return (*self.past, self.present, *self.future)

    @property
    def can_undo(self) -> bool:
        """Whether there is a step back."""
        return bool(self.past)

    @property
    def can_redo(self) -> bool:
        """Whether there is a step forward."""
        return bool(self.future)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self  # immutable; gr.State copies what it holds
