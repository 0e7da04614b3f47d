"""Runs as processes: begun, queued, stopped, resumed, killed, deleted; two apps on one folder."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from run_folders import TINY, photos, written

from explorer.runs import Runs, check_name
from stylegan.errors import DiskFullError, InputError, RunError
from stylegan.training import Plan


def until(condition, seconds=150):  # trainers run at the lowest priority
    began = time.monotonic()
    while not (found := condition()):
        assert time.monotonic() - began < seconds
        time.sleep(0.1)
    return found


def trainer(runs, name):
    """The process id of a run's trainer."""
    words = f"--out={(runs.root / name).resolve()}"
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                command = (folder / "cmdline").read_bytes().decode().split("\0")
            except OSError:
                continue
            if words in command:
                return int(folder.name)
    return None


@pytest.fixture
def runs(tmp_path, monkeypatch):
    monkeypatch.setenv("STYLEGAN_CACHE", str(tmp_path / "cache"))
    runs = Runs(tmp_path / "runs", threads=1)
    yield runs
    for status in runs.listing():
        runs.stop(status.name)
    until(lambda: not any(status.state in ("queued", "preparing", "training", "stopping") for status in runs.listing()))


@pytest.fixture
def plan(tmp_path):
    return Plan.of(
        {"data": str(photos(tmp_path / "photos")), "resolution": 16, "preset": "small", "kimg": 1000, **TINY}
    )


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="finds processes by /proc")
def test_a_queue_a_kill_and_a_second_app(runs, plan):
    begun = runs.begin("a", plan, ["--state-minutes=0.0001", "--snapshot-kimg=0.1"])
    assert begun.state in ("queued", "preparing")  # in the queue for a moment
    second = Runs(runs.root, threads=1)
    assert second.begin("b", plan).state == "queued"
    assert second.begin("c", plan).state == "queued"
    assert [status.name for status in runs.listing()] == ["c", "b", "a"]
    assert runs.stop("c").state in ("queued", "stopping", "new")  # it leaves the queue
    until(lambda: runs.status("c").state == "new")
    assert runs.status("c").words == "It left the queue before it began."
    until(lambda: runs.status("a").stored_kimg)
    for act in (runs.resume, runs.delete):
        with pytest.raises(RunError, match="a is running"):
            act("a")
    pid = trainer(runs, "a")
    assert os.getpgid(pid) != os.getpgid(0)
    assert os.getpriority(os.PRIO_PROCESS, pid) == 19
    os.kill(pid, signal.SIGKILL)
    killed = until(lambda: (status := runs.status("a")).state == "failed" and status)
    assert killed.words.startswith("It was killed (SIGKILL)")
    assert f"from its last state, at {killed.stored_kimg:g} kimg" in killed.words
    until(lambda: second.status("b").state == "training")  # its turn
    assert runs.resume("a").state == "queued"
    runs.stop("b")
    until(lambda: runs.status("b").state == "stopped")
    until(lambda: runs.status("a").state == "training")
    until(lambda: any(event["event"] == "resumed" for event in runs.reader("a").events()))
    resumed = next(event for event in runs.reader("a").events() if event["event"] == "resumed")
    assert resumed["kimg"] == killed.stored_kimg
    os.killpg(os.getpgid(trainer(runs, "a")), signal.SIGKILL)  # with the process that watches it
    lost = until(lambda: (status := runs.status("a")).state == "failed" and status)
    assert lost.words.startswith("It ended without a word: its processes were killed")
    runs.delete("c")
    assert {status.name for status in runs.listing()} == {"a", "b"}


def test_a_run_waits_for_one_that_was_started_by_hand(runs, plan):
    import sys

    path = written(runs.root / "by-hand", [])
    code = (
        "import sys; from stylegan.training import RunFolder\n"
        "with RunFolder(sys.argv[1]).locked():\n    print('held', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout.readline() == b"held\n"
        assert runs.status("by-hand").state == "training"
        assert runs.begin("a", plan).state == "queued"
        holder.stdin.close()
    until(lambda: runs.status("a").state in ("preparing", "training"))


def test_data_that_are_gone_are_told_and_the_run_can_be_begun_again(runs, tmp_path):
    (tmp_path / "empty").mkdir()
    runs.begin("a", Plan.of({"data": str(tmp_path / "empty"), "resolution": 16, "preset": "small"}))
    status = until(lambda: (status := runs.status("a")).state == "failed" and status)
    assert "holds no images: put JPEG" in status.words
    photos(tmp_path / "empty", 1)
    assert runs.resume("a").state in ("queued", "preparing")
    until(lambda: runs.status("a").state == "training")  # one picture is enough for that


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a file that is always full")
def test_a_disk_that_fills_ends_a_run_which_goes_on_when_there_is_room(runs, plan):
    runs.begin("a", plan, ["--snapshot-kimg=0.1"])
    log = runs.root / "a" / "log.txt"
    log.symlink_to("/dev/full")
    status = until(lambda: (status := runs.status("a")).state == "failed" and status)
    assert status.words.startswith(f"No space left to write {log.parent}")
    assert "Resuming" in status.words or "resuming" in status.words
    log.unlink()
    runs.resume("a")
    until(lambda: runs.status("a").state == "training")


def test_a_run_that_finds_no_room_to_begin_leaves_its_name_free(runs, plan, monkeypatch):
    from explorer import runs as module

    def full(path, data):
        raise DiskFullError(f"No space left to write {path}: free some and try again.")

    with monkeypatch.context() as patch:
        patch.setattr(module, "write_bytes", full)
        with pytest.raises(DiskFullError, match="No space left"):
            runs.begin("a", plan)
    assert runs.listing() == []
    assert runs.free_name("a") == "a"


def test_names(runs, plan, tmp_path):
    for name in ("", ".", "..", "../a", "a/b", ".hidden", "a" * 61, "a\0", 5, None, "con", " a", "a "):
        with pytest.raises(InputError, match="A run's name is of 1 to 60"):
            check_name(name)
    for name in ("a", "Birds 2", "x.y-z_3", "ä"):
        assert check_name(name) == name
    written(runs.root / "taken", [])
    with pytest.raises(InputError, match="There is a run taken already"):
        runs.begin("taken", plan)
    assert runs.free_name("taken") == "taken-2"
    assert runs.free_name("../my photos!") == "my-photos"
    for name in ("nothing", "../taken", "", None, 5, ".uploads"):
        with pytest.raises(InputError, match="There is no run"):
            runs.status(name)
    (runs.root / "stray").mkdir()
    (runs.root / "file.txt").touch()
    assert [status.name for status in runs.listing()] == ["taken"]
    assert Runs(tmp_path / "no" / "folder").listing() == []


def test_a_finished_run_needs_a_new_length(runs):
    written(runs.root / "a", [{"event": "ended", "kimg": 200.0, "reason": "finished"}])
    with pytest.raises(InputError, match="has trained for 200 kimg: give a larger number"):
        runs.resume("a")
