"""The film as a value: how long it is, its JSON, and what is refused."""

import json
from dataclasses import replace

import pytest

from explorer.film import Circle, DirectionSweep, Film, Key, NoiseSweep, PsiSweep
from explorer.parts import Blend, Direction, Edit
from explorer.recipe import Recipe
from stylegan.errors import InputError

MODEL = "ab" * 16
SMILE = Direction("smile", "cd" * 16)


def keys(count, hold_sec=0.0):
    return tuple(Key(Recipe(MODEL, seed), hold_sec) for seed in range(count))


@pytest.mark.parametrize(
    ("end", "ways", "frames"),
    [
        ("stop", ((0, 1), (1, 2)), 2 * 50 + 3 * 5),
        ("loop", ((0, 1), (1, 2), (2, 0)), 3 * 50 + 3 * 5),
        ("back", ((0, 1), (1, 2), (2, 1), (1, 0)), 4 * 50 + 4 * 5),  # the middle key is held on both ways
    ],
)
def test_ways_and_length(end, ways, frames):
    film = Film(keys(3, hold_sec=0.2), end=end, step_sec=2, fps=25)
    assert (film.ways, film.frames, film.seconds) == (ways, frames, frames / 25)


def test_length_of_sweeps():
    one = keys(1, hold_sec=1.0)
    assert Film(one, PsiSweep(), step_sec=4, fps=10).frames == 40 + 2 * 10
    assert Film(one, PsiSweep(), end="back", step_sec=4, fps=10).frames == 80 + 2 * 10
    assert Film(one, Circle(), end="loop", step_sec=4, fps=10).frames == 40 + 10


@pytest.mark.parametrize(
    "film",
    [
        Film(keys(2)),
        Film((*keys(1, 0.5), Key(Recipe(MODEL, Blend(1, 2, 0.5, "z"), psi=-1, edits=(Edit(SMILE, 2),)))), end="loop"),
        Film(keys(1), PsiSweep(-1.5, 0)),
        Film(keys(1), DirectionSweep(SMILE, -3, 3), seeds=(3, 1, 2, 9), columns=4, size=256, smooth=True),
        Film(keys(1), NoiseSweep(), fps=12),
        Film(keys(1), Circle(0.25, 7, 8), space="z", easing="linear", end="loop", step_sec=0.5),
    ],
)
def test_json_there_and_back(film):
    assert Film.from_json(film.json) == film
    assert Film.from_json(film.json).json == film.json
    assert Film.from_data(json.loads(film.json)) == film


def test_json_of_a_whole_film_is_as_it_always_was():
    film = Film(keys(2, 0.5), fps=30, end="back")
    assert json.loads(film.json) == {
        "version": 1,
        "end": "back",
        "fps": 30,
        "keys": [
            {"hold_sec": 0.5, "recipe": {"version": 1, "model": MODEL}},
            {"hold_sec": 0.5, "recipe": {"version": 1, "model": MODEL, "source": 1}},
        ],
    }


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"keys": ()}, "at least two key pictures"),
        ({"keys": keys(1)}, "at least two key pictures"),
        ({"keys": (*keys(1), Key(Recipe("cd" * 16)))}, "different models"),
        ({"keys": keys(101)}, "at most 100 entries"),
        ({"sweep": PsiSweep()}, "one picture, not from 2"),
        ({"keys": keys(1), "sweep": PsiSweep(), "end": "loop"}, "stop, or go there and back"),
        ({"fps": 0}, "Frames per second: a whole number from 1 to 60, not 0"),
        ({"fps": 61}, "Frames per second"),
        ({"fps": True}, "Frames per second"),
        ({"fps": 24.5}, "Frames per second"),
        ({"step_sec": 0}, "at least 2 frames"),
        ({"step_sec": float("nan")}, "a number from 0 to 600"),
        ({"step_sec": 600, "fps": 60, "keys": keys(28)}, "972,000 frames and may have 20,000"),
        ({"size": 0}, "size of a film's picture"),
        ({"size": 10**6}, "from 1 to 4096|from 0 to 4096"),
        ({"seeds": (1,)}, "2 to 24 different seeds"),
        ({"seeds": (1, 1)}, "2 to 24 different seeds"),
        ({"seeds": tuple(range(25))}, "at most 24 entries"),
        ({"columns": 7}, "columns of a grid"),
        ({"space": "x"}, "one of w, z"),
        ({"easing": "fast"}, "one of linear, smooth, even"),
        ({"end": "never"}, "one of stop, loop, back"),
        ({"smooth": 1}, "true or false"),
    ],
)
def test_what_is_refused(changes, words):
    with pytest.raises(InputError, match=words):
        replace(Film(keys(2)), **changes)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not valid JSON"),
        ("[]", 'not a JSON object with a "version"'),
        ('{"version": 2, "keys": []}', "update StyleGAN Explorer"),
        ('{"version": 1, "keys": [], "keys": []}', "given twice"),
        ('{"version": 1, "keys": [], "path": "/etc"}', "has no field 'path'"),
        ('{"version": 1}', 'lacks its "keys"'),
        ('{"version": 1, "keys": [{"hold_sec": 1}]}', 'A key lacks its "recipe"'),
        ('{"version": 1, "keys": [{"recipe": 5}]}', "not a recipe"),
        ('{"version": 1, "keys": [], "sweep": {"kind": "zoom"}}', "one of psi, direction, noise, circle"),
        ('{"version": 1, "keys": [], "sweep": 5}', "The kind of a sweep"),
        ('{"version": 1, "keys": [], "sweep": {"kind": "psi", "low": 1}}', "from one value to another"),
        ('{"version": 1, "keys": [], "sweep": {"kind": "direction"}}', 'lacks its "direction"'),
        ('{"version": 1, "keys": [], "step_sec": Infinity}', "finite numbers only"),
    ],
)
def test_json_that_is_no_film(text, words):
    with pytest.raises(InputError, match=words):
        Film.from_json(text)


@pytest.mark.parametrize(
    ("tiles", "grid"), [(4, (2, 2)), (6, (3, 2)), (9, (3, 3)), (12, (4, 3)), (24, (6, 4)), (5, (3, 2))]
)
def test_grids_are_as_square_as_they_can_be(tiles, grid):
    film = Film(keys(2), seeds=tuple(range(tiles)), size=32)
    assert film.grid == grid
    assert film.frame_size(16) == (grid[0] * 32, grid[1] * 32)
