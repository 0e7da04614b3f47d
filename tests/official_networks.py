"""Golden files, and networks whose weights the recipe draws: shared by the tests of parity with the official code."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import recipe
import torch

from stylegan.config import DiscriminatorConfig, GeneratorConfig
from stylegan.convert.tf_names import discriminator_entries, generator_entries, to_state
from stylegan.networks import Discriminator, Generator

GOLDEN = Path(__file__).parent / "golden"


class Recipe(Mapping[str, Any]):
    """The variables of an official network, drawn by the recipe when asked for."""

    def __init__(self, shapes: Mapping[str, list[int]], seed: int, zero_noise: bool = False) -> None:
        self.shapes, self.seed, self.zero_noise = shapes, seed, zero_noise

    def __getitem__(self, name: str) -> Any:
        value = recipe.sg1_value(name, self.shapes[name], self.seed)
        return value * 0 if self.zero_noise and name.endswith("Noise/weight") else value

    def __iter__(self) -> Any:
        return iter(self.shapes)

    def __len__(self) -> int:
        return len(self.shapes)


@dataclass
class Golden:
    """One golden file: its arrays as tensors, and what it says of itself."""

    name: str

    def __post_init__(self) -> None:
        with np.load(GOLDEN / f"{self.name}.npz") as data:
            self.arrays = {key: data[key] for key in data.files}
        self.meta = json.loads(str(self.arrays.pop("meta_json"))) if "meta_json" in self.arrays else {}

    def __getitem__(self, key: str) -> torch.Tensor:
        return torch.from_numpy(np.asarray(self.arrays[key]))

    def __contains__(self, key: str) -> bool:
        return key in self.arrays


def generator_config(kwargs: Mapping[str, Any], **overrides: Any) -> GeneratorConfig:
    names = {
        "latent_size": "z_dim",
        "dlatent_size": "w_dim",
        "label_size": "label_dim",
        "num_channels": "image_channels",
    }
    return GeneratorConfig(**{names.get(k, k): v for k, v in kwargs.items()}, **overrides)


def discriminator_config(kwargs: Mapping[str, Any]) -> DiscriminatorConfig:
    shared = ("resolution", "label_size", "fmap_base", "fmap_max", "num_channels")
    names = {"label_size": "label_dim", "num_channels": "image_channels"}
    return DiscriminatorConfig(**{names.get(k, k): kwargs[k] for k in shared if k in kwargs})


def recipe_generator(kwargs: Mapping[str, Any], seed: int, zero_noise: bool = False) -> Generator:
    """A generator with the recipe's weights, in eval mode, trainable."""
    config = generator_config(kwargs)
    G = Generator(config)
    entries = generator_entries(config)
    shapes = tf_shapes(G, entries)
    G.load_state_dict(to_state(entries, Recipe(shapes, seed, zero_noise)))
    return G.eval()


def recipe_discriminator(kwargs: Mapping[str, Any], seed: int) -> Discriminator:
    """A discriminator with the recipe's weights."""
    config = discriminator_config(kwargs)
    D = Discriminator(config)
    entries = discriminator_entries(config)
    D.load_state_dict(to_state(entries, Recipe(tf_shapes(D, entries), seed)))
    return D.eval()


def tf_shapes(network: torch.nn.Module, entries: Any) -> dict[str, list[int]]:
    """TensorFlow's shape of each variable: kernels [kh, kw, in, out], dense [in, out]."""
    state = network.state_dict()
    shapes = {}
    for ours, theirs, turn in entries:
        shape = list(state[ours].shape)
        if turn.__name__ == "_dense":
            shape = shape[::-1]
        elif turn.__name__.endswith("conv"):
            shape = [shape[2], shape[3], shape[1], shape[0]]
        shapes[theirs] = shape
    return shapes
