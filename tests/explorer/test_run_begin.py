"""What a run can begin from: models with a discriminator, and every snapshot that kept its own."""

import pytest
import tiny_models
from run_folders import written

from explorer import run_begin
from explorer.library import Library
from explorer.run_begin import Start
from explorer.run_form import Desk, preset_values
from explorer.run_uploads import Uploads
from explorer.runs import Runs
from stylegan import load
from stylegan.config import DiscriminatorConfig
from stylegan.errors import InputError, StyleGANError
from stylegan.model_file import save
from stylegan.networks import Discriminator
from stylegan.training import Plan

FORM = {"data": "portraits", "resolution": 16, "preset": "small"}


def pair(folder, name, **more):
    """A tiny generator of 16² with its discriminator."""
    path = tiny_models.make(folder, name, **more)
    D = Discriminator(DiscriminatorConfig(resolution=16, fmap_base=64, fmap_max=8))
    D.lod = load(path).lod
    save(D, path.with_name(f"{path.stem}.discriminator.safetensors"))
    return path


@pytest.fixture
def desk(tmp_path):
    runs = Runs(tmp_path / "runs", threads=1)
    (tmp_path / "m").mkdir()
    files = [pair(tmp_path / "m", "both"), tiny_models.make(tmp_path / "m", "alone", seed=1)]
    return Desk(runs, Library(files), Uploads(runs.root), local=True, device="auto")


@pytest.fixture
def snapshots(desk):
    """The snapshots folder of a run: two with their discriminators, and one of a time when they were not kept."""
    folder = written(desk.runs.root / "old", []) / "snapshots"
    for seed, name in enumerate(("000001.000", "000002.000"), start=2):
        pair(folder, name, seed=seed)
    tiny_models.make(folder, "000000.500", seed=5)
    return folder


def test_models_and_every_snapshot_are_beginnings(desk, snapshots):
    both = desk.library.default
    assert desk.starts() == [
        Start(f"model:{both}", "Models", "The both · 16²", 16),
        Start("run:old/000002.000", "old", "2 kimg", 16),
        Start("run:old/000001.000", "old", "1 kimg", 16),
    ]
    desk.library.open_file(snapshots / "000001.000.safetensors")  # shown on the stage, it is still the run's
    assert len(desk.starts()) == 3
    for start, file in (
        (f"model:{both}", desk.library.file(both).absolute()),
        ("run:old/000001.000", (snapshots / "000001.000.safetensors").absolute()),
    ):
        plan = desk.plan({**FORM, "begin": start})
        assert plan.init_from == file
        assert plan.config(beginning=plan.beginning()).generator.z_dim == load(file).config.z_dim
        assert Plan.of(plan.to_json()) == plan
        assert run_begin.key_of(desk.runs, desk.library, plan.init_from) == start


def test_the_form_tells_what_is_taken_over(desk, snapshots):
    form = {**FORM, "begin": "run:old/000001.000"}
    config = load(snapshots / "000001.000.safetensors").config
    assert preset_values(form)["z_dim"] == 128  # of the preset
    shown = preset_values(form, desk.beginning(form))
    assert (shown["z_dim"], shown["fmap_max"], shown["initial_resolution"]) == (config.z_dim, config.fmap_max, 16)
    assert preset_values({**form, "resolution": 64}, desk.beginning(form))["initial_resolution"] == 16
    with pytest.raises(InputError, match="make pictures of 16²: choose that resolution, or a larger one"):
        desk.plan({**form, "resolution": 8})


@pytest.mark.parametrize(
    "key",
    ["run:old/000000.500", "run:old/9", "run:old", "run:old/../000001.000", "run:../old/000001.000", "run:none/1",
     "model:ffff", "file:x.safetensors", "000001.000", 5, ["run"]],
    ids=str,
)  # fmt: skip
def test_what_is_no_beginning(desk, snapshots, key):
    with pytest.raises(StyleGANError) as caught:
        desk.plan({**FORM, "begin": key})
    assert "\n" not in str(caught.value)


def test_a_snapshot_that_is_half_copied_is_named(desk, snapshots):
    file = snapshots / "000002.000.discriminator.safetensors"
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(StyleGANError, match="not a whole safetensors file"):
        desk.plan({**FORM, "begin": "run:old/000002.000"})


def test_a_form_from_a_snapshot_and_one_whose_beginning_is_gone(desk, snapshots):
    form = desk.form("old", "000001.000")
    assert (form["begin"], form["resolution"], form["name"]) == ("run:old/000001.000", 16, "old-2")
    plan = desk.plan({**FORM, "begin": "run:old/000001.000", "settings": {"initial_resolution": 16}})
    folder = desk.runs.reader("old").folder
    from dataclasses import replace

    folder.write_facts(replace(folder.read_facts(), plan=plan.to_json()))
    assert "initial_resolution" in desk.form("old")["settings"]
    assert "initial_resolution" not in desk.form("old", "000001.000")["settings"]
    (snapshots / "000001.000.discriminator.safetensors").unlink()
    again = desk.form("old")
    assert again["begin"] == "run:old/000001.000"
    with pytest.raises(StyleGANError, match=r"nothing to begin from in 'run:old/000001\.000' any more"):
        desk.check(again)
