"""The form of a new run, uploads, and the look at the data: what a browser may send, and what it is told."""

import errno
import zipfile
from pathlib import Path

import numpy as np
import pytest
import tiny_models
from PIL import Image
from run_folders import FORM, photos, written

from explorer.library import Library
from explorer.run_estimate import disk_mib
from explorer.run_form import Desk, preset_values
from explorer.run_preview import look
from explorer.run_uploads import Uploads
from explorer.runs import Runs
from stylegan.errors import DataError, DiskFullError, InputError, StyleGANError
from stylegan.training import OPTIONS


@pytest.fixture
def desk(tmp_path):
    runs = Runs(tmp_path / "runs", threads=1)
    library = Library([tiny_models.make(tmp_path)])
    return Desk(runs, library, Uploads(runs.root), local=True, device="auto")


def test_a_form_is_a_plan(desk, tmp_path):
    folder = photos(tmp_path / "birds")
    form = {**FORM, "folder": f" '{folder}' ", "seed": 3, "snapshot_kimg": 0.5}
    plan = desk.plan(form)
    assert (plan.data, plan.resolution, plan.kimg, plan.seed, plan.count) == (str(folder), 16, 1000, 3, None)
    assert plan.config().generator.fmap_max == 8
    assert desk.more(form) == ["--state-minutes=2", "--snapshot-kimg=0.5"]
    assert desk.name(form) == "birds-16"
    assert desk.name({**form, "name": " my run "}) == "my run"
    portraits = desk.plan({"data": "portraits", "resolution": 32, "preset": "f"})
    assert (portraits.data, portraits.count, portraits.kimg) == ("portraits", 5000, None)


@pytest.mark.parametrize(
    "change",
    [
        {"data": "x"}, {"data": None}, {"resolution": 17}, {"resolution": "16"}, {"resolution": 2048}, {"preset": "q"},
        {"preset": 3}, {"kimg": -1}, {"kimg": float("nan")}, {"kimg": "9"}, {"seed": -1}, {"seed": 1.5},
        {"settings": [1]}, {"settings": {"nope": 1}}, {"settings": {"data": "/etc"}}, {"settings": {"minibatch": 0}},
        {"settings": {"fmap_max": 1.5}}, {"settings": {"precision": "fp8"}}, {"settings": {"metrics": "x"}},
        {"settings": {"metrics_count": 1}},
        {"settings": {"metrics_extractor": "/etc/passwd"}}, {"settings": {"lr": "x"}},
        {"settings": {"minibatch": 6}}, {"begin": "run:nothing"}, {"begin": 5}, {"begin": "model:ffff"},
        {"folder": ""}, {"folder": None}, {"folder": "/no/such"}, {"folder": "a\0b"}, {"data": "upload"},
        {"data": "upload", "upload": "../.."}, {"data": "upload", "upload": "0123456789abcdef"},
        {"data": "portraits", "count": 0}, {"data": "portraits", "count": True},
    ],
    ids=str,
)  # fmt: skip
def test_wrong_forms_are_one_sentence(desk, tmp_path, change):
    form = {**FORM, "folder": str(photos(tmp_path / "birds", 1)), **change}
    with pytest.raises(StyleGANError) as caught:
        desk.plan(form)
    assert "\n" not in str(caught.value)


def test_a_form_asks_for_metrics_of_each_snapshot(desk):
    plan = desk.plan({"data": "portraits", "resolution": 16, "settings": {"metrics": "fid,kid", "metrics_count": 100}})
    assert {"--metrics=fid,kid", "--metrics-count=100"} <= set(plan.arguments())
    assert (plan.config().metrics, plan.config().metrics_count) == (("fid", "kid"), 100)


def test_folders_are_for_the_machine_itself(desk, tmp_path):
    far = Desk(desk.runs, desk.library, desk.uploads, local=False, device="auto")
    with pytest.raises(InputError, match="on the machine itself only"):
        far.plan({**FORM, "folder": str(photos(tmp_path / "birds"))})


def test_what_empty_fields_show_is_what_the_plan_becomes(desk):
    """The paper's values for F, by hand; and every option has one."""
    shown = preset_values({"data": "portraits", "resolution": 1024, "preset": "f"})
    assert set(shown) == {*OPTIONS, "kimg"}
    assert (shown["r1_gamma"], shown["ema_kimg"], shown["style_mixing"], shown["kimg"]) == (10, 10, 0.9, 25_000)
    assert (shown["lod_training_kimg"], shown["fmap_max"], shown["mapping_layers"]) == (600, 512, 8)
    assert (
        shown["lr"]
        == "8²: 0.001, 16²: 0.001, 32²: 0.001, 64²: 0.001, 128²: 0.0015, 256²: 0.002, 512²: 0.003, 1024²: 0.003"
    )
    assert preset_values({"resolution": 32, "preset": "small", "kimg": 1e9})["kimg"] == 200


def test_another_run_like_one(desk, tmp_path):
    upload = desk.uploads.store([(photos(tmp_path / "p", 1) / "0.png", "0.png")])
    path = written(desk.runs.root / "old", [])
    plan = desk.plan({**FORM, "data": "upload", "upload": upload, "settings": {"lr": 0.001, "mirror": False}})
    content = path / "config.json"
    import json

    data = json.loads(content.read_text())
    content.write_text(json.dumps({**data, "plan": plan.to_json()}))
    form = desk.form("old")
    assert form["name"] == "old-2"
    assert (form["data"], form["upload"], form["uploaded"]) == ("upload", upload, "1 images")
    assert desk.plan(form) == plan
    assert desk.all_data() == [plan.data]
    desk.uploads.sweep(desk.all_data())
    assert desk.uploads.path(upload).is_dir()
    desk.uploads.sweep([])
    with pytest.raises(InputError, match="are gone"):
        desk.uploads.path(upload)


def test_uploads_keep_clean_names_and_nothing_leaves_their_folder(desk, tmp_path):
    folder = photos(tmp_path / "p", 4)
    names = ["../../evil.PNG", "C:\\x\\evil.png", "...png.jpg", "ä b/" + "x" * 300 + ".png"]
    key = desk.uploads.store([(folder / f"{i}.png", name) for i, name in enumerate(names)])
    kept = sorted(path.name for path in desk.uploads.path(key).iterdir())
    assert kept == ["1-evil.png", "evil.png", "png.jpg", "x" * 60 + ".png"]
    assert all(desk.uploads.root.resolve() in path.resolve().parents for path in desk.uploads.path(key).iterdir())
    assert [path.name for path in desk.uploads.root.iterdir()] == [key]  # no half ones
    for files, words in (
        ([], "Upload 1 to 20000 images"),
        ([(folder / "x", "a.exe")], "not 'a.exe'"),
        ([(folder / "x", "a.zip"), (folder / "y", "b.png")], "not 'a.zip'"),
    ):
        with pytest.raises(InputError, match=words):
            desk.uploads.store(files)


def test_a_disk_that_fills_during_an_upload_leaves_nothing(desk, tmp_path, monkeypatch):
    from explorer import run_uploads

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    folder = photos(tmp_path / "p", 2)
    monkeypatch.setattr(run_uploads.shutil, "move", full)
    with pytest.raises(DiskFullError, match="No space left to write"):
        desk.uploads.store([(folder / "0.png", "0.png"), (folder / "1.png", "1.png")])
    assert list(desk.uploads.root.iterdir()) == []


def test_how_many_snapshots_there_will_be_and_what_they_take(desk):
    assert desk.snapshots({**FORM, "kimg": 30}) == 50
    assert desk.snapshots({**FORM, "kimg": 30, "snapshot_kimg": 7}) == 5
    assert desk.snapshots({**FORM, "kimg": None, "snapshot_kimg": 10}) == 20  # of the preset's 200
    assert disk_mib({"generator": 1 << 18, "discriminator": 1 << 17}, 50) == 50 * 1.5 + 2 * (3 + 1)


def zipped(path: Path, entries: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in entries.items():
            file.writestr(name, data)
    return path


def test_a_bomb_is_not_kept_and_path_tricks_are_named(desk, tmp_path, monkeypatch):
    from stylegan.data import sources

    png = (photos(tmp_path / "p", 1) / "0.png").read_bytes()
    tricks = zipped(tmp_path / "t.zip", {"../evil.png": png, "good.png": png, "/abs.png": png})
    key = desk.uploads.store([(tricks, "t.zip")])
    seen = look(desk.uploads.path(key), 16, 0)
    assert seen.words.startswith("3 images of 24×20 pixels")
    assert any("its path leads out of the zip" in text for text in seen.warnings)
    monkeypatch.setattr(sources, "MAX_ARCHIVE_BYTES", 1 << 10)
    bomb = zipped(tmp_path / "b.zip", {"a.png": bytes(1 << 20)})
    with pytest.raises(DataError, match="looks like a zip bomb"):
        desk.uploads.store([(bomb, "b.zip")])
    with pytest.raises(DataError, match="holds no images"):
        desk.uploads.store([(zipped(tmp_path / "e.zip", {"a.txt": b""}), "e.zip")])
    assert [path.name for path in desk.uploads.root.iterdir()] == [key]


def picture(path: Path, width: int, height: int, grey: int = 90) -> None:
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(np.full((height, width, 3), grey, np.uint8)).save(path)


def test_a_look_says_what_may_go_wrong(tmp_path):
    picture(tmp_path / "one" / "a.png", 20, 20)
    one = look(tmp_path / "one", 16, 0)
    assert one.warnings == ("There is only one image: a network will learn that picture and nothing else.",)
    assert one.sheet.shape == (16, 16, 3)
    for i in range(9):
        picture(tmp_path / "same" / f"{i}.png", 20, 10)
    same = look(tmp_path / "same", 16, 0)
    assert same.sheet.shape == (32, 128, 3)
    assert same.warnings[0].startswith("9 images are few")
    assert "All pictures looked at are the same one." in same.warnings
    assert "The smallest has 20×10 pixels" in same.warnings[-1]
    picture(tmp_path / "dots" / "a.png", 1, 1)
    with pytest.raises(DataError, match="holds no image that can be read"):
        look(tmp_path / "dots", 16, 0)
    (tmp_path / "none").mkdir()
    with pytest.raises(DataError, match="holds no images"):
        look(tmp_path / "none", 16, 0)
    portraits = look(None, 8, 12)
    assert portraits.sheet.shape == (16, 64, 3)
