"""`generate`: the pictures that the library makes, and the same bytes for the same command."""

import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from official_networks import GOLDEN
from PIL import Image
from typer.testing import CliRunner

import stylegan
from stylegan.cli.app import app
from stylegan.config import GeneratorConfig

RUNNER = CliRunner()
SMALL = {"resolution": 16, "fmap_base": 64, "fmap_max": 8, "z_dim": 12, "w_dim": 12, "mapping_fmaps": 16}


def _save(folder, name="model.safetensors", lod=0.0, **options):
    G = stylegan.Generator(GeneratorConfig(**{**SMALL, "mapping_layers": 2, "label_dim": 3, **options}), seed=4)
    with torch.no_grad():
        G.w_mean.copy_(torch.linspace(-1, 1, len(G.w_mean)))
        for layer in G.synth.layers:
            if layer.noise_strength is not None:
                layer.noise_strength.fill_(0.5)
    G.lod = lod
    stylegan.save(G, folder / name)
    return folder / name


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return _save(tmp_path_factory.mktemp("model"))


def _run(*arguments):
    return RUNNER.invoke(app, ["generate", *map(str, arguments)])


def _made(model, out, *arguments):
    result = _run("--model", model, "--out", out, *arguments)
    assert result.exit_code == 0, result.stderr
    assert result.stdout == ""
    return {path.name: path.read_bytes() for path in sorted(out.iterdir())}


def _picture(path):
    with Image.open(path) as image:
        return np.asarray(image)


def test_pictures_are_the_librarys(model, tmp_path):
    files = _made(model, tmp_path, "--seeds", "0-2,12", "--psi", 0.5, "--cutoff", 3, "--class", 2)
    assert list(files) == ["seed0000.png", "seed0001.png", "seed0002.png", "seed0012.png"]
    G = stylegan.load(model)
    w = G.truncate(G.mapping(stylegan.seeds_to_z([12], 12), G.one_hot([2])), 0.5, 3)
    wanted = stylegan.to_uint8(G.synthesis(w))[0].numpy()
    np.testing.assert_array_equal(_picture(tmp_path / "seed0012.png"), wanted)


def test_psi_and_cutoff_of_an_official_pickle(tmp_path):
    """0.7 and 8 are the official defaults."""
    _made(GOLDEN / "sg1_tiny32.pkl", tmp_path, "--seeds", "5")
    G = stylegan.load(GOLDEN / "sg1_tiny32.pkl")
    w = G.truncate(G.mapping(stylegan.seeds_to_z([5], 32)), 0.7, 8)
    wanted = stylegan.to_uint8(G.synthesis(w))[0].numpy()
    np.testing.assert_array_equal(_picture(tmp_path / "seed0005.png"), wanted)


@pytest.mark.parametrize("noise", ["stored", "random", "none"])
def test_same_bytes_whatever_the_batch_and_the_other_seeds(model, tmp_path, noise):
    once = _made(model, tmp_path / "a", "--seeds", "0-6", "--noise", noise)
    assert once == _made(model, tmp_path / "b", "--seeds", "0-6", "--noise", noise, "--batch", 3)
    alone = _made(model, tmp_path / "c", "--seeds", "5", "--noise", noise, "--batch", 1)
    assert alone["seed0005.png"] == once["seed0005.png"]


def test_noise(model, tmp_path):
    kinds = {
        name: _made(model, tmp_path / name, "--seeds", "0,1", "--noise", *options)
        for name, options in {
            "stored": ["stored"],
            "none": ["none"],
            "random": ["random"],
            "again": ["random", "--noise-seed", 0],
            "other": ["random", "--noise-seed", 7],
        }.items()
    }
    assert kinds["random"] == kinds["again"]
    assert len({kinds[name]["seed0000.png"] for name in ("stored", "none", "random", "other")}) == 4


def test_the_models_own_defaults(tmp_path):
    own = _save(tmp_path, "own.safetensors", default_psi=0.3, default_cutoff=2, lod=1.5)
    plain = _made(own, tmp_path / "a", "--seeds", "3")
    assert plain == _made(own, tmp_path / "b", "--seeds", "3", "--psi", 0.3, "--cutoff", 2, "--lod", 1.5)
    assert plain != _made(own, tmp_path / "c", "--seeds", "3", "--lod", 0)
    small = _save(tmp_path, "small.safetensors", default_cutoff=8)  # more than the model's six layers
    everywhere = _made(small, tmp_path / "d", "--seeds", "3", "--cutoff", 6)
    assert everywhere == _made(small, tmp_path / "e", "--seeds", "3")


def test_grid(model, tmp_path):
    _made(model, tmp_path / "out", "--seeds", "4,1,1,0", "--grid", tmp_path / "grid.png")
    cells = [_picture(tmp_path / "out" / f"seed000{seed}.png") for seed in (4, 1, 1, 0)]
    wanted = np.vstack([np.hstack(cells[:2]), np.hstack(cells[2:])])
    np.testing.assert_array_equal(_picture(tmp_path / "grid.png"), wanted)
    assert sorted(os.listdir(tmp_path / "out")) == ["seed0000.png", "seed0001.png", "seed0004.png"]


def test_grey_models(tmp_path):
    grey = _save(tmp_path, "grey.safetensors", image_channels=1)
    _made(grey, tmp_path / "out", "--seeds", "0", "--grid", tmp_path / "out" / "grid.png")
    assert _picture(tmp_path / "out" / "seed0000.png").shape == (16, 16)


def test_colours_that_png_does_not_know(tmp_path):
    result = _run("--model", _save(tmp_path, image_channels=5), "--seeds", "0", "--out", tmp_path / "out")
    assert (result.exit_code, "5 colours" in result.stderr) == (2, True)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--seeds", "8-1"], "backwards"),
        (["--seeds", "x"], "0-8,12"),
        (["--seeds", "0-9999999999"], "too large"),
        (["--seeds", "-1"], "0-8,12"),
        (["--psi", "nan"], "finite"),
        (["--psi", "inf"], "finite"),
        (["--psi", "much"], "--psi"),
        (["--cutoff", "99"], "0 to 6"),
        (["--cutoff", "-1"], "0 to 6"),
        (["--lod", "3"], "lod is from 0"),
        (["--class", "3"], "0 to 2"),
        (["--label", "-1"], "0 to 2"),
        (["--noise", "some"], "--noise"),
        (["--noise-seed", "-1"], "seed"),
        (["--batch", "0"], "--batch"),
        (["--device", "abacus"], "--device"),
        (["--device", "cuda:99"], "cuda:99"),
        (["--device", "meta"], "--device"),
        (["--grid", "grid.jpg"], "FILE.png"),
        (["--grid", "missing/grid.png"], "no folder"),
        (["--model", "missing.safetensors"], "no file"),
        (["--frobnicate"], "--frobnicate"),
    ],
)
def test_mistakes_are_one_line_and_nothing_is_made(model, tmp_path, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    result = _run("--model", model, "--seeds", "0", "--out", "out", *arguments)
    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""
    assert os.listdir(tmp_path) == []


def test_places_that_are_taken(model, tmp_path):
    (tmp_path / "file").write_text("x")
    result = _run("--model", model, "--seeds", "0", "--out", tmp_path / "file")
    assert (result.exit_code, "is a file" in result.stderr) == (2, True)


def test_a_grid_that_is_too_large(model, tmp_path):
    result = _run("--model", model, "--seeds", "0-99999,0", "--out", tmp_path / "out", "--grid", tmp_path / "g.png")
    assert (result.exit_code, "100000" in result.stderr) == (2, True)
    assert os.listdir(tmp_path) == []


def test_a_real_process(model, tmp_path):
    """No traceback, no progress bar where stderr is no terminal, and the same bytes as in this process."""
    command = [sys.executable, "-m", "stylegan", "generate", "--model", str(model), "--out", str(tmp_path / "a")]
    done = subprocess.run([*command, "--seeds", "0-1", "--psi", "-0.5"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert _made(model, tmp_path / "b", "--seeds", "0-1", "--psi", "-0.5") == {
        path.name: path.read_bytes() for path in (tmp_path / "a").iterdir()
    }
