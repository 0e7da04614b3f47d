"""Lists that people type."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer import typed
from explorer.values import RecipeError


def test_seeds():
    assert typed.seeds("0-3,8", "Rows", 12) == [0, 1, 2, 3, 8]
    assert typed.seeds(" 9, 2-3 , 9,", "Rows", 3) == [9, 2, 3]


@pytest.mark.parametrize("text", ["", " ", "a", "3-1", "-1", "1.5", "4294967296", "0-4294967295", "1;2", None, 5, "٣"])
def test_no_seeds(text):
    with pytest.raises(RecipeError, match=r"Rows: seeds are typed like 0-3,8|A list is text"):
        typed.seeds(text, "Rows", 12)


def test_too_many():
    with pytest.raises(RecipeError, match="Rows: at most 3 seeds here, not 4"):
        typed.seeds("0-3", "Rows", 3)
    with pytest.raises(RecipeError, match="at most 1000 characters"):
        typed.seeds("1," * 501, "Rows", 3)
    with pytest.raises(RecipeError, match="full with 3 seeds"):
        typed.with_toggled("0-2", 9, 3)


def test_toggling():
    assert typed.with_toggled("0-2", 8, 12) == "0-2,8"
    assert typed.with_toggled("0-3", 1, 12) == "0,2-3"
    assert typed.with_toggled("", 4, 12) == "4"
    assert typed.with_toggled("4", 4, 12) == ""


@given(st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=8, unique=True), st.integers(0, 2**32 - 1))
def test_toggling_twice_is_nothing(listed, seed):
    text = ",".join(map(str, listed))
    once = typed.with_toggled(text, seed, 9)
    if seed not in listed:
        assert typed.seeds(typed.with_toggled(once, seed, 9), "Rows", 9) == listed
    else:
        assert seed not in (typed.seeds(once, "Rows", 9) if once else [])


def test_psis():
    assert typed.psis("1, 0.7,0.5 0;−0.5, -1", 6) == [1, 0.7, 0.5, 0, -0.5, -1]
    assert typed.psis(".5,+2,1.", 6) == [0.5, 2, 1]
    assert typed.psis("1,1.0,-0,0", 6) == [1, 0]
    assert typed.checked_psis([1, -0.5], 2) == [1, -0.5]


@pytest.mark.parametrize("text", ["", ",", "x", "nan", "inf", "1e5", "11", "-10.1", "0x1", "1,2,3", "1 - 2", None, [1]])
def test_no_psis(text):
    with pytest.raises(RecipeError, match=r"ψ|A list is text"):
        typed.psis(text, 2)


@pytest.mark.parametrize("numbers", [[], [1, 2, 3], ["1"], [True], [float("nan")], [None]])
def test_no_psis_from_programs(numbers):
    with pytest.raises(RecipeError, match="ψ"):
        typed.checked_psis(numbers, 2)
