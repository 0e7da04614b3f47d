"""What the Steer part asks for, checked: a move along a direction as browsers send it, and traversals."""

from collections.abc import Mapping
from typing import Any

from explorer import edits, vectors
from explorer.library import ModelCard
from explorer.parts import MAX_LOCKS, MAX_STRENGTH_SD, Direction, Edit
from explorer.recipe import Recipe
from explorer.values import RecipeError, items, layer_numbers, real, whole
from explorer.vectors import DirectionVector

Known = Mapping[str, DirectionVector]  # the directions of a model by digest
MAX_COLUMNS = 15


def moved(recipe: Recipe, known: Known, value: Any) -> Recipe:
    """{digest, strength, layers (null: all), locks}, {locks} for all moves, or {clear: true}.

    Raises:
        RecipeError: not one of these, or a value that `Recipe` refuses.
    """
    if not isinstance(value, dict):
        raise RecipeError("A move along a direction is a JSON object.")
    if value.get("clear") is True:
        return edits.clear_edits(recipe)
    locks = named(value["locks"], known)
    if "digest" not in value:
        return edits.with_locks(recipe, locks)
    return edits.with_edit(recipe, _named(value["digest"], known), value["strength"], value["layers"], locks)


def chosen(value: Any, known: Known) -> Edit | None:
    """{digest, layers, locks} as a move of strength 0; None where no direction is chosen.

    Raises:
        RecipeError: as `moved`.
    """
    if value is None or (isinstance(value, dict) and value.get("digest") is None):
        return None
    if not isinstance(value, dict):
        raise RecipeError("What is chosen is a JSON object.")
    direction = _named(value["digest"], known)
    locks = tuple(lock for lock in named(value.get("locks", ()), known) if lock.digest != direction.digest)
    layers = value.get("layers")
    return Edit(direction, 0.0, None if layers is None else layer_numbers(layers, "An edit"), locks)


def named(digests: object, known: Known) -> tuple[Direction, ...]:
    """Directions by digest, as recipes name them."""
    return tuple(_named(digest, known) for digest in items(digests, "The locks of an edit", MAX_LOCKS))


def shown(recipe: Recipe, card: ModelCard) -> dict[str, Any]:
    """What the sliders show: the layers there are, the moves, and what is locked (null: nothing is moved)."""
    locks = {lock.digest: lock.name for edit in recipe.edits for lock in edit.locks}
    layers = range(card.num_ws)
    return {
        "sizes": [card.layer_sizes[min(layer, len(card.layer_sizes) - 1)] for layer in layers],
        "bands": {band: [layer for layer in members if layer in layers] for band, members in card.bands.items()},
        "moves": [
            {
                "digest": edit.direction.digest,
                "strength": edit.strength,
                "layers": None if edit.layers is None else list(edit.layers),
            }
            for edit in recipe.edits
        ],
        "locks": list(locks) if recipe.edits else None,
    }


def strengths(reach_sd: object, columns: object) -> list[float]:
    """Evenly from −`reach_sd` to `reach_sd`: `columns` of them, an odd number so that 0 is one.

    Raises:
        RecipeError: out of range.
    """
    reach = real(reach_sd, "How far a traversal reaches, in σ,", 0.1, MAX_STRENGTH_SD)
    count = whole(columns, "The number of pictures in a row", MAX_COLUMNS)
    if count < 3 or count % 2 == 0:
        raise RecipeError(f"A row of a traversal has an odd number of pictures, 3 to {MAX_COLUMNS}, not {count}.")
    half = count // 2
    return [round(reach * step / half, 6) for step in range(-half, half + 1)]


def _named(digest: object, known: Known) -> Direction:
    found = vectors.one_of(known, digest)
    return Direction(found.name, found.digest)
