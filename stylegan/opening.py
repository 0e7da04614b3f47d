"""Opening any file that holds a network: our own `.safetensors`, or what `convert` reads."""

import os
from pathlib import Path

import torch

from stylegan import model_file
from stylegan.networks import Discriminator, Generator

Path_ = str | os.PathLike[str]


def load(path: Path_, device: str | torch.device = "cpu") -> Generator:
    """Open a generator, in eval mode, its parameters frozen.

    Args:
        path: a `.safetensors` of this project; anything else is read as an official or third-party file, which is
            slower: `convert` it once.
        device: where the network goes.

    Raises:
        ModelFileError, ConversionError: what is wrong with the file.
    """
    return model_file.load_generator(path, device)


def load_discriminator(path: Path_, device: str | torch.device = "cpu") -> Discriminator:
    """Open a discriminator; see `load`."""
    return model_file.load_discriminator(path, device)


def convert(src: Path_, dst: Path_) -> list[Path]:
    raise NotImplementedError
