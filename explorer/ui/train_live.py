"""Live pictures of snapshots on the Train tab. See train.py."""

from collections.abc import Mapping
from typing import Any

from explorer import frames, run_live, typed
from explorer.context import AppContext
from explorer.recipe import MAX_JSON_BYTES, MAX_PSI, Recipe
from explorer.runs import Runs
from explorer.ui.bind import MAX_NAME, answering, text_of, visitor_of
from explorer.values import RecipeError, real


def live_function(app: AppContext, runs: Runs) -> Any:
    """The server function that draws them."""

    @answering
    def live(data: Mapping[str, Any]) -> dict[str, Any]:
        """{visitor, name, snapshot, seeds, psi, recipe} → {image, columns, recipes}; no seeds: the recipe's picture."""
        name, snapshot = text_of(data, "name", MAX_NAME), text_of(data, "snapshot", MAX_NAME)
        text = text_of(data, "seeds", typed.MAX_CHARACTERS)
        seeds = typed.seeds(text, "Seeds", run_live.MAX_SEEDS) if text.strip() else []
        psi = real(data.get("psi"), "ψ", -MAX_PSI, MAX_PSI)
        present = Recipe.from_json(text_of(data, "recipe", MAX_JSON_BYTES))
        with runs.lock:
            reader = runs.reader(name)
            if snapshot not in [path.stem for path in reader.folder.snapshots()]:
                raise RecipeError("This snapshot is not there any more.")
            path = reader.snapshot(snapshot)
        found = run_live.pictures(app.engine, app.library, path, seeds, psi, present, visitor_of(data))
        recipes = [recipe.json for recipe in found.recipes]
        return {"image": frames.data_uri(found.sheet, True), "columns": found.columns, "recipes": recipes}

    return live
