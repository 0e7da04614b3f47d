"""Opening any foreign file by what it contains: an official pickle, or a PyTorch port's state dict."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import torch

from stylegan.config import DiscriminatorConfig, GeneratorConfig
from stylegan.convert.official import read_official
from stylegan.convert.ports import is_torch_file, read_port
from stylegan.convert.safe_pickle import read_pickle
from stylegan.convert.source import Source, parameter_count
from stylegan.errors import ConversionError
from stylegan.model_file import blank


@dataclass(frozen=True)
class Found:
    """What a foreign file holds; its weights are read when a source is built."""

    sources: Sequence[Source]
    sentences: Sequence[str]

    def pick(self, kind: str) -> Source | None:
        """The source of a "generator" or "discriminator", if there is one."""
        return next((source for source in self.sources if source.kind == kind), None)


def read(path: str | os.PathLike[str]) -> Found:
    """What the foreign file at `path` holds.

    Raises:
        UnsafePickleError: it asks for more than arrays and plain containers; nothing in it was run.
        ConversionError: it is missing, damaged, or holds no network of the first StyleGAN.
    """
    path = Path(path)
    if not path.is_file():
        raise ConversionError(f"There is no file {path}.")
    sources, found = read_port(path) if is_torch_file(path) else read_official(path, read_pickle(path))
    return Found(tuple(sources), (*found, *(_sentence(source) for source in sources)))


def is_model_file(path: str | os.PathLike[str]) -> bool:
    """Whether `path` looks like a safetensors file: its length and an opening brace, or at least its name."""
    path = Path(path)
    try:
        with open(path, "rb") as file:
            head = file.read(9)
    except OSError:
        return True  # model_file says best what is wrong with a path
    header_bytes = int.from_bytes(head[:8], "little")
    if len(head) == 9 and head[8:] == b"{" and header_bytes < 1 << 30:
        return True
    return path.suffix == ".safetensors" and head[:1] not in (b"\x80", b"P")


def _sentence(source: Source) -> str:
    config = source.config
    with torch.device("meta"):
        weights = parameter_count(blank(config))
    parts = [f"{source.kind.capitalize()}: {config.resolution}×{config.resolution}", f"{weights:,} weights"]
    if source.lod:
        parts.append(f"saved at lod {source.lod:g}, while it grew")
    return f"{', '.join(parts)}; {_differences(config)}."


def _differences(config: GeneratorConfig | DiscriminatorConfig) -> str:
    """How `config` differs from the paper's configuration F, apart from the size."""
    changed = [
        f"{field.name} {getattr(config, field.name)}"
        for field in fields(config)
        if field.name != "resolution" and getattr(config, field.name) != field.default
    ]
    return f"unlike the paper's F: {', '.join(changed)}" if changed else "all options as in the paper's F"
