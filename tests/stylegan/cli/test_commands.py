"""`convert` and `info`, and how every command ends."""

import errno
import json
import os
import subprocess
import sys

import pytest
from official_networks import GOLDEN
from typer.testing import CliRunner

import stylegan
from stylegan.cli import app as app_module
from stylegan.errors import InputError

RUNNER = CliRunner()
PICKLE = GOLDEN / "sg1_tiny32_cond.pkl"


def _run(*arguments):
    return RUNNER.invoke(app_module.app, list(map(str, arguments)))


def _failed(result, said):
    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""


def test_convert_says_what_it_found_and_wrote(tmp_path):
    result = _run("convert", PICKLE, tmp_path / "net.safetensors")
    assert result.exit_code == 0
    assert result.stderr == ""
    assert "Gs, the moving average" in result.stdout
    for name in ("net.safetensors", "net.discriminator.safetensors"):
        assert f"Wrote {tmp_path / name}" in result.stdout
    assert sorted(os.listdir(tmp_path)) == ["net.discriminator.safetensors", "net.safetensors"]


def test_info_of_a_model_and_of_what_it_was_converted_from(tmp_path):
    _run("convert", PICKLE, tmp_path / "net.safetensors")
    G, D = stylegan.load(PICKLE), stylegan.load_discriminator(PICKLE)
    document = json.loads(_run("info", tmp_path / "net.safetensors", "--json").stdout)
    (network,) = document["networks"]
    assert network["digest"] == G.digest
    assert network["parameters"] == 26644  # as the official code counts
    assert network["config"] == G.config.to_json()
    assert network["layers"][0] == {"layer": 0, "resolution": 4, "channels": 16}
    assert network["layers"][-1] == {"layer": 7, "resolution": 32, "channels": 8}
    both = json.loads(_run("info", PICKLE, "--json").stdout)
    assert both["networks"][0] == network
    judge = json.loads(_run("info", tmp_path / "net.discriminator.safetensors", "--json").stdout)["networks"][0]
    assert judge["digest"] == D.digest == both["networks"][1]["digest"]
    assert [(layer["resolution"], layer["channels"]) for layer in judge["layers"]] == [
        (32, 8), (32, 16), (16, 16), (16, 16), (8, 16), (8, 16), (4, 16),
    ]  # fmt: skip
    text = _run("info", PICKLE).stdout
    assert all(part in text for part in (G.digest, D.digest, "label_dim", "32×32", "26,644"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "Missing command"),
        (["frobnicate"], "frobnicate"),
        (["info"], "'file'"),
        (["info", "missing.pkl"], "no file"),
        (["info", "a", "b"], "b"),
        (["convert", "missing.pkl", "x.safetensors"], "no file"),
        (["convert", str(PICKLE), "x.pkl"], "NAME.safetensors"),
        (["convert", str(PICKLE), "missing/x.safetensors"], "folder"),
        (["convert", str(PICKLE)], "'dst'"),
        (["--frobnicate"], "--frobnicate"),
    ],
)
def test_mistakes(tmp_path, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    _failed(_run(*arguments), said)
    assert os.listdir(tmp_path) == []


def test_hostile_files(tmp_path):
    (tmp_path / "x.pkl").write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    _failed(_run("info", tmp_path / "x.pkl"), "os.system")
    _failed(_run("convert", tmp_path / "x.pkl", tmp_path / "y.safetensors"), "os.system")
    assert os.listdir(tmp_path) == ["x.pkl"]


def _raising(error):
    def run():
        raise error

    return run


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (InputError("two\nlines"), 2, "Error: two lines\n"),
        (KeyboardInterrupt(), 130, ""),
        (MemoryError(), 2, "Out of memory"),
        (RuntimeError("CUDA out of memory. Tried"), 2, "Out of memory"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"), 2, "Out of memory"),
        (PermissionError(errno.EACCES, "Permission denied", "/there"), 2, "/there: Permission denied"),
    ],
)
def test_ends(capsys, error, code, said):
    assert app_module._exit_code(_raising(error)) == code
    captured = capsys.readouterr()
    assert said in captured.err
    assert captured.err.count("\n") == bool(said)


def test_faults_of_the_program_are_not_hidden():
    with pytest.raises(RuntimeError, match="a fault"):
        app_module._exit_code(_raising(RuntimeError("a fault")))


def test_a_reader_that_has_enough():
    command = f"{sys.executable} -m stylegan info {PICKLE} | true"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert done.stderr == ""


def test_help():
    result = _run("--help")
    assert result.exit_code == 0
    assert all(name in result.stdout for name in ("generate", "convert", "info"))
    assert "--psi" in _run("generate", "--help").stdout
