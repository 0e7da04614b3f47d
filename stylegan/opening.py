"""Opening any file that holds a network: our own `.safetensors`, or what `convert` reads."""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import torch

from stylegan import model_file
from stylegan.convert import reader
from stylegan.errors import ConversionError, InputError
from stylegan.networks import Discriminator, Generator

Path_ = str | os.PathLike[str]


@dataclass(frozen=True)
class Report:
    """What `convert` found, in sentences, and what it wrote."""

    found: tuple[str, ...]
    files: tuple[Path, ...]


def load(path: Path_, device: str | torch.device = "cpu") -> Generator:
    """Open a generator, in eval mode, its parameters frozen.

    Args:
        path: a `.safetensors` of this project; anything else is read as an official or third-party file, which is
            slower: `convert` it once.
        device: where the network goes.

    Raises:
        ModelFileError, ConversionError: what is wrong with the file.
    """
    if reader.is_model_file(path):
        return model_file.load_generator(path, device)
    network = _build(reader.read(path), path, "generator")
    assert isinstance(network, Generator)
    return network.to(device)


def load_discriminator(path: Path_, device: str | torch.device = "cpu") -> Discriminator:
    """Open a discriminator; see `load`."""
    if reader.is_model_file(path):
        return model_file.load_discriminator(path, device)
    network = _build(reader.read(path), path, "discriminator")
    assert isinstance(network, Discriminator)
    return network.to(device)


def convert(src: Path_, dst: Path_) -> Report:
    """Write the networks of an official pickle, or of a PyTorch port's state dict, as model files.

    Args:
        src: the foreign file. Nothing in it is run.
        dst: NAME.safetensors, for the generator; a discriminator goes beside it, to NAME.discriminator.safetensors, or
            to `dst` itself where there is no generator. Files of these names are replaced, all or none.

    Raises:
        ConversionError: `src` cannot be converted; the message says why. Nothing is written.
        InputError: `dst` is no name for a model file, or its folder does not exist.
        DiskFullError: no space left. What was there is still there.
    """
    dst = Path(dst)
    if dst.suffix != ".safetensors":
        raise InputError(f"A model file is called NAME.safetensors, not {dst.name}.")
    if dst.is_dir() or not dst.parent.is_dir():
        raise InputError(f"{dst} cannot be written: it is a folder, or lies in one that does not exist.")
    if Path(src).is_file() and reader.is_model_file(src):
        raise ConversionError(f"{Path(src).name} is a safetensors file; there is nothing to convert.")
    found = reader.read(src)
    has_generator = found.pick("generator") is not None
    files: list[Path] = []
    with tempfile.TemporaryDirectory(prefix=f".{dst.name}.", dir=dst.parent) as folder:
        for source in found.sources:  # one after another: each is forgotten before the next is read
            beside = source.kind == "discriminator" and has_generator
            files.append(model_file.discriminator_path(dst) if beside else dst)
            model_file.save(source.build(), Path(folder, files[-1].name))
        for file in files:
            os.replace(Path(folder, file.name), file)
    return Report(tuple(found.sentences), tuple(files))


def _build(found: reader.Found, path: Path_, kind: str) -> model_file.Network:
    source = found.pick(kind)
    if source is None:
        raise ConversionError(f"{Path(path).name} holds no {kind}.")
    return source.build()
