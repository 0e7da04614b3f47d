"""Measuring in a process of its own: what comes of it, cancelling, an app that ends, what is wrong."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import measure_toys
import pytest
import tiny_models
from run_folders import photos

import stylegan
from explorer import measure_process, measuring
from explorer.library import Library
from explorer.measuring import PENDING, Measurer
from explorer.run_process import held
from stylegan.directions.records import finish
from stylegan.errors import InputError
from stylegan.metrics.measure import Plan, Tools, measure
from stylegan.metrics.pictures import open_pictures
from stylegan.metrics.tools import open_extractor


@pytest.fixture
def made(tmp_path, monkeypatch):
    """`made()`: a measurer of the two models here."""
    monkeypatch.setenv("STYLEGAN_CACHE", str(tmp_path / "cache"))
    files = [tiny_models.make(tmp_path, "one"), tiny_models.make(tmp_path, "two", seed=1)]
    photos(tmp_path / "photos")
    measure_toys.extractor(tmp_path)

    def made():
        return Measurer(Library(files), tmp_path / "runs", tmp_path / "kept", local=True)

    return made


@pytest.fixture
def form(tmp_path, made):
    models = [f"model:{card.digest}" for card in made()._library.cards()]
    return {
        "models": models, "data": "folder", "folder": str(tmp_path / "photos"), "metrics": ["fid", "pr"], "count": 12,
        "extractor": "file", "file": str(tmp_path / "means.pt"),
    }  # fmt: skip


def test_numbers_are_the_librarys_and_are_kept(made, form, tmp_path):
    measurer = made()
    told = measurer.told(form)
    assert told["time"].startswith("About ")
    assert told["time"].endswith(" for 2 models: a first guess.")
    records = []
    job = measurer.start(form)
    with pytest.raises(InputError, match="Something is being measured"):
        measurer.start(form)
    assert (tmp_path / "kept" / PENDING).exists()
    while job.status.state == "running":
        records.append(measurer.status())
        time.sleep(0.05)
    assert job.wait().error == ""
    assert measurer.status()["state"] == "done"
    assert [r["share"] for r in records] == sorted(r["share"] for r in records)
    assert not (tmp_path / "kept" / PENDING).exists()
    G = stylegan.load(tmp_path / "one.safetensors")
    steps = open_pictures(str(tmp_path / "photos"), 16)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            pictures = end.value
            break
    expected = finish(measure(G, pictures, Plan(("fid", "pr"), 12), Tools(open_extractor(form["file"]))))
    kept = {(one.measurement.model_name, one.measurement.metric): one.measurement for one in measurer.store.all()}
    assert len(kept) == 6
    for wanted in expected:
        found = kept["The one", wanted.metric]
        assert found.value == pytest.approx(wanted.value, rel=1e-5)
        assert found.conditions == wanted.conditions
        assert (found.model, found.extractor) == (G.digest, "TorchScript means")
    assert measurer.speeds.measured
    assert "less where features are kept" in measurer.told(form)["time"]


def test_cancelling_leaves_what_was_measured_and_no_process(made, form, tmp_path):
    measurer = made()
    job = measurer.start({**form, "metrics": ["fid", "psi", "mixing"], "count": 20_000})
    blocks = tmp_path / "cache" / "metrics"
    while not list(blocks.rglob("*.npy")):
        assert job.status.state == "running", job.status
        time.sleep(0.02)
    measurer.cancel()
    began = time.monotonic()
    assert job.wait(15).state == "cancelled"
    assert time.monotonic() - began < 8
    assert not _measuring()
    assert not (tmp_path / "kept" / PENDING).exists()
    assert measurer.status()["state"] == "cancelled"
    assert measurer.store.all() == ()
    assert list(blocks.rglob("*.npy"))  # by which it goes on when asked again


def test_when_the_app_ends_the_process_does_and_the_rest_is_remembered(made, form, tmp_path):
    script = (
        "import json, sys; from pathlib import Path; from explorer.library import Library;"
        "from explorer.measuring import Measurer;"
        f"m = Measurer(Library([Path(p) for p in {[str(tmp_path / f'{n}.safetensors') for n in ('one', 'two')]!r}]),"
        f"Path({str(tmp_path / 'runs')!r}), Path({str(tmp_path / 'kept')!r}), True);"
        "job = m.start(json.loads(sys.argv[1])); job.wait()"
    )
    app = subprocess.Popen(
        [sys.executable, "-c", script, json.dumps({**form, "metrics": ["psi", "fid"], "count": 20_000})],
        cwd=measure_process.__file__.rsplit("/explorer/", 1)[0], env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    while not list(tmp_path.glob("cache/metrics/*/*.npy")):
        assert app.poll() is None
        time.sleep(0.05)
    app.send_signal(signal.SIGKILL)
    app.wait()
    began = time.monotonic()
    while _measuring():
        assert time.monotonic() - began < 10
        time.sleep(0.05)
    measurer = made()
    status = measurer.status()
    assert (status["state"], status["phase"]) == ("interrupted", "4 measurements were left")
    pending = json.loads((tmp_path / "kept" / PENDING).read_text())
    short = {**pending, "form": {**pending["form"], "count": 12, "data_count": 12}, "left": pending["left"][-1:]}
    (tmp_path / "kept" / PENDING).write_text(json.dumps(short))
    assert measurer.go_on().wait().state == "done"
    assert {one.measurement.model_name for one in measurer.store.all()} == {"The two"}
    assert len(measurer.store.all()) == 1
    with pytest.raises(InputError, match="Nothing was interrupted"):
        measurer.go_on()


def test_what_was_interrupted_can_be_forgotten_and_damage_is_nothing(made, form, tmp_path):
    measurer = made()
    (tmp_path / "kept").mkdir()
    for text in ("{}", "[", '{"form": 5, "left": 3}', '{"form": {}, "left": []}'):
        (tmp_path / "kept" / PENDING).write_text(text)
        assert measurer.status()["state"] == "idle"
    (tmp_path / "kept" / PENDING).write_text(json.dumps({"form": form, "left": [["model:x", "fid"]]}))
    assert measurer.status()["state"] == "interrupted"
    with pytest.raises(InputError, match="nothing left"):
        measurer.go_on()
    measurer.forget()
    assert measurer.status()["state"] == "idle"


def test_another_app_on_the_same_folder_is_told(made, form, tmp_path, monkeypatch):
    monkeypatch.setattr(measuring, "GRACE_SEC", 0.05)
    measurer = made()
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / PENDING).write_text(json.dumps({"form": form, "left": [["model:x", "fid"]]}))
    with held(tmp_path / "kept" / measuring.LOCK):
        assert measurer.status()["state"] == "idle"  # it is going on, elsewhere
        assert "Another app measures" in measurer.start(form).wait().error


def test_time_left_begins_with_the_guess_and_follows_the_pace():
    assert measuring.time_left(100, 0, 0) == pytest.approx(100)
    assert measuring.time_left(100, 0.5, 50) == pytest.approx(50)  # as guessed
    assert 100 > measuring.time_left(100, 0.5, 100) > 75  # twice as slow
    assert measuring.time_left(100, 1, 300) == 0


def test_phases_say_whose_pictures():
    assert measure_process._renamed("e: 64 of 500 pictures", "e", "d") == "samples, 64 of 500 pictures"
    assert measure_process._renamed("photos: 64 of 500 pictures", "e", "photos") == "data, 64 of 500 pictures"
    assert measure_process._renamed("distance: resampling 1", "e", "") == "distance: resampling 1"


def test_what_is_wrong_is_told_in_one_sentence(made, form, tmp_path):
    measurer = made()
    (tmp_path / "text.pt").write_text("no")
    status = measurer.start({**form, "file": str(tmp_path / "text.pt")}).wait()
    assert status.state == "failed"
    assert "not a TorchScript file" in status.error
    assert "\n" not in status.error
    assert measurer.store.all() == ()


def test_a_process_that_is_killed_is_told(made, form):
    measurer = made()
    job = measurer.start({**form, "count": 20_000})
    while not (found := _measuring()):
        time.sleep(0.02)
    os.kill(found[0], signal.SIGKILL)
    assert "was killed" in job.wait().error


def _measuring():
    """Measuring processes of this test."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                words = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
                cache = os.environ["STYLEGAN_CACHE"] in (folder / "environ").read_bytes().decode(errors="replace")
            except OSError:
                continue
            if "explorer.measure_process" in words and cache:
                found.append(int(folder.name))
    return found


pytestmark = pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks at processes")
