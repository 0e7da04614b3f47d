"""States on disk: exact, in small files, never half."""

import json
from pathlib import Path

import pytest
import torch
from safetensors import SafetensorError

from stylegan.errors import DiskFullError, RunError
from stylegan.training import state as state_module
from stylegan.training.state import load_state, newest_state, save_state
from stylegan.training.trainer import Trainer
from stylegan.training.world import World

ONE = World(torch.device("cpu"))


@pytest.fixture
def trained(tiny, stripes):
    """`trained(iterations, **overrides)`: a trainer that has taken some steps."""

    def make(iterations=3, **overrides):
        config = tiny(**overrides)
        trainer, data = Trainer(config, ONE), stripes()
        for _ in range(iterations):
            phase = config.phase(trainer.nimg)
            trainer.enter(phase)
            trainer.iteration(*data.batch(trainer.nimg, phase.minibatch, phase.resolution, True), phase)
        return trainer

    return make


def test_everything_comes_back(trained, tmp_path, weights):
    trainer = trained(3, precision="fp16")
    trainer.g_adam.scale.value, trainer.g_adam.scale.good_steps = 64.0, 5
    state = save_state(trainer, tmp_path, 12.5)
    assert state == newest_state(tmp_path) == tmp_path / "000000000024"
    again = Trainer(trainer.config, ONE)
    assert load_state(again, state) == 12.5
    before, after = weights(trainer), weights(again)
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert again.last_lod == trainer.last_lod
    assert again.g_adam.scale == trainer.g_adam.scale


def test_files_are_small_and_large_tensors_are_cut(trained, tmp_path, weights, monkeypatch):
    monkeypatch.setattr(state_module, "PART_BYTES", 20_000)
    monkeypatch.setattr(state_module, "PIECE_BYTES", 512)
    trainer = trained(1)
    state = save_state(trainer, tmp_path, 0.0)
    files = sorted(state.glob("part-*"))
    assert len(files) > 3
    # The header takes some 100 bytes for each of the many pieces here; in earnest 15 MiB leave 1 MiB for it.
    assert max(file.stat().st_size for file in files) < 20_000 * 2
    again = Trainer(trainer.config, ONE)
    load_state(again, state)
    before, after = weights(trainer), weights(again)
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_limits_of_a_part():
    assert state_module.PART_BYTES + (1 << 20) <= 16 << 20
    assert state_module.PIECE_BYTES <= state_module.PART_BYTES


def test_older_states_go_when_a_newer_one_is_whole(trained, tmp_path, monkeypatch):
    trainer = trained(1)
    first = save_state(trainer, tmp_path, 0.0)
    trainer.nimg += 8
    monkeypatch.setattr(state_module, "write_bytes", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):  # killed after the parts, before the index
        save_state(trainer, tmp_path, 0.0)
    assert newest_state(tmp_path) == first
    load_state(Trainer(trainer.config, ONE), first)
    monkeypatch.undo()
    second = save_state(trainer, tmp_path, 0.0)
    assert newest_state(tmp_path) == second
    assert [p.name for p in tmp_path.iterdir()] == [second.name]


def test_a_whole_state_is_not_written_again(trained, tmp_path):
    trainer = trained(1)
    state = save_state(trainer, tmp_path, 1.0)
    stamps = {p.name: p.stat().st_mtime_ns for p in state.iterdir()}
    save_state(trainer, tmp_path, 2.0)
    assert {p.name: p.stat().st_mtime_ns for p in state.iterdir()} == stamps


def test_no_state(tmp_path):
    assert newest_state(tmp_path / "nothing") is None
    (tmp_path / "000000000008").mkdir()
    assert newest_state(tmp_path) is None


def _truncate(state: Path) -> None:
    part = state / "part-001.safetensors"
    part.write_bytes(part.read_bytes()[:-100])


def _change_index(state: Path, **values) -> None:
    index = json.loads((state / "index.json").read_text())
    (state / "index.json").write_text(json.dumps({**index, **values}))


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (_truncate, "damaged"),
        (lambda s: (s / "part-001.safetensors").unlink(), "damaged"),
        (lambda s: (s / "index.json").write_text("{"), "damaged"),
        (lambda s: (s / "index.json").write_text("[]"), "damaged"),
        (lambda s: _change_index(s, parts="many"), "damaged"),
        (lambda s: _change_index(s, trainer={}), "damaged"),
        (lambda s: _change_index(s, format=2), "newer version: update"),
    ],
)
def test_damaged_states_are_told(trained, tmp_path, damage, said):
    trainer = trained(1)
    state = save_state(trainer, tmp_path, 0.0)
    damage(state)
    with pytest.raises(RunError, match=said) as caught:
        load_state(Trainer(trainer.config, ONE), state)
    assert str(state) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_state_of_another_config(trained, tiny, tmp_path):
    state = save_state(trained(1), tmp_path, 0.0)
    with pytest.raises(RunError, match="belongs to another config"):
        load_state(Trainer(tiny(resolution=32), ONE), state)


def test_a_full_disk_leaves_the_last_state(trained, tmp_path, monkeypatch):
    trainer = trained(1)
    first = save_state(trainer, tmp_path, 0.0)
    trainer.nimg += 8

    def full(*_):
        raise SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")

    monkeypatch.setattr(state_module, "save_file", full)
    with pytest.raises(DiskFullError, match="No space left"):
        save_state(trainer, tmp_path, 0.0)
    assert newest_state(tmp_path) == first
