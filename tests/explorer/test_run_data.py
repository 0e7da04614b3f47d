"""What run folders of every condition tell: a state and a sentence, never an exception."""

import json

import pytest
from run_folders import written

from explorer import run_data
from explorer.run_data import RunReader

STARTED = {"event": "started", "kimg": 0.0}
TICK = {"event": "tick", "kimg": 1.5, "lod": 0.25, "resolution": 16, "images_per_sec": 20.0, "remaining_sec": 60.0}


@pytest.mark.parametrize(
    ("events", "state", "words"),
    [
        ([], "new", "It has not begun."),
        ([STARTED, TICK], "failed", "It ended without a word: it was killed, the machine was switched off"),
        (
            [STARTED, TICK, {"event": "failed", "kimg": 1.5, "reason": "No space left"}],
            "failed",
            "No space left. No",
        ),
        ([STARTED, TICK, {"event": "ended", "kimg": 1.5, "reason": "stopped"}], "stopped", "Stopped at 1.5 kimg"),
        ([STARTED, TICK, {"event": "ended", "kimg": 1.5, "reason": "time limit"}], "stopped", "Its time was up at 1.5"),
        ([STARTED, TICK, {"event": "ended", "kimg": 200, "reason": "finished"}], "finished", ""),
    ],
)
def test_how_a_run_ended(tmp_path, events, state, words):
    status = RunReader(written(tmp_path / "a", events)).status()
    assert status.state == state
    assert status.words.startswith(words)
    assert status.total_kimg == 200
    assert status.kimg == (events[-1]["kimg"] if events else 0)
    if len(events) > 1:
        assert (status.size, status.lod, status.images_per_sec) == (16, 0.25, 20.0)
    assert status.remaining_sec is None  # nobody trains


@pytest.mark.parametrize(
    ("config", "words"),
    [("{", "damaged"), ('{"format": 99}', "newer version (format 99): update"), ("[]", "damaged")],
)
def test_a_config_that_cannot_be_read(tmp_path, config, words):
    status = RunReader(written(tmp_path / "a", [STARTED, TICK], config)).status()
    assert status.state == "unreadable"
    assert words in status.words
    assert status.kimg == 1.5


@pytest.mark.parametrize(
    ("process", "output", "state", "words"),
    [
        (
            {"phase": "ended", "code": -9},
            "",
            "failed",
            "It was killed (SIGKILL): by hand, or by the",
        ),
        ({"phase": "ended", "code": -11}, "", "failed", "It was ended from outside (SIGSEGV)."),
        ({"phase": "ended", "code": 2}, "x\nError: The zip is gone.\n", "failed", "The zip is gone."),
        (
            {"phase": "ended", "code": 1},
            "Trace\nKeyError: 3",
            "failed",
            "It ended because of a fault in the",
        ),
        ({"phase": "training"}, "", "failed", "It ended without a word: its processes were killed"),
        ({"phase": "ended", "code": None}, "", "stopped", "Stopped at 1.5 kimg"),  # it left the queue, later
        ({"phase": "ended", "code": 0}, "", "stopped", "Its time was up before the first step"),  # while preparing
        ({"phase": 7, "code": {}}, "", "failed", "It ended without a word"),
    ],
)
def test_how_a_process_of_the_app_ended(tmp_path, process, output, state, words):
    events = [STARTED, TICK, {"event": "ended", "kimg": 1.5, "reason": "stopped"}]
    reader = RunReader(written(tmp_path / "a", events))
    reader.handover.folder.mkdir()
    before = reader.folder.events.stat().st_size
    reader.handover.process.write_text(json.dumps({"events": before, **process}))
    reader.handover.output.write_text(output)
    status = reader.status()
    assert (status.state, status.words[: len(words)]) == (state, words)
    assert "Resuming" in status.words or "resuming" in status.words


def test_a_trainers_own_words_come_before_how_its_process_ended(tmp_path):
    reader = RunReader(written(tmp_path / "a", [STARTED, TICK, {"event": "failed", "kimg": 1.5, "reason": "Diverged"}]))
    reader.handover.folder.mkdir()
    reader.handover.process.write_text(json.dumps({"phase": "ended", "code": 2, "events": 0}))
    assert reader.status().words.startswith("Diverged. No state was stored yet")
    (reader.folder.state / "000000001200").mkdir()
    (reader.folder.state / "000000001200" / "index.json").write_text("{}")
    assert reader.status().words == "Diverged. Resuming goes on from its last state, at 1.2 kimg."


def test_a_full_disk_hides_every_other_reason(tmp_path, monkeypatch):
    monkeypatch.setattr(run_data, "FULL_BYTES", 1 << 62)
    assert RunReader(written(tmp_path / "a", [STARTED, TICK])).status().words.startswith("The disk is full:")


def test_snapshots_samples_and_the_log(tmp_path):
    path = written(tmp_path / "a", [STARTED, TICK])
    for name in ("000000.100", "000001.500", "000001.500.discriminator", "000000.100.discriminator"):
        (path / "snapshots" / f"{name}.safetensors").touch()
    for name in ("000000.100.png", "reals.png"):
        (path / "samples" / name).touch()
    (path / "log.txt").write_text("\n".join(map(str, range(10_000))))
    reader = RunReader(path)
    status = reader.status()
    assert status.snapshots == ("000000.100", "000001.500")
    assert status.samples == ("000000.100",)
    assert status.beginnings == ("000000.100", "000001.500")
    assert reader.log().splitlines()[-1] == "9999"
    assert len(reader.log().splitlines()) <= 200
    (path / "snapshots" / "000001.500.discriminator.safetensors").unlink()
    assert reader.status().beginnings == ("000000.100",)
