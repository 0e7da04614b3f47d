import copy
import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recipe_strategies import MODEL, steady

from explorer.history import MAX_STEPS, History
from explorer.recipe import Recipe

R = [Recipe(MODEL, seed) for seed in range(200)]


def pushed(*recipes: Recipe) -> History:
    history = History(R[0])
    for recipe in recipes:
        history = history.push(recipe)
    return history


def test_undo_and_redo_walk_the_steps():
    history = pushed(R[1], R[2])
    assert (history.present, history.can_undo, history.can_redo) == (R[2], True, False)
    back = history.undo().undo()
    assert (back.present, back.can_undo, back.can_redo) == (R[0], False, True)
    assert back.undo() == back
    assert back.redo().present == R[1]
    assert back.redo().redo() == history
    assert history.redo() == history


def test_a_new_step_forgets_what_was_undone():
    history = pushed(R[1], R[2]).undo().push(R[3])
    assert history.steps == (R[0], R[1], R[3])
    assert not history.can_redo


def test_the_same_recipe_is_no_step_and_keeps_what_was_undone():
    history = pushed(R[1], R[2]).undo()
    assert history.push(Recipe(MODEL, 1)) is history


def test_a_drag_is_one_step():
    history = pushed(R[1])
    for seed in (2, 3, 4):
        history = history.push(R[seed], "seed")
    assert history.steps == (R[0], R[1], R[4])
    assert history.undo().present == R[1]


def test_gestures_end_when_settled_or_when_another_control_moves():
    history = pushed().push(R[1], "psi").push(R[2], "psi").settled().push(R[3], "psi").push(R[4], "cutoff")
    assert history.steps == (R[0], R[2], R[3], R[4])
    assert history.push(R[5]).push(R[6]).steps == (R[0], R[2], R[3], R[4], R[5], R[6])
    assert history.undo().push(R[7], "cutoff").steps == (R[0], R[2], R[3], R[7])


def test_another_control_that_changes_nothing_at_first_does_not_take_over_the_step():
    history = pushed().push(R[1], "psi").push(R[1], "cutoff").push(R[2], "cutoff")
    assert history.steps == (R[0], R[1], R[2])


def test_a_drag_back_to_its_start_leaves_no_step():
    history = pushed(R[1]).push(R[2], "psi").push(R[1], "psi")
    assert history.steps == (R[0], R[1])
    assert history.push(R[3], "psi").steps == (R[0], R[1], R[3])


def test_a_hundred_steps_are_kept():
    history = pushed(*R[1:151])
    assert len(history.past) == MAX_STEPS
    for _ in range(500):
        history = history.undo()
    assert history.present == R[50]
    assert len(history.future) == MAX_STEPS
    assert history.at(MAX_STEPS).present == R[150]


def test_jumping_to_a_step_forgets_nothing():
    history = pushed(R[1], R[2], R[3])
    assert history.at(1).steps == history.steps
    assert history.at(1).present == R[1]
    assert history.at(3) == history
    for outside in (-1, 4):
        with pytest.raises(IndexError, match="steps 0 to 3"):
            history.at(outside)


def test_it_is_a_value():
    history = pushed(R[1])
    assert copy.deepcopy(history) is history
    assert history == pushed(R[1])
    with pytest.raises(dataclasses.FrozenInstanceError):
        history.present = R[2]


moves = st.one_of(
    st.tuples(st.just("push"), st.integers(0, 5), st.sampled_from([None, "psi", "seed"])),
    st.tuples(st.sampled_from(["undo", "redo", "settled"])),
)


@steady
@given(st.lists(moves, max_size=30))
def test_no_two_neighbours_are_equal_and_undo_then_redo_is_nothing(done):
    history = History(R[0])
    for name, *arguments in done:
        if name == "push":
            history = history.push(R[arguments[0]], arguments[1])
            assert history.present == R[arguments[0]]
        else:
            history = getattr(history, name)()
        assert all(a != b for a, b in zip(history.steps, history.steps[1:], strict=False))
        if history.can_undo:
            assert history.undo().redo() == history.settled()
