"""The endpoint /film, asked as programs do: its films decoded again, mistakes in one sentence, the caps of a demo."""

import gc
import json
import re
import subprocess
from dataclasses import replace
from pathlib import Path

import imageio_ffmpeg
import pytest
from app_server import serve
from gradio_client import Client
from gradio_client.exceptions import AppError
from PIL import Image

from explorer import film_file
from explorer.film import Circle, Film, Key, PsiSweep
from explorer.jobs import Jobs
from explorer.recipe import Recipe
from explorer.ui import film as tab

pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # gradio_client leaves loops and sockets


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """A page that strangers may reach, and a client of it."""
    with serve(tmp_path_factory.mktemp("demo"), host="0.0.0.0") as server:
        client = Client(server.url, verbose=False, download_files=str(tmp_path_factory.mktemp("got")))
        yield server, client
        client.close()
        gc.collect()


def test_a_film_of_seeds_decoded_again(client, served):
    file, data = client.predict("", "3,5", "mp4", 0.5, 10, "back", size=32, psi=0.5, api_name="/film")
    film = Film.from_data(data)
    model = served.app.library.default
    keys = tuple(Key(Recipe(model, seed, psi=0.5)) for seed in (3, 5))
    assert film == Film(keys, end="back", step_sec=0.5, fps=10, size=32)
    assert film_file.read(Path(file).read_bytes()) == film
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-i", file, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    done = subprocess.run(command, capture_output=True, check=True)
    assert len(done.stdout) == film.frames * 32 * 32 * 3 == 10 * 32 * 32 * 3
    assert re.search(rb"Video: h264.* 32x32.* 10 fps", done.stderr)
    assert b"Duration: 00:00:01.00" in done.stderr


def test_a_whole_film_comes_back_to_the_same_file(client, served):
    """The film that a file carries, sent again as data or as text, is the same file."""
    start = Recipe(served.app.library.default, 4)
    film = Film((Key(start, 0.2),), Circle(0.3, 7, 8), end="loop", step_sec=0.4, fps=10, seeds=(4, 5, 6, 7))
    files = []
    for given in (film.json, json.loads(film.json)):
        file, data = client.predict(given, format="webp", api_name="/film")
        assert Film.from_data(data) == film
        files.append(Path(file).read_bytes())
    assert files[0] == files[1]
    assert film_file.read(files[0]) == film
    with Image.open(file) as image:
        assert (image.n_frames, image.size) == (film.frames, (32, 32)) == (6, (32, 32))


def two(served, **changes):
    """The JSON of a film, with keys replaced as clients may send them."""
    keys = tuple(Key(Recipe(served.app.library.default, seed)) for seed in (1, 2))
    return {**json.loads(Film(keys, step_sec=0.2, fps=10).json), **changes}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"seeds": "7"}, "at least two key pictures"),
        ({"seeds": "a"}, "seeds are typed like"),
        ({"seeds": "0-100"}, "at most 100 seeds"),
        ({"fps": 0}, "Frames per second: a whole number from 1 to 60, not 0"),
        ({"fps": "many"}, "Frames per second: a whole number from 1 to 60, not 'many'"),
        ({"fps": 2.5}, "Frames per second: a whole number"),
        ({"step_sec": -1}, "a number from 0 to 600"),
        ({"step_sec": 600, "fps": 60, "seeds": "0-27"}, "1,008,000 frames and may have 20,000"),
        ({"size": 33}, "H.264 takes even sizes only, not 33 × 33"),
        ({"size": 8}, "H.264 takes frames from 16 pixels"),
        ({"size": 10**6}, "size of a film's picture is a whole number"),
        ({"size": "large"}, "size of a film's picture"),
        ({"format": "avi"}, "format of a film is one of mp4, webp, gif, zip, not 'avi'"),
        ({"format": "../mp4"}, "format of a film is one of"),
        ({"format": 4}, "format of a film is one of"),
        ({"end": "never"}, "end of a film is one of"),
        ({"easing": None}, "easing of a film is one of"),
        ({"space": "x"}, "space of a film is one of"),
        ({"psi": "much"}, "ψ is a number"),
        ({"model": "nobody's"}, "There is no model"),
        ({"film": "{"}, "not valid JSON"),
        ({"film": 5}, "not a JSON object"),
        ({"film": ["/etc/passwd"]}, "not a JSON object"),
    ],
    ids=str,
)
def test_bad_input_gets_one_clear_message(client, given, words):
    with pytest.raises(AppError, match=words) as told:
        client.predict(api_name="/film", **given)
    assert "went wrong inside" not in str(told.value)
    assert "\n" not in str(told.value).strip()


def test_films_that_do_not_fit(client, served):
    other = served.app.library.cards()[1].digest
    for changes, words in (
        ({"keys": [{"recipe": {"version": 1, "model": "ab" * 32}}] * 2}, "is not here"),
        ({"keys": [*two(served)["keys"], {"recipe": {"version": 1, "model": other}}]}, "of different models"),
        ({"path": "/etc"}, "has no field 'path'"),
        ({"sweep": {"kind": "psi"}}, "one picture, not from 2"),
    ):
        with pytest.raises(AppError, match=words):
            client.predict(two(served, **changes), api_name="/film")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"step_sec": 4, "fps": 60}, "at most 300 frames, not 480"),
        ({"step_sec": 0.2, "size": 514}, "at most 512 pixels a side, not 514"),
        ({"step_sec": 0.2, "seeds": "0-12"}, "at most 12 keys, not 13"),
    ],
    ids=str,
)
def test_what_a_demo_does_not_make(demo, given, words):
    _, client = demo
    with pytest.raises(AppError, match=words):
        client.predict(**{"seeds": "0-1", **given}, api_name="/film")


def test_a_demo_makes_small_films(demo):
    server, client = demo
    model = server.app.library.default
    film = Film((Key(Recipe(model, 3)),), PsiSweep(), step_sec=0.5, fps=10, seeds=tuple(range(7)))
    with pytest.raises(AppError, match="at most 6 pictures in a frame, not 7"):
        client.predict(film.json, api_name="/film")
    file, _ = client.predict(replace(film, seeds=film.seeds[:6]).json, format="gif", api_name="/film")
    with Image.open(file) as image:
        assert (image.n_frames, image.size) == (5, (48, 32))


def test_a_few_films_are_made_at_a_time(served):
    """A third visitor of the page is told to wait; the first may begin anew."""
    start, poll, cancel = tab._making(served.app, Jobs(tab.FILMS)).functions()
    long = {"film": json.dumps(two(served, step_sec=600)), "grid": "", "format": "webp"}
    for visitor in ("a", "b", "a"):
        assert start({"visitor": visitor, **long}) == {}
    assert re.search("2 pieces of work are running", start({"visitor": "c", **long})["error"])
    for visitor in "ab":
        cancel({"visitor": visitor})
    for visitor in "ab":
        while poll({"visitor": visitor})["state"] == "running":
            pass
        assert poll({"visitor": visitor})["state"] == "cancelled"


def test_parameters_are_told_to_clients(client):
    endpoint = client.view_api(return_format="dict")["named_endpoints"]["/film"]
    names = [one["parameter_name"] for one in endpoint["parameters"]]
    assert names[:5] == ["film", "seeds", "format", "step_sec", "fps"]
    assert all(one["parameter_has_default"] for one in endpoint["parameters"])
