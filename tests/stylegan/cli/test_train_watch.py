"""What `python -m stylegan train` shows meanwhile: the live line, on a terminal and without one."""

import io

import pytest

from stylegan.cli import watch
from stylegan.data.records import Progress
from stylegan.training.loop import Ended, Started
from stylegan.training.meter import Tick
from stylegan.training.presets import preset


def _tick(**values):
    plain = {"kimg": 12.34, "sec": 60.0, "iterations": 10, "lod": 1.25, "resolution": 32, "minibatch": 8}
    plain |= {"learning_rate": 0.001, "generator_loss": 0.7, "discriminator_loss": 1.2, "penalty": 0.03, "skipped": 0}
    plain |= {"real_score": 0.5, "fake_score": -0.5, "images_per_sec": 40.0, "peak_memory_mib": 1.0}
    return Tick(**{**plain, "remaining_sec": 3725.0, **values})


def test_the_live_line():
    config = preset("small", 64)
    line = watch.tick_line(_tick(), config)
    assert line.startswith("12.3/200 kimg  1 h 02 min left  32² (75% in)  40.0 img/s  G 0.700  D 1.200  R1 0.03")
    assert "skipped" not in line
    odd = watch.tick_line(_tick(lod=0.0, penalty=None, generator_loss=None, skipped=3), config)
    assert "32²  " in odd
    assert "R1" not in odd
    assert "G –" in odd
    assert odd.endswith("3 steps skipped")


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0 s"), (59.9, "59 s"), (60, "1 min"), (3725, "1 h 02 min"), (200_000, "2 d 7 h")]
)
def test_durations_for_people(seconds, text):
    assert watch.duration(seconds) == text


def test_a_terminal_sees_one_line_that_changes(monkeypatch):
    screen = io.StringIO()
    shown = watch.Watch()
    monkeypatch.setattr(shown, "_on_terminal", True)
    shown.console.file, shown.console.width = screen, 60
    with shown:
        shown.follow(iter([Started(0.0, False), _tick(), _tick(kimg=13.0)]), preset("small", 64))
    lines = screen.getvalue().split("\n")
    assert lines[0] == "started"
    assert [part[:12] for part in lines[1].split("\r")] == ["", "12.3/200 kim", "13.0/200 kim"]
    assert all(len(part) < 60 for part in lines[1].split("\r"))
    assert lines[2] == ""  # whatever comes next begins a line of its own
    with shown:
        shown.follow(iter([_tick(), Ended(200.0, "finished")]), preset("small", 64))
    assert screen.getvalue().endswith("\nfinished at 200.0 kimg\n")


def test_a_process_that_does_not_write_is_silent(capsys):
    quiet = watch.Watch(active=False)
    with quiet:
        quiet.follow(iter([Started(0.0, False), _tick()]), preset("small", 64))
    assert capsys.readouterr() == ("", "")


def test_long_preparing_is_told_line_by_line_where_there_is_no_terminal(monkeypatch, capsys):
    def steps(*_, **__):
        yield Progress("hashing", 0, 0)
        yield Progress("building", 64, 128)
        return object()

    monkeypatch.setattr(watch, "prepare", steps)
    watch.Watch().prepare("photos", 32)
    assert capsys.readouterr().err == ""  # quick
    monkeypatch.setattr(watch, "PREPARING_SEC", 0.0)
    watch.Watch().prepare("photos", 32)
    assert capsys.readouterr().err == "hashing\nbuilding 64 of 128\n"
