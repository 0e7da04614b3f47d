import pytest
from hypothesis import given
from recipe_strategies import MODEL, recipes, steady

from explorer.recipe import Blend, Direction, Edit, Mix, Noise, Recipe, Stored
from explorer.words import describe, spoken

SMILE, AGE = Direction("smile", "5a" * 8), Direction("age", "a6" * 8)


@pytest.mark.parametrize(
    ("words", "recipe"),
    [
        ("seed 5, ψ 0.7", Recipe(MODEL, 5)),
        ("seed 5, class 3, ψ -0.333 on 1 layer", Recipe(MODEL, 5, label=3, psi=-1 / 3, cutoff=1)),
        (
            "latent 5a5a5a5a, ψ 0.7 on 8 layers, own ψ on layers 1-2",
            Recipe(MODEL, Stored("5a" * 8), cutoff=8, layer_psi=((1, 1), (2, 1))),
        ),
        (
            "(seed 1 → seed 2 (50 % in w)) → seed 3 (25 % in w), ψ 0.7",
            Recipe(MODEL, Blend(Blend(1, 2, 0.5), 3, 0.25, "w")),
        ),
        ("seed 0, ψ 0.7, seed 7 on layers 0-1,4", Recipe(MODEL, mixes=(Mix(7, ((0, 1), (1, 1), (4, 1))),))),
        ("seed 0, ψ 0.7, seed 7 on layer 0 (50 %)", Recipe(MODEL, mixes=(Mix(7, ((0, 0.5),)),))),
        (
            "seed 0, ψ 0.7, smile +2σ, age -0.5σ on layer 1 without smile",
            Recipe(MODEL, edits=(Edit(SMILE, 2), Edit(AGE, -0.5, (1,), (SMILE,)))),
        ),
        (
            "seed 0, ψ 0.7, noise 4, noise redrawn on layer 2, noise off on layer 3, noise scaled on layer 4",
            Recipe(MODEL, noise=Noise("random", 4, ((2, 9),), ((3, 0), (4, 0.5)))),
        ),
        ("seed 0, ψ 0.7, no noise", Recipe(MODEL, noise=Noise("none"))),
    ],
)
def test_words(words, recipe):
    assert describe(recipe) == words


@steady
@given(recipes)
def test_any_recipe_has_one_short_printable_line(recipe):
    assert describe(recipe).isprintable()
    assert len(describe(recipe)) <= 300


def test_stored_names_are_spoken_as_words():
    assert [spoken(name) for name in ("mouth_open", "hair: long_straight", "age", "_", "eye_openness_")] == [
        "mouth open", "hair: long straight", "age", "_", "eye openness",
    ]  # fmt: skip
    edit = Edit(Direction("mouth_open", "5a" * 8), 2, None, (Direction("skin_tone", "a6" * 8),))
    assert describe(Recipe(MODEL, edits=(edit,))) == "seed 0, ψ 0.7, mouth open +2σ without skin tone"
