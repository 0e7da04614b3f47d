"""Writing model files: what is refused, and that a fault of any kind leaves the old file and nothing else."""

import errno
import os
from pathlib import Path

import pytest
import torch
from lively_generators import TINY, lively
from safetensors import SafetensorError

from stylegan import About, Generator, GeneratorConfig, model_file
from stylegan.errors import DiskFullError, InputError, ModelFileError, WeightsError
from stylegan.model_file import MAX_METADATA_BYTES, load_generator, save


@pytest.fixture(scope="module")
def G():
    return lively(Generator(GeneratorConfig(**TINY, mapping_layers=1)))


@pytest.fixture
def path(G, tmp_path):
    save(G, tmp_path / "tiny.safetensors")
    return tmp_path / "tiny.safetensors"


def leftovers(folder):
    return sorted(p.name for p in Path(folder).iterdir())


@pytest.mark.parametrize("name", ["model", "model.pkl", "model.safetensors.txt", ".safetensors"])
def test_names(G, tmp_path, name):
    with pytest.raises(InputError, match=r"A model file is called NAME\.safetensors"):
        save(G, tmp_path / name)
    assert not leftovers(tmp_path)


def test_places(G, tmp_path):
    (tmp_path / "folder.safetensors").mkdir()
    for wrong in (tmp_path / "none" / "x.safetensors", tmp_path / "folder.safetensors"):
        with pytest.raises(InputError, match="it is a folder, or lies in one that does not exist"):
            save(G, wrong)
    assert leftovers(tmp_path) == ["folder.safetensors"]


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_weights_that_are_not_finite(path, value):
    before = path.read_bytes()
    G = load_generator(path)
    G.synth.layers[2].bias[1] = value
    with pytest.raises(WeightsError, match=r"synth\.layers\.2\.bias holds values that are not finite"):
        save(G, path)
    assert path.read_bytes() == before
    assert leftovers(path.parent) == [path.name]


@pytest.mark.parametrize(
    "about",
    [
        About(training={"data": object()}),
        About(training={"loss": float("nan")}),
        About(training={1j: 0}),
        About(description="x" * MAX_METADATA_BYTES),
    ],
    ids=["object", "nan", "key", "size"],
)
def test_what_does_not_fit_into_json(G, tmp_path, about):
    with pytest.raises(InputError, match="about"):
        save(G, tmp_path / "x.safetensors", about)
    assert not leftovers(tmp_path)


@pytest.mark.parametrize("network", [None, {}, torch.nn.Linear(1, 1), "model"])
def test_what_is_no_network(tmp_path, network):
    with pytest.raises(InputError, match="save takes a Generator or a Discriminator"):
        save(network, tmp_path / "x.safetensors")


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)),
        OSError(errno.EDQUOT, "quota"),
        SafetensorError(f"I/O error: No space left on device (os error {errno.ENOSPC})"),
    ],
    ids=["system", "quota", "safetensors"],
)
def test_a_full_disk(G, path, monkeypatch, error):
    before = path.read_bytes()

    def save_half(state, target, metadata):
        Path(target).write_bytes(before[:100])
        raise error

    monkeypatch.setattr(model_file, "save_file", save_half)
    with pytest.raises(DiskFullError, match="No space left to write"):
        save(G, path, About("new"))
    assert path.read_bytes() == before
    assert leftovers(path.parent) == [path.name]


def test_other_faults_of_the_system(G, path, monkeypatch):
    def refuse(*arguments, **options):
        raise PermissionError(errno.EACCES, "Permission denied")

    before = path.read_bytes()
    monkeypatch.setattr(model_file, "save_file", refuse)
    with pytest.raises(ModelFileError, match=r"cannot be written: .*Permission denied"):
        save(G, path)
    assert path.read_bytes() == before
    assert leftovers(path.parent) == [path.name]


def test_an_interruption_leaves_the_old_file(G, path, monkeypatch):
    def interrupt(*arguments, **options):
        raise KeyboardInterrupt

    before = path.read_bytes()
    monkeypatch.setattr(model_file, "save_file", interrupt)
    with pytest.raises(KeyboardInterrupt):
        save(G, path)
    assert path.read_bytes() == before
    assert leftovers(path.parent) == [path.name]
