"""Pickles in the official format (FACTS §10) made from networks of ours, or from any variables."""

import pickle
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import stylegan
from stylegan.config import DiscriminatorConfig, GeneratorConfig
from stylegan.convert.tf_names import discriminator_entries, generator_entries
from stylegan.errors import ConversionError
from stylegan.networks import Discriminator, Generator

OFFICIAL_NAMES = {
    "image_channels": "num_channels",
    "label_dim": "label_size",
    "z_dim": "latent_size",
    "w_dim": "dlatent_size",
    "mapping_lr_mul": "mapping_lrmul",
    "normalize_z": "normalize_latents",
    "const_input": "const_input_layer",
    "w_mean_beta": "dlatent_avg_beta",
    "default_psi": "truncation_psi",
    "default_cutoff": "truncation_cutoff",
    "mbstd_features": "mbstd_num_features",
}


class Network:
    """Stands in for dnnlib.tflib.network.Network: what is pickled is its state."""

    def __init__(self, **state: Any) -> None:
        self.__dict__.update(state)


Network.__module__ = "dnnlib.tflib.network"


@contextmanager
def stand_ins(**classes: type) -> Iterator[None]:
    """Make pickle believe in the modules `dnnlib.…` for as long as it writes."""
    names = ("dnnlib", "dnnlib.tflib", "dnnlib.tflib.network", "dnnlib.util")
    before = {name: sys.modules.get(name) for name in names}
    for name in names:
        sys.modules[name] = ModuleType(name)
    sys.modules["dnnlib.tflib.network"].Network = Network
    for name, kind in classes.items():
        setattr(sys.modules[kind.__module__], name, kind)
    try:
        yield
    finally:
        for name, module in before.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module


def dumps(tree: Any, protocol: int = 4, **classes: type) -> bytes:
    with stand_ins(**classes):
        return pickle.dumps(tree, protocol)


def official_kwargs(config: GeneratorConfig | DiscriminatorConfig) -> dict[str, Any]:
    """The static_kwargs that state every option of `config`."""
    kwargs = {OFFICIAL_NAMES.get(key, key): value for key, value in config.to_json().items() if key != "architecture"}
    if kwargs.get("truncation_psi") == 1.0:
        kwargs["truncation_psi"] = None
    return kwargs


def tf_variables(network: Generator | Discriminator, fused_resolution: int = 128) -> dict[str, np.ndarray]:
    """The network's tensors under their official names, in TensorFlow's layouts."""
    config = network.config
    if isinstance(config, GeneratorConfig):
        entries = generator_entries(config, fused_resolution)
    else:
        entries = discriminator_entries(config)
    state = {name: tensor.numpy() for name, tensor in network.state_dict().items()}
    backwards = {
        "_same": lambda a: a,
        "_dense": lambda a: a.T,
        "_conv": lambda a: a.transpose(2, 3, 1, 0),
        "_turned_conv": lambda a: a.transpose(2, 3, 1, 0)[::-1, ::-1],
    }
    return {theirs: np.ascontiguousarray(backwards[turn.__name__](state[ours])) for ours, theirs, turn in entries}


def record(name: str, function: str, kwargs: Mapping[str, Any], variables: Mapping[str, Any], **state: Any) -> Network:
    """One network; `state` overrides its fields."""
    fields = {
        "version": 3,
        "name": name,
        "static_kwargs": dict(kwargs),
        "components": {},
        "build_module_src": "",
        "build_func_name": function,
        "variables": list(variables.items()),
    }
    return Network(**{**fields, **state})


def generator_record(
    variables: Mapping[str, Any], kwargs: Mapping[str, Any], name: str = "Gs", lod: float = 0.0, **state: Any
) -> Network:
    """G_style with its two components, from variables named as seen from the whole."""
    parts = {}
    for key in ("synthesis", "mapping"):
        prefix = f"G_{key}/"
        own: dict[str, Any] = {"lod": np.float32(0)} if key == "synthesis" else {}
        own |= {k.removeprefix(prefix): v for k, v in variables.items() if k.startswith(prefix)}
        extra = {"dlatent_broadcast": 8} if key == "mapping" else {}
        passed = {k: v for k, v in kwargs.items() if not k.startswith(("truncation", "style_mixing", "dlatent_avg"))}
        parts[key] = record(f"G_{key}", f"G_{key}", {**extra, **passed}, own)
    own = {"lod": np.float32(lod), **{k: v for k, v in variables.items() if "/" not in k}}
    return record(name, "G_style", kwargs, own, **{"components": parts, **state})


def generator_pickle(G: Generator, lod: float = 0.0) -> Network:
    return generator_record(tf_variables(G), official_kwargs(G.config), lod=lod)


def discriminator_pickle(D: Discriminator, lod: float = 0.0) -> Network:
    return record("D", "D_basic", official_kwargs(D.config), {"lod": np.float32(lod), **tf_variables(D)})


def refused(folder: Path, tree: Any, match: str) -> None:
    """A pickle of `tree` is not converted: one line that matches says why, and nothing is written."""
    path = folder / "network.pkl"
    path.write_bytes(dumps(tree))
    with pytest.raises(ConversionError, match=match) as caught:
        stylegan.convert(path, folder / "out.safetensors")
    assert "network.pkl" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert [file.name for file in folder.iterdir()] == ["network.pkl"]
