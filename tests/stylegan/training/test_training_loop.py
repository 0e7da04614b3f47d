"""Runs from beginning to end: stopped, resumed exactly, ended by a clock, a file, a full disk, NaN, lost pictures."""

import errno
import json
import math
import time

import pytest
import torch
from PIL import Image

import stylegan
from stylegan.errors import DataError, DiskFullError, DivergedError, RunError
from stylegan.training import loop, samples, state
from stylegan.training.loop import Ended, Options, Snapshot, Started, run
from stylegan.training.meter import Tick
from stylegan.training.run_folder import RunFacts, RunFolder, read_events
from stylegan.training.trainer import Trainer
from stylegan.training.world import World

ONE = World(torch.device("cpu"))
OFTEN = Options(tick_sec=0.0, snapshot_kimg=0.1, state_sec=0.0)
SELDOM = Options(snapshot_kimg=100.0)


@pytest.fixture
def start(tmp_path, stripes):
    """`start(config, name)`: a run folder, its trainer, and a function that goes on with it."""

    def make(config, name="run", data=None):
        folder, trainer = RunFolder(tmp_path / name), Trainer(config, ONE)
        if not folder.exists:
            folder.create(RunFacts(config, {}, {}))
        data = data or stripes(config.generator.resolution, config.generator.label_dim)

        def go(options=OFTEN, should_stop=lambda: False):
            return list(run(folder, trainer, data, options, should_stop))

        return folder, trainer, go

    return make


def _after(rounds):
    """A wish to stop that comes after some rounds."""
    calls = []
    return lambda: calls.append(0) or len(calls) > rounds


VARIANTS = {
    "plain": {},
    "lazy R1": {"r1_interval": 3},
    "parts": {"microbatch": 4},
    "WGAN-GP": {"loss": "wgan-gp"},
    "classes": {"label_dim": 3},
    "ramp": {"ema_rampup": 0.1},
    "fp16": {"precision": "fp16"},
}


@pytest.mark.parametrize("name", VARIANTS)
def test_stop_and_resume_equals_straight_through(tiny, start, weights, name):
    """Bit for bit: at stops before, within and after the fade from 8² to 16² (images 60 to 120)."""
    config = tiny(total_kimg=0.16, **VARIANTS[name])
    _, straight, go = start(config, "straight")
    go(SELDOM)
    stops = []
    for rounds in (2, 3, 1, 100):
        _, stopped, go = start(config, "stopped")
        *_, ended = go(SELDOM, should_stop=_after(rounds))
        stops.append((ended.reason, stopped.last_lod))
    assert [reason for reason, _ in stops] == ["stopped"] * 3 + ["finished"]
    assert any(lod % 1 for _, lod in stops[:-1])  # one stop lay within the fade
    one, other = weights(straight), weights(stopped)
    assert one.keys() == other.keys()
    assert all(torch.equal(one[key], other[key]) for key in one)


def test_killed_after_any_record_a_run_goes_on_from_its_last_state(tiny, start, stripes, weights):
    config = tiny(total_kimg=0.08)
    _, straight, go = start(config, "straight")
    go(SELDOM)
    wanted = weights(straight)
    folder, trainer, _ = start(config, "killed")
    for records in (3, 1, 4):
        session = run(folder, trainer, stripes(), OFTEN)
        for _ in range(records):
            next(session)  # and then nothing more happens, as after SIGKILL
        trainer = start(config, "killed")[1]
    _, again, go = start(config, "killed")
    assert go(SELDOM)[0].resumed
    found = weights(again)
    assert all(torch.equal(wanted[key], found[key]) for key in wanted)


def test_records_events_and_files_of_a_run(tiny, start):
    config = tiny()
    folder, _trainer, go = start(config)
    records = go()
    assert records[0] == Started(0.0, resumed=False)
    assert records[-1] == Ended(0.24, "finished")
    ticks = [r for r in records if isinstance(r, Tick)]
    shots = [r for r in records if isinstance(r, Snapshot)]
    assert [round(t.kimg * 1000) for t in ticks] == list(range(16, 241, 16))
    assert [s.kimg for s in shots] == [0.112, 0.208, 0.24]  # the first round at or past each 0.1 kimg, and the end
    assert all(t.is_sound and t.images_per_sec > 0 and t.remaining_sec >= 0 for t in ticks)
    assert (ticks[0].lod, ticks[0].resolution, ticks[-1].lod, ticks[-1].resolution) == (1.0, 8, 0.0, 16)
    assert any(0 < t.lod < 1 and t.resolution == 16 for t in ticks)
    assert ticks[-1].remaining_sec == 0

    events = read_events(folder.events)
    assert [e["event"] for e in events if e["event"] not in ("tick", "snapshot")] == ["started", "ended"]
    told = [e for e in events if e["event"] == "tick"]
    wanted = {"generator_loss", "discriminator_loss", "penalty", "real_score", "fake_score", "lod", "resolution"}
    wanted |= {"images_per_sec", "peak_memory_mib", "kimg", "sec", "learning_rate", "remaining_sec", "skipped"}
    assert all(wanted <= set(e) for e in told)
    assert [e["kimg"] for e in told] == [t.kimg for t in ticks]
    assert events[-1]["reason"] == "finished"
    assert (folder.path / "log.txt").read_text().count("\n") == 2

    assert [p.name for p in folder.snapshots()] == [f"{k:010.3f}.safetensors" for k in (0.112, 0.208, 0.24)]
    assert [p.name for p in folder.samples()] == [f"{k:010.3f}.png" for k in (0.112, 0.208, 0.24)]
    with Image.open(folder.samples()[0]) as image:
        assert image.size == (8 * 16, 4 * 16)
    assert (folder.path / "samples" / "reals.png").exists()
    assert not list(folder.path.rglob("*.tmp"))


def test_snapshots_open_as_models_and_as_a_beginning(tiny, start):
    folder, trainer, go = start(tiny())
    go()
    newest = folder.snapshots()[-1]
    G = stylegan.load(newest)
    assert all(
        torch.equal(a, b) for a, b in zip(G.state_dict().values(), trainer.Gs.state_dict().values(), strict=True)
    )
    assert G.lod == 0
    assert G.about.name == "run"
    assert G.about.training["kimg"] == 0.24
    assert G.about.training["data"] == "stripes"
    assert stylegan.load(folder.snapshots()[0]).lod > 0  # it was still fading then
    pairs = [(path, path.with_name(f"{path.stem}.discriminator.safetensors")) for path in folder.snapshots()]
    assert len(pairs) > 1
    assert all(stylegan.load(g).lod == stylegan.load_discriminator(d).lod for g, d in pairs)
    D = stylegan.load_discriminator(pairs[-1][1])
    assert torch.equal(D.dense1.weight, trainer.D.dense1.weight)
    early = stylegan.load_discriminator(pairs[0][1])
    assert not torch.equal(early.dense1.weight, D.dense1.weight)  # as it was then


def test_a_clock_ends_a_run(tiny, start):
    folder, trainer, go = start(tiny(total_kimg=100))
    options = Options(deadline=time.monotonic() + 0.3, tick_sec=0.1)
    records = go(options)
    assert records[-1].reason == "time limit"
    assert trainer.nimg > 0
    assert state.newest_state(folder.state).name == f"{trainer.nimg:012d}"
    assert folder.snapshots()


def test_a_deadline_in_the_past_trains_nothing(tiny, start):
    folder, trainer, go = start(tiny())
    assert [type(r) for r in go(Options(deadline=0.0))] == [Started, Ended]
    assert trainer.nimg == 0
    assert not folder.snapshots()


def test_the_stop_file_ends_a_run_and_a_stale_one_does_not(tiny, start):
    folder, trainer, go = start(tiny())
    folder.stop.touch()  # left from an earlier time
    (folder.path / "snapshots" / ".000000.016.safetensors.abc.tmp").touch()  # left by a kill
    asks = _after(3)

    def touch():
        if asks():
            folder.stop.touch()
        return False

    records = go(should_stop=touch)
    assert records[-1].reason == "stopped"
    assert trainer.nimg == 3 * 16
    assert not folder.stop.exists()
    assert not list(folder.path.rglob("*.tmp"))


def test_a_finished_run_ends_at_once_and_can_be_made_longer(tiny, start):
    config = tiny(total_kimg=0.04)
    folder, _, go = start(config)
    go()
    before = {p: p.stat().st_mtime_ns for p in folder.path.rglob("*") if p.suffix in (".safetensors", ".png")}
    _, again, go = start(config)
    assert [type(r) for r in go()] == [Started, Ended]
    assert again.nimg == 48
    assert {p: p.stat().st_mtime_ns for p in before} == before
    _, longer, go = start(tiny(total_kimg=0.09))
    go()
    assert longer.nimg == 96


def test_events_after_a_kill_are_those_of_the_path_that_counts(tiny, start):
    folder, _trainer, go = start(tiny())
    go(should_stop=_after(3))  # a state at 48 images
    folder.append("tick", 0.064, 9.0, note="lost")  # what was told before the kill, and never stored
    _, _, go = start(tiny())
    go(should_stop=_after(1))
    events = read_events(folder.events)
    assert not any("note" in e for e in events)
    assert [e["event"] for e in events if e["event"] not in ("tick", "snapshot")] == [
        "started",
        "ended",
        "resumed",
        "ended",
    ]
    kimgs = [e["kimg"] for e in events]
    assert kimgs == sorted(kimgs)


def _failed(folder):
    events = read_events(folder.events)
    assert [e["event"] for e in events][-1] == "failed"
    assert "failed: " in (folder.path / "log.txt").read_text()
    return events[-1]["reason"]


def test_pictures_that_cannot_be_read_any_more(tiny, start, stripes):
    data = stripes()
    data.error, data.fails_at = DataError("The cache file x was cut short: delete it."), 40
    folder, _trainer, go = start(tiny(), data=data)
    with pytest.raises(DataError, match="cut short"):
        go()
    assert _failed(folder) == "The cache file x was cut short: delete it."
    assert state.newest_state(folder.state) is not None
    data.error = None
    _, _again, go = start(tiny(), data=data)
    assert go()[-1].reason == "finished"


@pytest.mark.parametrize("what", ["state", "snapshot", "grid", "events"])
def test_a_full_disk(tiny, start, monkeypatch, what):
    folder, _trainer, go = start(tiny())
    go(should_stop=_after(2))
    whole = state.newest_state(folder.state)

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    if what == "state":
        monkeypatch.setattr(state, "save_file", full)
    elif what == "snapshot":
        monkeypatch.setattr("stylegan.model_file.save_file", full)
    elif what == "grid":
        monkeypatch.setattr(samples.Image.Image, "save", full)
    else:
        monkeypatch.setattr(json, "dumps", full)
    _, _, go = start(tiny())
    with pytest.raises(DiskFullError, match=r"No space left to write .*: free some and try again\."):
        go()
    monkeypatch.undo()
    if what != "events":
        assert "No space left" in _failed(folder)
    resumable = state.newest_state(folder.state)
    assert resumable is not None
    assert resumable >= whole
    assert not list(folder.path.rglob("*.tmp"))
    _, _, go = start(tiny())
    assert go()[-1].reason == "finished"


def test_losses_that_are_no_longer_finite(tiny, start, weights):
    folder, trainer, go = start(tiny())
    go(should_stop=_after(2))
    kept = weights(trainer)
    _, broken, go = start(tiny())
    inner = broken.forward.generator_loss
    broken.forward.generator_loss = lambda *args: inner(*args)._replace(loss=torch.tensor(math.nan, requires_grad=True))
    with pytest.raises(DivergedError, match=r"stopped being finite at 0\.0 kimg.*--lr.*--precision fp32"):
        go()
    assert "stopped being finite" in _failed(folder)
    again = start(tiny())[1]
    state.load_state(again, state.newest_state(folder.state))
    restored = weights(again)
    assert all(torch.equal(kept[key], restored[key]) for key in kept)  # nothing of it was stored


def test_memory_that_runs_out(tiny, start):
    for error, said in (
        (torch.OutOfMemoryError("CUDA out of memory. Tried …"), "The GPU's memory is full"),
        (RuntimeError("[enforce fail at alloc_cpu.cpp:118] DefaultCPUAllocator: can't allocate memory"), "machine's"),
        (MemoryError(), "machine's"),
    ):
        folder, trainer, go = start(tiny(), said[:9])

        def fails(*_, error=error):
            raise error

        trainer.iteration = fails
        with pytest.raises(RunError, match=said):
            go()
        assert "--microbatch" in _failed(folder)


def test_a_fault_of_the_program_is_noted_with_its_trace(tiny, start):
    folder, trainer, go = start(tiny())

    def fails(*_):
        raise ZeroDivisionError("oops")

    trainer.iteration = fails
    with pytest.raises(ZeroDivisionError):
        go()
    assert _failed(folder) == "ZeroDivisionError: oops"
    assert "Traceback" in (folder.path / "log.txt").read_text()


def test_a_damaged_state_is_told(tiny, start):
    folder, _, go = start(tiny())
    go(should_stop=_after(1))
    part = state.newest_state(folder.state) / "part-001.safetensors"
    part.write_bytes(part.read_bytes()[:50])
    _, _, go = start(tiny())
    with pytest.raises(RunError, match="is damaged"):
        go()
    assert "is damaged" in _failed(folder)


def test_ticks_become_rarer_in_long_runs(tiny, start):
    _, trainer, _ = start(tiny())
    session = loop._Session(start(tiny())[0], trainer, None, Options())
    for sec, interval in ((0, 5), (4000, 5), (20_000, 20), (10**6, 60)):
        session.earlier_sec = float(sec)
        for age, due in ((interval - 1, False), (interval + 1, True)):
            session.meter._began = time.monotonic() - age
            assert session._agree(lambda: False)[1] is due, (sec, age)


def test_snapshots_are_a_share_of_the_run_unless_told(tiny, start):
    _, trainer, _ = start(tiny(total_kimg=1000))
    session = loop._Session(start(tiny())[0], trainer, None, Options())
    session._plan_snapshot()
    assert session.next_snapshot_nimg == 20_000
    trainer.nimg = 30_001
    session._plan_snapshot()
    assert session.next_snapshot_nimg == 40_000
