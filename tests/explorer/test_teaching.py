"""Lessons: what labels give so far, what is asked next; a teacher who knows the answer gets the direction."""

import numpy as np
import pytest
import tiny_models

from explorer.finding import POOL, Finder
from explorer.scorers import Scorers
from explorer.teaching import PAGE, check_labels, check_page, check_seeds, labels_in, lesson
from explorer.values import RecipeError
from stylegan.directions.quality import auc
from stylegan.errors import InputError


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    return tiny_models.engine(tmp_path_factory.mktemp("teaching"))


@pytest.fixture(scope="module")
def finder(engine):
    return Finder(engine, Scorers(engine.library))


@pytest.fixture
def world(engine, finder):
    """`ask(labels, seen)`, and what is so for each seed of the pool: the brightest fifth along a known direction."""
    model = engine.library.default
    pool = finder.pool(model, None)
    along = pool.w.numpy() @ np.linspace(-1, 1, 16)
    level = np.quantile(along, 0.8)
    truth = {seed: bool(value > level) for seed, value in zip(pool.seeds, along, strict=True)}

    def ask(labels, seen=()):
        return lesson(engine, finder, model, None, labels, seen)

    return ask, truth, pool, model


def test_a_lesson_from_the_first_page_to_a_direction(world, finder):
    ask, truth, pool, model = world
    first = ask({})
    assert (first.why, first.taught, len(set(first.page))) == ("any", None, PAGE)
    labels, qualities, pages = {}, [], []
    page = first.page
    for _ in range(6):
        assert not set(page) & set(labels)
        labels.update({seed: truth[seed] for seed in page})
        told = ask(labels)
        page = told.page
        pages.append(told.why)
        if told.taught:
            place = told.taught.direction.place(pool.w).numpy()
            qualities.append(auc(place, np.array(list(truth.values()))))
            assert finder.found(model, told.taught.direction.digest) is told.taught.direction
            assert str(told.taught.uncertainty) == told.taught.direction.facts.note
    assert "least sure" in pages
    assert qualities[-1] > 0.97
    assert (told.positives, told.negatives) == (sum(labels.values()), len(labels) - sum(labels.values()))


def test_what_is_rare_is_looked_for(world):
    """With few on one side the page leans to that side: more of them than anywhere else."""
    ask, truth, *_ = world
    first = ask({}).page
    labels = {seed: truth[seed] for seed in first if truth[seed]}
    labels = dict(list(labels.items())[:3]) | {seed: False for seed in first if not truth[seed]}
    told = ask(labels, first)
    assert told.why == "likely"
    near, others = told.page[: PAGE // 2], told.page[PAGE // 2 :]
    assert sum(truth[seed] for seed in near) > sum(truth[seed] for seed in others)
    assert len(set(told.page)) == PAGE
    assert not set(told.page) & set(first)


def test_the_least_sure_are_asked_about(world):
    ask, truth, pool, *_ = world
    labels = {seed: truth[seed] for seed in pool.seeds[:120]}
    seen = pool.seeds[120:140]
    told = ask(labels, seen)
    place = told.taught.direction.place(pool.w).abs().numpy()
    asked = {seed - pool.seeds[0] for seed in told.page}
    others = set(range(140, POOL)) - asked
    assert max(place[list(asked)]) <= min(place[list(others)])


def test_seeds_from_elsewhere_may_be_labelled(world):
    ask, *_ = world
    labels = {seed: bool(seed % 2) for seed in range(40)}
    told = ask(labels)
    assert (told.positives, told.negatives) == (20, 20)
    assert not told.taught.uncertainty.low > 0.5  # labels that mean nothing


def test_when_all_has_been_shown_what_was_left_neutral_comes_again(world):
    ask, _, pool, _ = world
    told = ask({pool.seeds[0]: True}, pool.seeds)
    assert len(told.page) == PAGE
    assert pool.seeds[0] not in told.page


@pytest.mark.parametrize(
    "wrong", ["x", {"a": 1}, [[1]], [[1, 1]], [[1, None]], [[-1, True]], [[2**32, True]], [["1", True]],
              [[1, True], [1, False]], [[i, True] for i in range(2001)], [[1, True, 2]]]
)  # fmt: skip
def test_damaged_labels_are_refused(wrong):
    with pytest.raises(RecipeError):
        check_labels(wrong)


def test_labels_and_seeds_from_a_browser():
    assert check_labels([[3, True], [1, False]]) == {3: True, 1: False}
    assert check_seeds([3, 1, 3]) == {1, 3}
    for wrong in ("3", [1.5], [None], [-1]):
        with pytest.raises(RecipeError):
            check_seeds(wrong)


def test_a_page_keeps_its_order():
    assert check_page([3, 1, 2]) == [3, 1, 2]
    for wrong in ([], list(range(25)), "3", [None]):
        with pytest.raises(RecipeError):
            check_page(wrong)


def test_labels_in_a_file():
    assert labels_in("seed,smile\n5,1\n9,0\n", "x.csv") == ("smile", {5: True, 9: False})
    assert labels_in("5,1\n", "mine.csv") == ("mine", {5: True})
    for text, said in (
        ("1,0.5\n", "labels are rows"),
        ("seed,a,b\n1,1,0\n", "labels are rows"),
        ("".join(f"{i},1\n" for i in range(2001)), "at most 2000"),
        ("1,nan\n", "not a finite number"),
    ):
        with pytest.raises(InputError, match=said):
            labels_in(text, "x.csv")
