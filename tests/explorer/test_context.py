"""What visitors share, and whose gallery is whose."""

import os

import numpy as np
import pytest
import tiny_models

from explorer import context, png
from explorer.context import AppContext
from explorer.options import Options
from explorer.recipe import Recipe
from stylegan.errors import InputError


@pytest.fixture
def files(tmp_path):
    return (tiny_models.make(tmp_path),)


def keep(gallery, seed=0):
    gallery.keep(png.encode(np.zeros((4, 4, 3), np.uint8), Recipe("0123456789abcdef", seed)))


def test_without_a_model_it_says_how_to_give_one(tmp_path, monkeypatch):
    monkeypatch.setattr(context, "DEFAULT_MODEL", tmp_path / "none.safetensors")
    with pytest.raises(InputError, match=r"no model to show.*--model FILE"):
        AppContext.open(Options(folder=tmp_path / "models"))


def test_the_default_model_is_used_where_none_is_given(tmp_path, files, monkeypatch):
    monkeypatch.setattr(context, "DEFAULT_MODEL", files[0])
    assert AppContext.open(Options(folder=tmp_path / "models")).library.card


def test_broken_files_are_named_and_the_others_open(tmp_path, files):
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"nonsense")
    app = AppContext.open(Options(models=(broken, *files), folder=tmp_path / "models"))
    assert [card.name for card in app.library.cards()] == ["The tiny"]
    assert "broken.safetensors" in app.library.problems[0]
    with pytest.raises(InputError, match="broken"):
        AppContext.open(Options(models=(broken,), folder=tmp_path / "models"))


@pytest.mark.parametrize("device", ["gpu", "cuda:99", ""])
def test_unknown_devices_are_told(files, device, tmp_path):
    with pytest.raises(InputError, match="--device"):
        AppContext.open(Options(models=files, folder=tmp_path / "m", device=device))


def test_galleries_belong_to_the_owner_to_users_and_to_browsers(tmp_path, files):
    def opened(**options):
        return AppContext.open(Options(models=files, folder=tmp_path / "m", gallery=tmp_path / "g", **options))

    owner, demo = opened(), opened(share=True)
    galleries = [
        owner.gallery(None, "x"), demo.gallery(None, "x"), demo.gallery(None, "y"), owner.gallery("ann", "x"),
        owner.gallery("bob", "x"), demo.gallery(None, "user:ann"), demo.gallery("../../ann", ""),
    ]  # fmt: skip
    for seed, gallery in enumerate(galleries):
        keep(gallery, seed)
    for seed, gallery in enumerate(galleries):
        assert [kept.recipe.source for kept in gallery.listing().pictures] == [seed]
    assert owner.gallery(None, "another browser").listing() == galleries[0].listing()
    assert all(path.is_relative_to(tmp_path / "g") for path in (tmp_path / "g").rglob("*"))
    assert not (tmp_path / "ann").exists()


def test_a_demo_forgets_the_galleries_used_longest_ago(tmp_path, files, monkeypatch):
    monkeypatch.setattr(context, "VISITORS", 2)
    options = Options(models=files, folder=tmp_path / "m", gallery=tmp_path / "g", share=True)
    app = AppContext.open(options)
    app.make_room()  # no folder yet
    for key in "abc":
        keep(app.gallery(None, key))
        for folder in (tmp_path / "g").iterdir():
            os.utime(folder, (folder.stat().st_atime, folder.stat().st_mtime - 10))
    app.make_room()
    assert [len(app.gallery(None, key).listing().pictures) for key in "abc"] == [0, 1, 1]
