"""Recipes moved between models: what the other model has not is left out, the rest is kept, and it always renders."""

import pytest
import tiny_models
from hypothesis import given
from recipe_strategies import recipes, steady

from explorer import recipe as recipe_
from explorer.adapt import adapted, fresh
from explorer.library import Library
from explorer.recipe import Blend, Direction, Edit, Mix, Noise, Recipe


@pytest.fixture(scope="module")
def cards(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    files = [
        tiny_models.make(folder, "a", resolution=32),
        tiny_models.make(folder, "b", resolution=8, label_dim=3, seed=1),
        tiny_models.make(folder, "c", use_noise=False, seed=2),
    ]
    return Library(files).cards()


def test_a_model_is_first_seen_as_it_was_published(cards):
    big, classes, _ = cards
    assert fresh(big, 4) == Recipe(big.digest, 4, None, big.default_psi, big.default_cutoff)
    assert fresh(classes).label == 0


def test_what_the_smaller_model_has_not_goes(cards):
    big, small, _ = cards
    source = Blend(1, 2, 0.5)
    direction = Direction("smile", "0123456789abcdef")
    recipe = Recipe(
        big.digest, source, None, 0.5, 6, ((1, 0.2), (6, 0.9)), (Mix(3, ((0, 1.0), (7, 0.5))), Mix(4, ((5, 1.0),))),
        (Edit(direction, 1.0),), Noise("random", 5, ((0, 1), (7, 2)), ((3, 0.5), (4, 0.0))),
    )  # fmt: skip
    assert adapted(recipe, small) == Recipe(
        small.digest, source, 0, 0.5, None, ((1, 0.2),), (Mix(3, ((0, 1.0),)),), (),
        Noise("random", 5, ((0, 1),), ((3, 0.5),)),
    )  # fmt: skip


def test_the_same_model_changes_nothing(cards):
    recipe = Recipe(cards[0].digest, 5, noise=Noise("none"))
    assert adapted(recipe, cards[0]) is recipe


def test_a_class_that_both_have_is_kept(cards):
    assert adapted(Recipe("0123456789abcdef", label=2), cards[1]).label == 2
    assert adapted(Recipe("0123456789abcdef", label=7), cards[1]).label == 0
    assert adapted(Recipe("0123456789abcdef", label=2), cards[0]).label is None


@steady
@given(recipes)
def test_any_recipe_fits_afterwards(cards, recipe):
    for card in cards:
        moved = adapted(recipe, card)
        noise = card.num_layers if card.has_noise else 0
        recipe_.check(moved, num_ws=card.num_ws, label_dim=card.label_dim, num_noise=noise)
        assert moved.edits == () or recipe.model == card.digest
