"""Films as files: decoded again by other programs, bounded in memory, nothing left where they end early."""

import errno
import io
import re
import subprocess
import tracemalloc
import zipfile
from dataclasses import replace
from itertools import pairwise

import imageio_ffmpeg
import numpy as np
import pytest
import tiny_models
from PIL import Image

from explorer import __main__ as command
from explorer import film_encode, film_file, film_path, film_render, png, scaling
from explorer.film import Film, Key, NoiseSweep, PsiSweep
from explorer.jobs import Jobs
from explorer.parts import Direction, Edit
from explorer.recipe import Recipe
from stylegan.errors import DiskFullError, InputError


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    return tiny_models.engine(tmp_path_factory.mktemp("model"))


@pytest.fixture
def film(engine):
    model = engine.library.default
    keys = tuple(Key(Recipe(model, seed), 0.1) for seed in (4, 9))
    return Film(keys, step_sec=0.5, fps=20, size=64)


def rendered(engine, film, path):
    return list(film_render.render(engine, film, path))


def decoded(path):
    """Frames as ffmpeg sees them, and what it says of the file."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-i", path, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    done = subprocess.run(command, capture_output=True, check=True)
    said = done.stderr.decode()
    width, height = (int(side) for side in re.search(r"Video: .*?, (\d+)x(\d+)", said).groups())
    return list(np.frombuffer(done.stdout, np.uint8).reshape(-1, height, width, 3)), said


def near(a, b, levels):
    return np.abs(a.astype(int) - b).mean() < levels


def test_mp4(engine, film, tmp_path):
    records = rendered(engine, film, tmp_path / "film.mp4")
    assert len(records) == film.frames == 14
    assert [record.share for record in records] == [(n + 1) / 14 for n in range(14)]
    frames, about = decoded(tmp_path / "film.mp4")
    assert (len(frames), frames[0].shape) == (14, (64, 64, 3))
    for words in ("Video: h264", "yuv420p(tv, bt709", "20 fps", "Duration: 00:00:00.70"):
        assert words in about
    for frame, key in ((frames[0], film.keys[0]), (frames[-1], film.keys[1])):
        assert near(frame, engine.render(key.recipe, 64), 6)  # 4:2:0 halves the colours of single pixels
    data = (tmp_path / "film.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")  # so that it plays while it loads
    assert film_file.read(data) == film


def test_webp(engine, film, tmp_path):
    rendered(engine, film, tmp_path / "film.webp")
    with Image.open(tmp_path / "film.webp") as image:
        assert (image.n_frames, image.size, image.info["loop"]) == (14, (64, 64), 0)
        times = []
        for frame, key in ((0, film.keys[0]), (13, film.keys[1])):
            image.seek(frame)
            assert np.array_equal(np.asarray(image.convert("RGB")), engine.render(key.recipe, 64))  # small: lossless
        for frame in range(14):
            image.seek(frame)
            image.load()
            times.append(image.info["timestamp"])
        assert sum(b - a for a, b in pairwise([0, *times])) == pytest.approx(1000 * film.seconds, abs=51)
    assert film_file.read((tmp_path / "film.webp").read_bytes()) == film


def test_gif(engine, film, tmp_path):
    rendered(engine, film, tmp_path / "film.gif")
    with Image.open(tmp_path / "film.gif") as image:
        assert (image.n_frames, image.size, image.info["loop"]) == (14, (64, 64), 0)
        assert image.info["duration"] == 50
        assert near(np.asarray(image.convert("RGB")), engine.render(film.keys[0].recipe, 64), 10)  # of 256 colours
    assert film_file.read((tmp_path / "film.gif").read_bytes()) == film
    assert [path.name for path in tmp_path.iterdir()] == ["film.gif"]


def test_png_frames(engine, film, tmp_path):
    rendered(engine, film, tmp_path / "film.zip")
    card = engine.library.card(film.model)
    at = [film_path.ways(film, card)[place.way](place.share) for place in film_path.places(film)]
    with zipfile.ZipFile(tmp_path / "film.zip") as archive:
        assert archive.namelist() == ["film.json", *(f"{n:05d}.png" for n in range(1, 15))]
        for n in (1, 8, 14):
            data = archive.read(f"{n:05d}.png")
            assert png.read(data) == at[n - 1]
            picture = scaling.resized(engine.render(at[n - 1]), 64)
            assert np.abs(np.asarray(Image.open(io.BytesIO(data))).astype(int) - picture).max() <= 1
    assert film_file.read((tmp_path / "film.zip").read_bytes()) == film


def test_a_grid_is_synchronous(engine, film, tmp_path):
    grid = replace(film, seeds=(4, 5, 6, 7), size=None)
    rendered(engine, grid, tmp_path / "grid.webp")
    with Image.open(tmp_path / "grid.webp") as image:
        frame = np.asarray(image.convert("RGB"))
    assert frame.shape == (32, 32, 3)
    for n, seed in enumerate(grid.seeds):
        y, x = (16 * part for part in divmod(n, 2))
        tile = engine.render(Recipe(film.model, seed)).astype(int)
        assert np.abs(frame[y : y + 16, x : x + 16] - tile).max() <= 1


def test_frames_drawn_together_are_those_drawn_alone(engine):
    """Also where they share their first layers, or differ in noise alone, or are the same."""
    model = engine.library.default
    plain = Recipe(model, 1)
    recipes = [
        *(replace(plain, layer_psi=((3, i / 5),)) for i in range(5)), plain, plain,
        *(replace(plain, noise=replace(plain.noise, seeds=((4, i),))) for i in range(3)),
        replace(plain, noise=replace(plain.noise, strengths=((2, 0.0),))), Recipe(model, 2, psi=-1),
    ]  # fmt: skip
    for recipe, picture in zip(recipes, engine.film(iter(recipes)), strict=True):
        assert np.abs(picture.astype(int) - engine.render(recipe)).max() <= 1


def test_drawn_together_at_a_level_of_detail(tmp_path):
    engine = tiny_models.engine(tmp_path, lod=0.5)
    recipes = [replace(Recipe(engine.library.default), layer_psi=((layer, 0.1),)) for layer in (0, 3, 4, 5)]
    for start in range(len(recipes)):
        for recipe, picture in zip(recipes[start:], engine.film(recipes[start:]), strict=True):
            assert np.abs(picture.astype(int) - engine.render(recipe)).max() <= 1


def test_even_speed_has_steps_of_one_size(engine, film):
    def steps(easing):
        course = film_render.Course(engine, replace(film, easing=easing, step_sec=2))
        paces = [pace for pace in course.paces() if pace is not None] if course.measured else None
        frames = [pictures[0] for pictures in course.frames(film_path.places(course.film, paces))][2:-2]
        return [film_render.change(a, b) for a, b in pairwise(frames)]

    even, linear = steps("even"), steps("linear")
    assert max(even) / min(even) < 0.6 * max(linear) / min(linear)
    assert max(even) < max(linear)


def test_how_different_pictures_look():
    grey = np.full((16, 16, 3), 100, np.uint8)
    assert film_render.change(grey, grey) == 0
    assert film_render.change(grey, grey + np.uint8(10)) == pytest.approx(10)  # at all of the scales 16, 8, 4
    checks = grey + 20 * (np.indices((16, 16)).sum(0) % 2).astype(np.uint8)[..., None]
    assert film_render.change(grey + np.uint8(10), checks) == pytest.approx(10 / 3)  # at the finest scale only


def test_preview(engine, film):
    made = film_render.preview(engine, film)
    assert made.frames[0] == 0
    assert made.frames[-1] == film.frames - 1
    assert made.strip.shape == (16, 16 * len(made.frames), 3)
    assert (made.recipes[0], made.recipes[-1]) == (film.keys[0].recipe, film.keys[1].recipe)
    loop = film_render.preview(engine, replace(film, end="loop", easing="even", seeds=(4, 6, 8, 11)))
    assert loop.strip.shape[1] == 32 * len(loop.frames)
    assert len(loop.frames) >= 5


def test_memory_does_not_grow_with_length(engine, film, tmp_path):
    def peak(seconds):
        made = replace(film, keys=tuple(Key(key.recipe) for key in film.keys), step_sec=seconds, size=128, fps=25)
        tracemalloc.start()
        for _ in film_render.render(engine, made, tmp_path / "film.mp4"):
            pass
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return made.frames, most

    peak(1)
    (short, least), (long, most) = peak(2), peak(20)
    assert long == 10 * short
    assert most < least + (1 << 20)  # 450 more frames of 48 KiB are 21 MiB


@pytest.mark.parametrize("suffix", sorted(film_encode.FORMATS))
def test_cancelling_leaves_nothing(engine, film, tmp_path, suffix):
    path = tmp_path / f"film{suffix}"
    long = replace(film, step_sec=400, fps=25)
    jobs = Jobs()
    job = jobs.start(lambda: film_render.render(engine, long, path), "me")
    while job.status.record is None:
        job.wait(0.01)
    jobs.cancel("me")
    assert job.wait(30).state == "cancelled"
    assert not list(tmp_path.iterdir())


def test_a_full_disk_is_told_and_the_old_film_stays(engine, film, tmp_path, monkeypatch):
    (tmp_path / "full").write_text('#!/bin/sh\nhead -c 100000 >/dev/null\necho "av_interleaved_write_frame(): '
                                   'No space left on device" >&2\nexit 1\n')  # fmt: skip
    (tmp_path / "full").chmod(0o755)
    for suffix in film_encode.FORMATS:
        path = tmp_path / f"film{suffix}"
        path.write_text("an older one")
        with monkeypatch.context() as full:
            full.setattr(imageio_ffmpeg, "get_ffmpeg_exe", lambda: str(tmp_path / "full"))

            def no_room(*_, **__):
                raise OSError(errno.ENOSPC, "No space left on device")

            full.setattr(png, "encode", no_room)
            full.setattr(film_encode._Webp, "_chunk", no_room)
            with pytest.raises(DiskFullError, match="No space left"):
                rendered(engine, replace(film, step_sec=10), path)
        assert path.read_text() == "an older one"
        path.unlink()
    assert [path.name for path in tmp_path.iterdir()] == ["full"]


@pytest.mark.parametrize(
    ("name", "changes", "words"),
    [
        ("film.avi", {}, "ends in .mp4, .webp, .gif, .zip, not in .avi"),
        ("film", {}, "not in nothing"),
        ("film.mp4", {"size": 33}, "H.264 takes even sizes only, not 33 × 33"),
        ("film.mp4", {"size": 8}, "from 16 pixels a side"),
        ("film.gif", {"fps": 60}, "at most 50 frames per second, not 60"),
        ("film.zip", {"size": 2000, "seeds": tuple(range(24))}, "12000 × 8000 pixels are too large"),
    ],
)
def test_what_a_format_does_not_take(engine, film, tmp_path, name, changes, words):
    with pytest.raises(InputError, match=re.escape(words)):
        rendered(engine, replace(film, **changes), tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_film_that_does_not_fit_its_model(engine, film, tmp_path):
    edit = Edit(Direction("smile", "ab" * 8), 2.0)
    wrong = replace(film, keys=(film.keys[0], Key(replace(film.keys[1].recipe, edits=(edit,)))))
    with pytest.raises(InputError, match="no direction smile"):
        rendered(engine, wrong, tmp_path / "film.mp4")
    with pytest.raises(InputError, match="is not here"):
        rendered(engine, replace(film, keys=tuple(Key(Recipe("ab" * 16, seed)) for seed in (0, 1))), tmp_path / "a.gif")


NO_FILMS = (
    b"", b"hello", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF\0\0\0\0WEBP", b"\0\0\0\x18ftypmp42", b"PK\x03\x04", b"{}",
    b"\0\0\0\0moov", b"RIFF\0\0\0\0WEBPEXIF\xff\xff\xff\xff",
)  # fmt: skip


@pytest.mark.parametrize("data", NO_FILMS)
def test_files_that_carry_no_film(data):
    with pytest.raises(InputError):
        film_file.read(data)


@pytest.mark.parametrize("suffix", sorted(film_encode.FORMATS))
def test_damaged_films_are_refused_or_read(engine, film, tmp_path, suffix):
    rendered(engine, replace(film, sweep=PsiSweep(), keys=film.keys[:1]), tmp_path / f"film{suffix}")
    data = (tmp_path / f"film{suffix}").read_bytes()
    rng = np.random.RandomState(0)
    for _ in range(60):
        broken = bytearray(data[: rng.randint(1, len(data))] if rng.rand() < 0.5 else data)
        for place in rng.randint(0, len(broken), 8):
            broken[place] = rng.randint(256)
        try:
            film_file.read(bytes(broken))
        except InputError as error:
            assert len(str(error)) < 600  # noqa: PT017  either way is fine, any other error is not


def test_command_line(engine, film, tmp_path, capsys):
    model = tiny_models.make(tmp_path)
    (tmp_path / "film.json").write_text(replace(film, sweep=NoiseSweep(), keys=film.keys[:1]).json)
    arguments = ["film", str(tmp_path / "film.json"), "--model", str(model), "--models", str(tmp_path / "none")]
    assert command.main([*arguments, "--out", str(tmp_path / "film.mp4")]) == 0
    assert "14 frames, 0.7 s of film" in capsys.readouterr().out
    assert len(decoded(tmp_path / "film.mp4")[0]) == 14
    for wrong, words in (
        ([*arguments, "--out", str(tmp_path / "film.avi")], "ends in .mp4"),
        ([*arguments, "--out", str(tmp_path / "none" / "film.mp4")], "there is no such folder"),
        (["film", str(tmp_path / "nothing.json"), "--out", "a.mp4"], "there is no such file"),
        (["film"], "he following arguments are required"),
        ([], "he following arguments are required"),
    ):
        assert command.main(wrong) == 2
        out, err = capsys.readouterr()
        assert words in err
        assert err.count("\n") == 1
        assert not out


def test_encoders_are_ended(engine, film, tmp_path):
    """No process outlives a film that was given up."""
    work = film_render.render(engine, replace(film, step_sec=100), tmp_path / "film.mp4")
    next(work)
    work.close()
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert str(tmp_path) not in listed
