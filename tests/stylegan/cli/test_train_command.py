"""`python -m stylegan train`: from options to a run, bad input to one line, signals and kills."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

import stylegan
from stylegan.cli import train as train_module
from stylegan.cli import watch
from stylegan.cli.app import app
from stylegan.errors import InputError
from stylegan.training.config import TrainConfig
from stylegan.training.plan import OPTIONS, Plan
from stylegan.training.presets import preset
from stylegan.training.run_folder import RunFolder, read_events
from stylegan.training.state import newest_state
from stylegan.training.trainer import Trainer

TINY = ["--preset=small", "--resolution=16", "--fmap-base=64", "--fmap-max=8", "--z-dim=8", "--w-dim=8"]
TINY += ["--mapping-layers=2", "--minibatch=8", "--set=mapping_fmaps=8", "--threads=1"]


@pytest.fixture
def photos(tmp_path, monkeypatch):
    """A folder with 12 small pictures in two subfolders; prepared ones are kept beside it."""
    monkeypatch.setenv("STYLEGAN_CACHE", str(tmp_path / "cache"))
    rng = np.random.default_rng(0)
    for i in range(12):
        path = tmp_path / "photos" / "ab"[i % 2] / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (20 + i, 18, 3), dtype=np.uint8)).save(path)
    return tmp_path / "photos"


def _train(*arguments, env=None):
    return CliRunner().invoke(app, ["train", *map(str, arguments)], env=env)


def _failed(result, said):
    assert result.exit_code == 2, result.output
    assert result.stderr.startswith("Error: ")
    assert said in result.stderr
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""


def test_a_run_is_trained_stopped_and_resumed(photos, tmp_path):
    out = tmp_path / "runs" / "first"
    first = _train("--data", photos, "--out", out, *TINY, "--kimg=0.1", "--time-limit=0.01s")
    assert first.exit_code == 0, first.output
    assert "started" in first.stderr
    assert "time limit at" in first.stderr
    assert first.stdout == ""
    again = _train("--out", out, "--resume", "--threads=1")  # all else is in the folder
    assert again.exit_code == 0, again.output
    assert "finished at 0.1 kimg" in again.stderr
    facts = RunFolder(out).read_facts()
    assert facts.config.generator.label_dim == 2
    assert facts.config.minibatch_base == 8
    assert (facts.data["name"], facts.plan["data"]) == ("photos", str(photos))
    G = stylegan.load(RunFolder(out).snapshots()[-1])
    assert (G.config.label_dim, G.config.z_dim, G.about.name) == (2, 8, "first")
    assert [e["event"] for e in read_events(out / "events.jsonl") if e["event"] in ("started", "ended")][-1] == "ended"


def test_a_time_limit_ends_preparing_too_and_the_same_command_goes_on(photos, tmp_path, monkeypatch):
    asked = []
    prepared = watch.prepare

    def slowly(*arguments, **options):
        steps = prepared(*arguments, **options)
        while True:
            try:
                step = next(steps)
            except StopIteration as end:
                return end.value
            asked.append(step)
            yield step

    monkeypatch.setattr(watch, "prepare", slowly)
    monkeypatch.setattr(train_module, "QUICK_SEC", 0.0)
    command = ["--data", photos, "--out", tmp_path / "run", *TINY, "--kimg=0.05", "--resume"]
    ended = _train(*command, "--time-limit=0")
    assert ended.exit_code == 0, ended.output
    assert "time limit while preparing pictures (hashing 0 of 12): those that are ready are kept" in ended.stderr
    assert len(asked) == 1
    assert not (tmp_path / "run").exists()
    assert "finished" in _train(*command).stderr


def test_broken_files_are_listed_in_the_run_and_their_limit_is_kept_for_resuming(photos, tmp_path):
    for i in range(12):
        (photos / "a" / f"bad{i:02}.png").write_bytes(b"x")
    out = tmp_path / "run"
    command = ["--data", photos, "--out", out, *TINY, "--kimg=0.02"]
    _failed(_train(*command), "10 may be skipped: a/bad00.png")
    assert not out.exists()
    begun = _train(*command, "--max-broken=12")
    assert begun.exit_code == 0, begun.output
    (note,) = (e["notes"] for e in read_events(out / "events.jsonl") if e["event"] == "started")
    assert "12 of 24 files were skipped" in note[0]
    assert note[0] in (out / "log.txt").read_text()
    where = Path(note[0].rsplit("all of them in ", 1)[1].removesuffix(")."))
    assert len(where.read_text().splitlines()) == 12
    assert f"note: {note[0]}" in begun.stderr
    assert _train("--out", out, "--resume", "--kimg=0.04", "--threads=1").exit_code == 0


def test_the_same_command_with_resume_begins_and_goes_on(photos, tmp_path):
    command = ["--data", photos, "--out", tmp_path / "run", *TINY, "--kimg=0.1", "--resume", "--no-labels"]
    assert "started" in _train(*command, "--time-limit=0").stderr
    assert "finished" in _train(*command).stderr
    finished = _train(*command)
    assert finished.exit_code == 0
    assert "finished at 0.1 kimg" in finished.stderr
    assert "snapshot" not in finished.stderr
    longer = _train(*command[:-3], "--kimg=0.15", "--lr=0.001", "--resume")
    assert "finished at 0.2 kimg" in longer.stderr  # 0.16, as whole rounds are trained
    config = RunFolder(tmp_path / "run").read_facts().config
    assert (config.total_kimg, config.learning_rate_base, config.generator.label_dim) == (0.15, 0.001, 0)


def test_fine_tuning_and_growing_a_snapshot(photos, tmp_path, monkeypatch):
    _train("--data", photos, "--out", tmp_path / "a", *TINY, "--kimg=0.05")
    snapshot = RunFolder(tmp_path / "a").snapshots()[-1]
    options = ["--data", photos, "--preset=small", "--minibatch=8", "--kimg=0.05", "--threads=1"]
    grown = _train(*options, "--resolution=32", "--out", tmp_path / "b", "--init-from", snapshot)
    assert grown.exit_code == 0, grown.output
    config = RunFolder(tmp_path / "b").read_facts().config
    assert (config.generator.z_dim, config.generator.fmap_max, config.initial_resolution) == (8, 8, 16)
    resumed = _train("--out", tmp_path / "b", "--resume", "--kimg=0.06", "--threads=1", "--init-from", snapshot)
    assert resumed.exit_code == 0, resumed.output
    for state in (tmp_path / "b" / "state").iterdir():  # as if it had been killed before its first state
        shutil.rmtree(state)
    begun = []
    monkeypatch.setattr(Trainer, "begin_from", lambda self, G, D: begun.append(G.state_dict()))
    assert "started" in _train("--out", tmp_path / "b", "--resume", "--time-limit=0", "--threads=1").stderr
    assert all(torch.equal(tensor, begun[0][name]) for name, tensor in stylegan.load(snapshot).state_dict().items())
    monkeypatch.undo()
    monkeypatch.setenv("STYLEGAN_CACHE", str(tmp_path / "cache"))
    other = _train("--out", tmp_path / "b", "--resume", "--init-from", tmp_path / "other.safetensors")
    _failed(other, "init_from is ")
    plain = _train(*options, "--resolution=16", "--out", tmp_path / "c", "--init-from", snapshot, "--no-labels")
    _failed(plain, "The model to begin from has other layers")


def test_dry_run_prints_the_whole_config_and_touches_nothing(tmp_path):
    result = _train("--data=portraits", "--out", tmp_path / "run", "--dry-run", "--resolution=128", "--lr=0.003")
    assert result.exit_code == 0
    config = TrainConfig.from_json(json.loads(result.stdout))
    assert config == preset("f", 128, learning_rate={}, learning_rate_base=0.003)
    assert result.stderr == ""
    assert not (tmp_path / "run").exists()


def test_dry_run_of_a_resumed_run(photos, tmp_path):
    out = tmp_path / "run"
    _train("--data", photos, "--out", out, *TINY, "--kimg=0.02")
    stored = (out / "config.json").read_text()
    result = _train("--out", out, "--resume", "--dry-run", "--kimg=7")
    assert json.loads(result.stdout)["total_kimg"] == 7
    assert (out / "config.json").read_text() == stored


def test_metrics_of_snapshots_are_kept_on_resuming_until_they_are_switched_off(photos, tmp_path):
    out = tmp_path / "run"
    first = _train("--data", photos, "--out", out, *TINY, "--kimg=0.02", "--metrics=kid", "--metrics-count=12")
    assert first.exit_code == 0, first.output
    assert "measured at 0.0 kimg: Kernel distance (KID) " in first.stderr
    assert "EfficientNet-Lite0, 12 samples" in (out / "log.txt").read_text()
    _train("--out", out, "--resume", "--kimg=0.06", "--threads=1", "--metrics-count=10")
    config = RunFolder(out).read_facts().config
    assert (config.metrics, config.metrics_count) == (("kid",), 10)
    shown = _train("--out", out, "--resume", "--dry-run").stdout
    assert json.loads(shown)["metrics"] == ["kid"]
    last = _train("--out", out, "--resume", "--kimg=0.1", "--threads=1", "--metrics=none")
    assert "measured" not in last.stderr
    told = [(e["event"], e["measurements"][0]["count"]) for e in read_events(out / "events.jsonl") if "values" in e]
    assert told == [("metrics", 12), ("metrics", 10)]


def test_estimate(tmp_path):
    result = _train("--data=portraits", "--out", tmp_path / "run", *TINY, "--kimg=0.1", "--estimate")
    found = json.loads(result.stdout)
    assert set(found["images_per_sec"]) == {"8", "16"}
    assert 0 < found["seconds"] < 1000
    assert found["memory_mib"] > 100
    assert not (tmp_path / "run").exists()


def test_the_command_line_is_the_plan_s(tmp_path):
    """What a form would start: every option of a plan arrives as it was meant."""
    values = {"data": "portraits", "resolution": 32, "preset": "small", "kimg": 12.5, "seed": 3, "labels": False}
    values |= {"mirror": False, "lr": 0.0015, "precision": "bf16", "loss": "wgan-gp", "style_mixing": 0.5, "z_dim": 16}
    values |= {"adam_beta2": 0.9, "ema_rampup": None, "minibatch": 16, "microbatch": 8, "blur_filter": [1, 3, 1]}
    plan = Plan.of(values)
    result = _train(*plan.arguments(), "--out", tmp_path / "run", "--dry-run")
    assert TrainConfig.from_json(json.loads(result.stdout)) == plan.config()
    table = Plan.of({"data": "x", "minibatch": {"8": 64}})
    result = _train(*table.arguments(), "--out", tmp_path / "run", "--dry-run")
    assert TrainConfig.from_json(json.loads(result.stdout)) == table.config()


def test_every_option_is_on_the_command_line():
    text = " ".join(_train("--help", env={"COLUMNS": "400"}).stdout.split())
    for name, option in OPTIONS.items():
        assert f"--{name.replace('_', '-')} " in text
        assert option.help in text


BAD = [
    (["--resolution=63"], "resolution is a power of two from 8 to 1024, not 63"),
    (["--resolution=2048"], "resolution is a whole number from 8 to 1024, not 2048"),
    (["--kimg=-1"], "total_kimg is a number"),
    (["--kimg=0"], "total_kimg is a number"),
    (["--kimg=nan"], "total_kimg is a number"),
    (["--lr=nan"], "learning_rate_base is a number"),
    (["--lr=inf"], "learning_rate_base is a number"),
    (["--preset=z"], "preset 'z' is unknown"),
    (["--seed=-1"], "seed"),
    (["--seed=4294967296"], "seed"),
    (["--minibatch=6"], "no multiple of the discriminator's group of 4"),
    (["--minibatch=0"], "minibatch_base is a whole number"),
    (["--microbatch=3"], "microbatch 3 is not a multiple of the discriminator's group"),
    (["--loss=hinge"], "loss is logistic or wgan-gp"),
    (["--precision=int4"], "precision is fp32, bf16 or fp16"),
    (["--style-mixing=1.5"], "style_mixing_prob is a number from 0 to 1"),
    (["--initial-resolution=12"], "initial_resolution is one of"),
    (["--mapping-layers=0", "--w-dim=3"], "w_dim equals the mapping's input width"),
    (["--set=colour=1"], "There is no option 'colour'"),
    (["--set=seed=1"], "--set takes NAME=VALUE"),
    (["--set=adam_beta2"], "--set takes NAME=VALUE"),
    (["--set=adam_beta2=high"], "adam_beta2 is a number"),
    (["--time-limit=soon"], "--time-limit is written like 90s, 9m or 2h"),
    (["--snapshot-kimg=nan"], "--snapshot-kimg is a number larger than 0"),
    (["--state-minutes=0"], "--state-minutes is a number larger than 0"),
    (["--threads=0"], "--threads is a whole number"),
    (["--device=abacus"], "There is no device 'abacus'"),
    (["--device=meta"], "There is no device 'meta'"),
    (["--device=cuda:99"], "There is no device 'cuda:99'"),
    (["--graphs", "--device=cpu"], "--graphs is for one process on a CUDA GPU"),
    (["--count=5"], "A count belongs to the portraits"),
    (["--metrics=fid,ls"], "metrics of a run are fid, kid, pr, ppl, not ls: `python -m stylegan metrics` measures"),
    (["--metrics=fid", "--metrics-count=1"], "metrics_count is a whole number from 2 to 1000000, not 1: one has no"),
    (["--metrics=pr", "--metrics-count=3", *TINY], "--metrics pr need 4 pictures or more, not 3"),
    (["--metrics=fid", "--metrics-extractor=nowhere.pt", *TINY], "An extractor is lite0, inception, vgg16 or the path"),
    (["--metrics=fid", "--metrics-extractor=vgg16:nowhere.pt", *TINY], "There is no file nowhere.pt"),
    (["--set=metrics=5"], "metrics are names with commas between"),
    (["--init-from=none.safetensors"], "There is no file none.safetensors"),
]


@pytest.mark.parametrize(("options", "said"), BAD, ids=[" ".join(options) for options, _ in BAD])
def test_bad_input_is_one_line(photos, tmp_path, options, said):
    _failed(_train("--data", photos, "--out", tmp_path / "run", *options), said)
    assert not (tmp_path / "run").exists()


def test_bad_places_are_one_line(photos, tmp_path):
    out = tmp_path / "run"
    _failed(_train("--out", out), "--data says what to train on")
    _failed(_train("--data", tmp_path / "nowhere", "--out", out, *TINY), "nowhere")
    _failed(_train("--data=portraits:many", "--out", out, *TINY), "portraits:endless")
    (tmp_path / "empty").mkdir()
    _failed(_train("--data", tmp_path / "empty", "--out", out, *TINY), "empty")
    (tmp_path / "file").write_text("")
    _failed(_train("--data", photos, "--out", tmp_path / "file", *TINY), "is a file")
    _failed(_train("--data", photos, "--out", tmp_path / "file" / "run", *TINY), "cannot be used for a run")
    (tmp_path / "text.safetensors").write_text("no model")
    _failed(_train("--data=portraits", "--out", out, "--init-from", tmp_path / "text.safetensors"), "text.")


def test_runs_in_the_way_are_one_line(photos, tmp_path):
    out = tmp_path / "run"
    assert _train("--data", photos, "--out", out, *TINY, "--kimg=0.02").exit_code == 0
    _failed(_train("--data", photos, "--out", out, *TINY), "already holds a run: give --resume")
    _failed(_train("--out", out, "--resume", "--resolution=32"), "resolution is 16 in this run")
    _failed(_train("--out", out, "--resume", "--fmap-max=16"), "fmap_max is 8 in this run")
    Image.new("RGB", (16, 16)).save(photos / "a" / "new.png")
    _failed(_train("--out", out, "--resume"), "was trained on other pictures")
    (photos / "a" / "new.png").unlink()
    with RunFolder(out).locked():
        code = "import sys; from stylegan.cli.app import app; app()"
        command = [sys.executable, "-c", code, "train", "--out", out, "--resume", "--kimg=1"]
        other = subprocess.run(command, capture_output=True, text=True, env=_env(tmp_path), check=False)
    assert other.returncode == 2
    assert other.stderr.startswith("Error: Another process is training in")
    assert RunFolder(out).read_facts().config.total_kimg == 0.02  # the one that runs keeps its config
    content = json.loads((out / "config.json").read_text())
    (out / "config.json").write_text(json.dumps({**content, "format": 9}))
    _failed(_train("--out", out, "--resume"), "newer version")


def _env(tmp_path):
    return {**os.environ, "OMP_NUM_THREADS": "1", "STYLEGAN_CACHE": str(tmp_path / "cache"), "PYTHONUNBUFFERED": "1"}


def _start(photos, tmp_path, *options):
    command = [sys.executable, "-m", "stylegan", "train", "--data", photos, "--out", tmp_path / "run", *TINY, *options]
    return subprocess.Popen(
        list(map(str, command)),
        cwd=Path(stylegan.__file__).parents[1],
        env=_env(tmp_path),
        stderr=subprocess.PIPE,
        text=True,
    )


def _wait(condition, process):
    deadline = time.monotonic() + 60
    while not condition():
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_end_a_run_cleanly(photos, tmp_path, number):
    with _start(photos, tmp_path, "--kimg=1000") as process:
        events = tmp_path / "run" / "events.jsonl"
        _wait(lambda: read_events(events), process)
        time.sleep(0.2)
        process.send_signal(number)
        stderr = process.communicate(timeout=60)[1]
    assert process.returncode == 0, stderr
    assert "stopping: the state will be stored" in stderr
    assert "Traceback" not in stderr
    assert read_events(events)[-1]["reason"] == "stopped"
    assert newest_state(tmp_path / "run" / "state") is not None


def test_a_killed_run_goes_on_from_its_last_state(photos, tmp_path):
    state = tmp_path / "run" / "state"
    with _start(photos, tmp_path, "--kimg=1000", "--state-minutes=0.0001", "--snapshot-kimg=0.1") as process:
        _wait(lambda: newest_state(state), process)
        time.sleep(0.3)
        process.kill()
        process.communicate()
    kept = newest_state(state)
    assert kept is not None
    result = _train("--out", tmp_path / "run", "--resume", "--time-limit=0", "--threads=1")
    assert result.exit_code == 0, result.output
    assert f"resumed at {int(kept.name) / 1000:.1f} kimg" in result.stderr


@pytest.mark.parametrize(
    ("text", "seconds"), [("", float("inf")), ("90s", 90), ("9m", 540), ("2h", 7200), ("1.5 m", 90), ("45", 45)]
)
def test_durations(text, seconds):
    assert train_module.parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["-1s", "nan", "inf", "1d", "1e3", "s", "1h30m", "९m"])
def test_durations_that_are_none(text):
    with pytest.raises(InputError, match="--time-limit is written like"):
        train_module.parse_duration(text)
