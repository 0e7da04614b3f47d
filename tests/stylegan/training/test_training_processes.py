"""Several processes: the steps of one, one writer, a common end, another number of them on resuming."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from processes_worker import Means, gradients, path_length, take_steps
from safetensors.torch import load_file
from tiny_runs import Stripes
from typer.testing import CliRunner

import stylegan
from stylegan.cli.app import app
from stylegan.directions.records import finish
from stylegan.metrics.measure import Plan, Tools, measure
from stylegan.metrics.pictures import of_training
from stylegan.metrics.sharing import Share
from stylegan.training.run_folder import RunFolder, read_events
from stylegan.training.state import newest_state
from stylegan.training.trainer import Trainer
from stylegan.training.world import World

pytestmark = pytest.mark.skipif(not torch.distributed.is_gloo_available(), reason="this PyTorch has no gloo")

ROOT = Path(stylegan.__file__).parents[1]
HERE = Path(__file__).parent
WAIT_SEC = 120


def _env(**values):
    return {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": f"{ROOT}{os.pathsep}{HERE}", **values}


def _workers(folder, task, count=2):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    command = [sys.executable, str(HERE / "processes_worker.py"), str(folder), task]
    where = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "WORLD_SIZE": str(count)}
    return [
        subprocess.Popen(command, env=_env(**where, RANK=str(rank)), stderr=subprocess.PIPE, text=True)
        for rank in range(count)
    ]


def _finish(processes):
    try:
        for process in processes:
            stderr = process.communicate(timeout=WAIT_SEC)[1]
            assert process.returncode == 0, stderr
    finally:
        for process in processes:
            process.kill()


def test_two_processes_take_the_steps_of_one(tmp_path):
    """Minibatch-std groups stay inside a process, so the one process has to work in two parts."""
    processes = _workers(tmp_path, "steps")
    single = take_steps(World(torch.device("cpu")), microbatch=4)
    _finish(processes)
    first, second = (load_file(tmp_path / f"weights-{rank}.safetensors") for rank in range(2))
    assert first.keys() == second.keys() == single.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)
    errors = torch.cat([(first[name] - single[name]).abs().flatten() for name in single])
    # Sums in another order; Adam with β₁ = 0 steps by the sign, so entries without a gradient may part.
    assert errors.median() < 1e-7
    assert errors.quantile(0.99) < 1e-4
    assert errors.max() < 6 * 2 * 0.001
    ours, theirs = gradients(World(torch.device("cpu"))), load_file(tmp_path / "gradients-1.safetensors")
    assert ours.keys() == theirs.keys()  # layers at rest have none in either
    for name, gradient in ours.items():
        assert (gradient - theirs[name]).abs().max() <= 1e-5 * gradient.abs().max() + 1e-7, name


def test_a_fault_in_one_process_ends_the_other(tmp_path):
    _finish(_workers(tmp_path, "fail"))
    assert (tmp_path / "told-1.txt").read_text() == "cut short"
    assert (tmp_path / "told-0.txt").read_text().startswith("Another process of this run ended")
    assert read_events(tmp_path / "run" / "events.jsonl")[-1]["event"] == "failed"


def test_two_processes_measure_what_one_does(tmp_path):
    """To the last digit, where both start from the same weights; and a fault in one process is told by all."""
    processes = _workers(tmp_path, "metrics")
    _finish(processes)
    found = [e for e in read_events(tmp_path / "run" / "events.jsonl") if e["event"] == "metrics"]
    assert [set(e["values"]) for e in found] == [{"frechet", "kid", "precision", "recall"}]
    G = stylegan.load(RunFolder(tmp_path / "run").snapshots()[-1])
    tools = Tools(Means(), cache=tmp_path / "cache-1")
    plan = Plan(("fid", "kid", "pr"), 600)
    alone = finish(measure(G, of_training(Stripes()), plan, tools))
    assert [item.value for item in alone] == list(found[0]["values"].values())
    fresh = Trainer(RunFolder(tmp_path / "run").read_facts().config, World(torch.device("cpu"))).Gs
    lengths = {(tmp_path / f"path-{rank}.txt").read_text() for rank in range(2)}
    assert lengths == {repr(path_length(fresh, Share()))}
    told = read_events(tmp_path / "broken" / "events.jsonl")
    assert told[-1]["reason"] == "finished"
    assert [e["failed"] for e in told if e["event"] == "metrics"] == [
        "Another process could not go on measuring: its own message says why."
    ]


def _torchrun(tmp_path, *options):
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "-m", "stylegan"]
    command += ["train", f"--out={tmp_path / 'run'}", "--threads=1", "--device=cpu", *options]
    env = _env(STYLEGAN_CACHE=str(tmp_path / "cache"))
    return subprocess.Popen(command, env=env, cwd=ROOT, stderr=subprocess.PIPE, text=True, start_new_session=True)


def _rank_1_of(pid):
    """The process that torchrun started as rank 1."""
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        if b"\0RANK=1\0" in Path(f"/proc/{child}/environ").read_bytes():
            return int(child)
    raise AssertionError("no such process")


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks into /proc for the processes")
def test_torchrun_from_begin_to_a_signal_in_one_process_to_another_number(tmp_path):
    (tmp_path / "photos").mkdir()
    for i in range(12):
        picture = np.random.default_rng(i).integers(0, 256, (16, 16, 3), dtype=np.uint8)
        Image.fromarray(picture).save(tmp_path / "photos" / f"{i}.png")
    options = ["--preset=small", "--resolution=16", "--fmap-base=64", "--fmap-max=8", "--z-dim=8", "--w-dim=8"]
    options += ["--mapping-layers=2", "--minibatch=8", "--set=mapping_fmaps=8", "--kimg=1000"]
    events = tmp_path / "run" / "events.jsonl"
    with _torchrun(tmp_path, f"--data={tmp_path / 'photos'}", *options) as process:
        try:
            deadline = time.monotonic() + WAIT_SEC
            while not read_events(events):
                assert process.poll() is None, process.stderr.read()
                assert time.monotonic() < deadline
                time.sleep(0.05)
            time.sleep(0.3)
            os.kill(_rank_1_of(process.pid), signal.SIGTERM)
            stderr = process.communicate(timeout=WAIT_SEC)[1]
        finally:
            process.kill()
    assert process.returncode == 0, stderr
    told = read_events(events)
    assert (told[0]["event"], told[0]["processes"]) == ("started", 2)
    assert (told[-1]["event"], told[-1]["reason"]) == ("ended", "stopped")
    assert [e["event"] for e in told].count("started") == 1  # one of the two writes
    state = newest_state(tmp_path / "run" / "state")

    alone = ["train", f"--out={tmp_path / 'run'}", "--resume", "--time-limit=0", "--threads=1", "--device=cpu"]
    result = CliRunner().invoke(app, alone, env={"STYLEGAN_CACHE": str(tmp_path / "cache")})
    assert result.exit_code == 0, result.output
    resumed = next(e for e in read_events(events) if e["event"] == "resumed")
    assert (resumed["processes"], round(resumed["kimg"] * 1000)) == (1, int(state.name))
    assert RunFolder(tmp_path / "run").read_facts().config.minibatch_base == 8
