"""The run folder: facts, events, lock; half-written, damaged and newer ones."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from stylegan.errors import RunError
from stylegan.training import run_folder
from stylegan.training.run_folder import Events, RunFacts, RunFolder, kimg_name, read_events


@pytest.fixture
def facts(tiny):
    return RunFacts(tiny(), {"name": "stripes", "digest": "d"}, {"data": "stripes", "lr": 0.1})


@pytest.fixture
def folder(tmp_path, facts):
    folder = RunFolder(tmp_path / "runs" / "a")
    folder.create(facts)
    return folder


def test_facts_come_back(folder, facts):
    assert folder.exists
    assert folder.read_facts() == facts
    assert sorted(p.name for p in folder.path.iterdir()) == ["config.json", "samples", "snapshots", "state"]


def test_a_folder_in_use_is_not_taken(folder, facts, tmp_path):
    with pytest.raises(RunError, match="already holds a run: give --resume"):
        folder.create(facts)
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="is a file: a run needs a folder of its own"):
        RunFolder(tmp_path / "file").create(facts)
    with pytest.raises(RunError, match="cannot be used for a run"):
        RunFolder(tmp_path / "file" / "below").create(facts)


def test_a_half_made_folder_can_be_used(tmp_path, facts):
    (tmp_path / "run" / "state").mkdir(parents=True)
    (tmp_path / "run" / "lock").touch()
    folder = RunFolder(tmp_path / "run")
    assert not folder.exists
    folder.create(facts)
    assert folder.read_facts() == facts


def test_a_folder_that_cannot_be_written(tmp_path, facts, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied", str(tmp_path))

    monkeypatch.setattr(Path, "mkdir", refuse)
    folder = RunFolder(tmp_path / "run")
    with pytest.raises(RunError, match=r"run cannot be used for a run \(Permission denied\)"):
        folder.create(facts)
    with pytest.raises(RunError, match="cannot be used"), folder.locked():
        pass


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "damaged"),
        ("{", "damaged"),
        ("[]", "damaged"),
        ('{"format": 1}', "damaged"),
        ('{"format": 1, "train": {"seed": -1}, "data": {}}', "damaged"),
        ('{"format": 1, "train": {}, "data": 3}', "damaged"),
        ('{"format": 2}', r"newer version \(format 2\): update"),
    ],
)
def test_a_config_that_cannot_be_read(folder, content, said):
    (folder.path / "config.json").write_text(content)
    with pytest.raises(RunError, match=said):
        folder.read_facts()


def test_no_run_at_all(tmp_path):
    with pytest.raises(RunError, match="There is no training run in"):
        RunFolder(tmp_path / "nothing").read_facts()
    assert not RunFolder(tmp_path / "nothing").is_running()
    assert RunFolder(tmp_path / "nothing").snapshots() == RunFolder(tmp_path / "nothing").samples() == []
    assert read_events(tmp_path / "nothing" / "events.jsonl") == []


def test_a_folder_of_the_first_version_has_no_plan(folder, facts):
    content = json.loads((folder.path / "config.json").read_text())
    del content["plan"]
    (folder.path / "config.json").write_text(json.dumps(content))
    assert folder.read_facts() == RunFacts(facts.config, facts.data, {})


def test_events_survive_damage(folder):
    folder.append("started", 0, 0)
    folder.append("tick", 1.00049, 5.5, lod=2.0)
    with open(folder.events, "ab") as file:
        file.write(b'{"event": "tick", "kimg": 2, "se')  # cut short by a kill
    folder.append("tick", 2, 9, lod=1.5)
    with open(folder.events, "ab") as file:
        file.write(b"\n\xff\xfe\n[]\n3\n" + b"[" * 100_000 + b'\n{"event": 5, "kimg": 1, "sec": 1}\n')
        file.write(b'{"event": "tick", "kimg": "x", "sec": 1}\n{"event": "tick", "kimg": NaN, "sec": 1}\n')
    folder.append("ended", 3, 10)
    events = read_events(folder.events)
    assert [(e["event"], e["kimg"]) for e in events] == [("started", 0), ("tick", 1.0), ("tick", 2), ("ended", 3)]
    assert events[1]["lod"] == 2.0


@pytest.mark.parametrize(("name", "kimg"), [("resumed", 1.0), ("started", 0.0)])
def test_events_that_a_later_attempt_overtook_are_left_out(folder, name, kimg):
    folder.append("started", 0, 0)
    for at in (0.5, 1, 1.5):
        folder.append("tick", at, at, attempt=1)
    folder.append("failed", 1.5, 2, attempt=1)
    folder.append(name, kimg, 2)
    folder.append("tick", 1.2, 3, attempt=2)
    events = read_events(folder.events)
    assert [e["kimg"] for e in events if e.get("attempt") == 1] == [at for at in (0.5, 1) if at <= kimg]
    assert [e["kimg"] for e in events if e.get("attempt") == 2] == [1.2]


def test_events_are_read_on_from_where_they_were(folder):
    """Each look finds what reading the whole file finds, whatever was cut, overtaken or replaced in between."""
    log = Events(folder.events)
    assert log.read() == []

    def look():
        assert log.read() == read_events(folder.events)
        return [event["kimg"] for event in log.read()]

    folder.append("started", 0, 0)
    assert look() == [0]
    with open(folder.events, "ab") as file:
        file.write(b'{"event": "tick", "kimg": 1, "se')
    assert look() == [0]
    with open(folder.events, "ab") as file:
        file.write(b'c": 1}')
    assert look() == [0, 1]  # whole, though its line has not ended
    folder.append("tick", 2, 2)
    assert look() == [0, 1, 2]
    folder.append("resumed", 1, 2)
    assert look() == [0, 1, 1]
    whole = folder.events.read_bytes()
    folder.events.write_bytes(whole.replace(b'"kimg": 0', b'"kimg": 7') + whole)
    assert look() == [0, 1, 1]  # started again at 0
    folder.events.write_bytes(whole.splitlines()[0])
    assert look() == [0]
    folder.events.unlink()
    assert look() == []


def test_an_event_that_is_not_finite_is_a_fault_of_the_program(folder):
    with pytest.raises(ValueError, match="not JSON compliant"):
        folder.append("tick", 1, 1, loss=float("nan"))


def test_one_process_at_a_time(folder, monkeypatch):
    monkeypatch.setattr(run_folder, "LOCK_SEC", 0.1)
    code = (
        "import sys, time; from stylegan.training.run_folder import RunFolder\n"
        "with RunFolder(sys.argv[1]).locked():\n    print('held', flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", code, str(folder.path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env={**os.environ, "OMP_NUM_THREADS": "1"}) as process:
        try:
            assert process.stdout.readline() == b"held\n"
            assert folder.is_running()
            with pytest.raises(RunError, match="Another process is training in"), folder.locked():
                pass
        finally:
            process.kill()  # the system lets the lock go
    assert not folder.is_running()
    with folder.locked():
        pass


def test_looking_does_not_get_in_the_way(folder):
    """Whoever asks whether a run goes on holds the lock for a moment, which a trainer waits for."""
    with folder.locked():
        pass
    with open(folder.path / "lock", "rb") as file:
        assert run_folder.try_lock(file, shared=True)
        assert not folder.is_running()  # two that look
        import threading

        threading.Timer(0.2, file.close).start()
        with folder.locked():
            assert file.closed


def test_names_sort_by_kimg():
    names = [kimg_name(n) for n in (0, 999, 1000, 12_345_678, 25_000_000)]
    assert names == sorted(names)
    assert names[3] == "012345.678"
