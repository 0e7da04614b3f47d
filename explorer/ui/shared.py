"""What tabs share: the stage, the bindings of controls to recipes, events. See the package's docstring."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import gradio as gr
from gradio.components import Component

from explorer.context import AppContext
from explorer.library import ModelCard
from explorer.recipe import Recipe
from explorer.ui.bind import Apply, Binding, Bindings, Read, told
from explorer.ui.live import stage
from explorer.values import RecipeError


@dataclass
class Shared:
    """Made by the shell, inside its Blocks; handed to every tab."""

    app: AppContext
    bindings: Bindings = field(default_factory=Bindings)
    live: gr.HTML = field(init=False)
    tab: gr.Tab = field(init=False)  # the one that is being drawn, for its `select`
    visitor: gr.BrowserState = field(init=False)  # a key that only this browser knows, for `app.gallery`
    model: gr.Dropdown = field(init=False)  # the chooser in the head
    _model_hooks: list[tuple[Callable[[ModelCard], Sequence[Any]], list[Component]]] = field(default_factory=list)

    def draw_stage(self) -> None:
        """Draw the stage here; once."""
        self.live = stage(self.app, self.bindings)

    def present(self, text: str) -> Recipe:
        """The recipe on screen, from the value of `live`. RecipeError: nothing is on screen yet, or it is damaged."""
        if not text:
            raise RecipeError("There is no picture yet.")
        recipe = Recipe.from_json(text)
        self.app.engine.check(recipe)
        return recipe

    def bind(
        self, name: str, controls: Component | Sequence[Component], apply: Apply, read: Read, *, listen: bool = True
    ) -> None:
        """Tie controls to the recipe.

        Args:
            name: of the edit, for this binding alone.
            controls: one or several, none for edits that only scripts ask for.
            listen: whether changing a control is an edit; if not, it only shows.
        """
        parts = (controls,) if isinstance(controls, Component) else tuple(controls)
        self.bindings.add(Binding(name, apply, read, parts))
        if parts and listen:
            value = "v[0]" if len(parts) == 1 else "v"
            js = f'(...v) => {{ window.explorer?.control("{name}", {value}); }}'
            for part in parts:
                part.change(None, list(parts), None, js=js, show_progress="hidden")  # type: ignore[attr-defined]  # all that have values have it

    def on(
        self,
        triggers: Any,
        fn: Callable[..., Any],
        inputs: Sequence[Component] | Component | None = None,
        outputs: Sequence[Component] | Component | None = None,
        **more: Any,
    ) -> Any:
        """An event of the page alone: not in the API, no flicker, errors as messages; quick ones bypass the queue.

        One that comes while it runs is not lost: the last of them runs afterwards.

        Args:
            triggers: `button.click`, `shared.live.settle`, …: one or a list. (gr.on knows no events of gr.HTML.)
        """
        quiet = {"show_progress": "hidden", "api_visibility": "private", "queue": False, "trigger_mode": "always_last"}
        listed = triggers if isinstance(triggers, (list, tuple)) else (triggers,)
        return [trigger(told(fn), inputs, outputs, **{**quiet, **more}) for trigger in listed][-1]

    def on_model(self, fn: Callable[[ModelCard], Sequence[Any]], outputs: Sequence[Component]) -> None:
        """When another model is shown, `fn(card)` gives updates (gr.update, one per output)."""
        self._model_hooks.append((fn, list(outputs)))

    def connect(self) -> None:
        """After all tabs: the events that keep controls and recipe in step."""
        places = [
            (name, None if len(binding.controls) == 1 else index, control)
            for name, binding in self.bindings.by_name.items()
            for index, control in enumerate(binding.controls)
        ]
        told_places = [(name, index, getattr(control, "value", None)) for name, index, control in places]
        take = f"() => window.explorer.take({json.dumps(told_places)})"
        controls = [control for _, _, control in places]
        self.live.sync(None, None, controls, js=take, show_progress="hidden")
        hooked = [output for _, outputs in self._model_hooks for output in outputs]

        def structure(text: str) -> Any:
            card = self.app.library.card(self.present(text).model)
            updates = [update for fn, _ in self._model_hooks for update in fn(card)]
            return updates if len(updates) != 1 else updates[0]

        if hooked:
            event = self.on(self.live.model, structure, self.live, hooked)
            again = json.dumps(sorted({name for name, _, control in places if any(control is one for one in hooked)}))
            js = f"() => {{ window.explorer.forget({again}); }}"
            event.then(None, None, None, js=js, show_progress="hidden")
