"""Models small enough for any test, saved as files, with every part of the network switched on."""

from pathlib import Path

import torch

from explorer.engine import Engine
from explorer.library import Library
from stylegan import About, model_file
from stylegan.config import GeneratorConfig
from stylegan.networks import Generator

SIZES = {"z_dim": 16, "w_dim": 16, "mapping_fmaps": 16, "mapping_layers": 2, "fmap_base": 64, "fmap_max": 8}


def make(folder: Path, name: str = "tiny", seed: int = 0, lod: float = 0.0, **options) -> Path:
    """A generator of 16² (L = 6) unless `options` say otherwise, with noise and a mean that show."""
    G = Generator(GeneratorConfig(**{"resolution": 16, **SIZES, **options}), seed)
    rng = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        G.w_mean.normal_(generator=rng)
        for layer in G.synth.layers:
            layer.bias.normal_(0, 0.2, generator=rng)
            if layer.noise_strength is not None:
                layer.noise_strength.normal_(0, 0.5, generator=rng)
    G.lod = lod
    path = folder / f"{name}.safetensors"
    model_file.save(G.eval(), path, About(name=f"The {name}"))
    return path


def engine(folder: Path, cache_mib: int = 16, **options) -> Engine:
    """An engine with one model."""
    return Engine(Library([make(folder, **options)]), cache_mib)
