"""Teaching a direction by hand: labels of samples, what they give so far, and which samples to ask about next.

A lesson has no state: labels come with every question, so that they may live in a browser and survive a restart.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor

from explorer.engine import Engine
from explorer.finding import Finder
from explorer.values import RecipeError, items, show, whole
from stylegan.directions import Fitted, Taught, finish, fit_from_labels, least_sure, parse_scores
from stylegan.directions.labels import MAX_LABELS, MIN_EACH
from stylegan.directions.sampling import latent_steps
from stylegan.seeds import MAX_SEED

PAGE = 24
MAX_SEEN = 1 << 14

Why = Literal["any", "likely", "least sure"]
Labels = Mapping[int, bool]  # seed → whether it has it


@dataclass(frozen=True, eq=False)
class Lesson:
    """What labels have given so far.

    `taught` is None below 8 on either side; `page` are the seeds to ask about next, and `why` those: as they come,
    likely to be on the side that lacks labels, or those that the SVM is least sure of.
    """

    positives: int
    negatives: int
    taught: Taught | None
    page: tuple[int, ...]
    why: Why


def check_labels(value: object) -> dict[int, bool]:
    """`[[seed, true or false], …]` from a browser or a program; RecipeError for anything else."""
    labels: dict[int, bool] = {}
    for pair in items(value, "The list of labels", MAX_LABELS):
        if not isinstance(pair, (list, tuple)) or len(pair) != 2 or not isinstance(pair[1], bool):
            raise RecipeError(f"A label is a pair [seed, true or false], not {show(pair)}.")
        seed = whole(pair[0], "The seed of a label", MAX_SEED)
        if seed in labels:
            raise RecipeError(f"Seed {seed} is labelled twice.")
        labels[seed] = pair[1]
    return labels


def check_seeds(value: object) -> set[int]:
    """A list of seeds from a browser; RecipeError for anything else."""
    return {whole(seed, "A seed", MAX_SEED) for seed in items(value, "The list of seeds", MAX_SEEN)}


def check_page(value: object) -> list[int]:
    """The seeds of one page, in their order; RecipeError for anything else."""
    seeds = [whole(seed, "A seed", MAX_SEED) for seed in items(value, "A page", PAGE)]
    if not seeds:
        raise RecipeError("A page has at least one sample.")
    return seeds


def labels_in(text: str, file: str) -> tuple[str, dict[int, bool]]:
    """The name and the labels in the text of a CSV file of seed and 1 or 0.

    Raises:
        InputError: not such a file, several columns, or numbers other than 0 and 1.
    """
    table = parse_scores(text, file)
    if len(table.columns) != 1 or table.columns[0].kind != "binary":
        raise RecipeError(f"{file}: labels are rows seed,1 or seed,0; other numbers are scores, for the part Fit.")
    if len(table.seeds) > MAX_LABELS:
        raise RecipeError(f"{file} has {len(table.seeds)} labels; a lesson has at most {MAX_LABELS}.")
    name = table.columns[0].name
    return name, {seed: bool(value) for seed, value in zip(table.seeds, table.values[:, 0], strict=True)}


def lesson(
    engine: Engine,
    finder: Finder,
    model: str,
    label: int | None,
    labels: Labels,
    seen: Collection[int] = (),
    visitor: str | None = None,
) -> Lesson:
    """What `labels` give, and 24 samples to ask about next, none of them labelled or `seen`; well below a second.

    The direction is remembered by `finder`, named after nothing yet.
    """
    pool = finder.pool(model, label, visitor)
    positives = sum(labels.values())
    negatives = len(labels) - positives
    known = [seed for seed in pool.seeds if seed not in labels and seed not in set(seen)]
    if len(known) < PAGE:  # everything has been shown: those left neutral come again
        known = [seed for seed in pool.seeds if seed not in labels]
    rows = [seed - pool.seeds[0] for seed in known]
    if not labels:
        return Lesson(0, 0, None, tuple(known[:PAGE]), "any")

    steps = latent_steps(engine.library.generator(model), list(labels), label)
    w = finish(engine.driven(model, steps, visitor)).w
    has_it = torch.tensor(list(labels.values()))
    if min(positives, negatives) < MIN_EACH:
        chosen = _likely(pool.w, rows, w, has_it)
        return Lesson(positives, negatives, None, tuple(pool.seeds[row] for row in chosen), "likely")
    taught = fit_from_labels(w, has_it.tolist(), pool.w)
    facts = replace(taught.direction.facts, seed=min(labels))
    taught = Taught(replace(taught.direction, facts=facts), taught.uncertainty)
    finder.remember(model, Fitted((taught.direction,)))
    chosen = [rows[i] for i in least_sure(pool.w[rows], taught.direction, min(PAGE, len(rows)))]
    return Lesson(positives, negatives, taught, tuple(pool.seeds[row] for row in chosen), "least sure")


def _likely(pool: Tensor, rows: list[int], w: Tensor, has_it: Tensor) -> list[int]:
    """Half a page of the samples nearest to the side with fewer labels, by the difference of the means; then any.

    What is rare would take many pages to come up eight times.
    """
    centre = pool.mean(dim=0)
    ends = [w[has_it == side].mean(dim=0) if (has_it == side).any() else centre for side in (False, True)]
    towards = ends[1] - ends[0] if 2 * int(has_it.sum()) <= len(has_it) else ends[0] - ends[1]
    along = (pool[rows] - centre) @ towards
    near = [rows[i] for i in along.sort(descending=True, stable=True).indices[: PAGE // 2].tolist()]
    return near + [row for row in rows if row not in set(near)][: PAGE - len(near)]
