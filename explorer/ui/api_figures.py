"""Named endpoints for what the figures are made of: `/mix`, `/noise`, `/truncation`. As in `api`."""

import json
from collections.abc import Sequence
from typing import Any

from explorer import edits, sheets, typed
from explorer.context import AppContext
from explorer.ui.api import endpoint, picture, plain, record, saved, sheet_file
from explorer.values import RecipeError, items

MOST_CELLS, DEMO_CELLS = 144, 48
MOST_PSIS = 12


def build(app: AppContext) -> None:
    """Make the endpoints known; nothing of them is on the page."""

    def mix(
        seed_a: int = 0,
        seed_b: int = 1,
        layers: str = "coarse",
        amount: float = 1.0,
        psi: float = 0.7,
        cutoff: int | None = None,
        label: int | None = None,
        noise_seed: int | None = None,
        model: str = "",
    ) -> tuple[str, Any]:
        """The picture of seed A with the styles of seed B on some layers, as a PNG with its recipe, and the recipe.

        Args:
            seed_a: whole number from 0 to 4294967295.
            seed_b: whole number from 0 to 4294967295.
            layers: what comes from B: coarse, middle, fine, all, or layers such as 0-3,8.
            amount: how much of B, from 0 to 1.
            psi: truncation ψ of both, from −10 to 10.
            cutoff: how many layers ψ reaches, from the coarsest; None is all.
            label: class, for models that have classes; None is class 0 there.
            noise_seed: draw all noise from this seed; None is the model's stored noise.
            model: digest or name; empty is the first one of /models.
        """
        start = plain(app, seed_a, psi, cutoff, label, noise_seed, model)
        chosen = edits.parse_layers(layers, app.library.card(start.model).num_ws)
        return saved(app, edits.mix_from(start, seed_b, chosen, amount))

    def noise(
        seed: int = 0,
        layers: str = "all",
        noise_seed: int | None = 1,
        strength: float = 1.0,
        psi: float = 0.7,
        cutoff: int | None = None,
        label: int | None = None,
        model: str = "",
    ) -> tuple[str, Any]:
        """The picture of a seed with other noise on some layers, as a PNG with its recipe, and the recipe.

        Args:
            seed: whole number from 0 to 4294967295.
            layers: whose noise: coarse, middle, fine, all, or layers such as 0-3,8; the others keep theirs.
            noise_seed: draw their noise from this seed; None is the model's stored noise.
            strength: times the noise as trained, from 0 (off) to 10.
            psi: truncation ψ, from −10 to 10.
            cutoff: how many layers ψ reaches, from the coarsest; None is all.
            label: class, for models that have classes; None is class 0 there.
            model: digest or name; empty is the first one of /models.
        """
        start = plain(app, seed, psi, cutoff, label, None, model)
        card = app.library.card(start.model)
        if not card.has_noise:
            raise RecipeError("This model has no noise inputs, so there is nothing to redraw.")
        chosen = edits.parse_layers(layers, card.num_layers)
        scaled = edits.noise_strength(start, chosen, strength)
        return saved(app, scaled if noise_seed is None else edits.redraw_noise(scaled, chosen, noise_seed))

    def truncation(
        seed: int | str = 0,
        psis: list[float] | str = "1, 0.7, 0.5, 0, -0.5, -1",
        label: int | None = None,
        noise_seed: int | None = None,
        model: str = "",
    ) -> tuple[str, Any]:
        """Pictures of seeds at several ψ as one sheet, a row for each seed, and their recipes row by row.

        Args:
            seed: whole number from 0 to 4294967295, or several as text such as 0-3,8.
            psis: values of ψ from −10 to 10, as a list or as text, at most 12.
            label: class, for models that have classes; None is class 0 there.
            noise_seed: draw all noise from this seed; None is the model's stored noise.
            model: digest or name; empty is the first one of /models.
        """
        most = DEMO_CELLS if app.options.demo else MOST_CELLS
        columns = _psis(psis)
        rows: Sequence[Any] = typed.seeds(seed, "Seeds", most // len(columns)) if isinstance(seed, str) else [seed]
        start = plain(app, 0, 1.0, None, label, noise_seed, model)
        recipes = [recipe for recipe in sheets.truncation(start, rows, columns).recipes if recipe]
        return sheet_file(app, recipes, len(columns), "truncation"), [json.loads(recipe.json) for recipe in recipes]

    endpoint(mix, [picture(), record("recipe")])
    endpoint(noise, [picture(), record("recipe")])
    endpoint(truncation, [picture(), record("recipes")])


def _psis(psis: object) -> list[float]:
    if isinstance(psis, str):
        return typed.psis(psis, MOST_PSIS)
    return typed.checked_psis(items(psis, "psis", MOST_PSIS), MOST_PSIS)
