"""Model files: one `.safetensors` per network, with everything but the weights as JSON in its metadata.

The metadata key `stylegan` holds
    {"format": 1, "kind": "generator" | "discriminator", "architecture": …, "config": {…}, "lod": …,
     "about": {"name": …, "licence": …, "description": …, "training": {…}}}
Nothing is ever unpickled. The digest of a network is the SHA-256 of its kind, config, lod and weights: a new file name
or description keeps it, any change of what the network computes alters it.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from stylegan.atomic import replacing
from stylegan.config import DiscriminatorConfig, GeneratorConfig
from stylegan.errors import InputError, ModelFileError, NewerFormatError, NotAModelError, WeightsError
from stylegan.networks import Discriminator, Generator, checks

FORMAT = 1
METADATA_KEY = "stylegan"
MAX_METADATA_BYTES = 4 << 20
Network = Generator | Discriminator
Path_ = str | os.PathLike[str]
_DTYPES = (torch.float32, torch.float64, torch.float16, torch.bfloat16)


@dataclass(frozen=True)
class About:
    """What a model file says of itself. Plain values; nothing here changes a picture."""

    name: str = ""
    licence: str = ""
    description: str = ""
    training: Mapping[str, Any] = field(default_factory=dict)  # kimg, data, seed, hours, …


@dataclass(frozen=True)
class Header:
    """The metadata of a model file, checked."""

    kind: str  # "generator" | "discriminator"
    config: GeneratorConfig | DiscriminatorConfig
    lod: float
    about: About


def save(network: Network, path: Path_, about: About | None = None) -> str:
    """Write `network` to `path` in one step and return its digest; float32, whatever it computes in.

    Raises:
        InputError: `path` does not end in .safetensors, its folder does not exist, or `about` does not fit into JSON.
        WeightsError: a weight is not finite. Nothing is written.
        DiskFullError: no space left. What was at `path` is still there.
        ModelFileError: the system does not let us write there.
    """
    if not isinstance(network, Network):
        raise InputError(f"save takes a Generator or a Discriminator, not {type(network).__name__}.")
    path = Path(path)
    if path.suffix != ".safetensors":
        raise InputError(f"A model file is called NAME.safetensors, not {path.name}.")
    if path.is_dir() or not path.parent.is_dir():
        raise InputError(f"{path} cannot be written: it is a folder, or lies in one that does not exist.")
    metadata = _metadata_text(network, about or getattr(network, "about", None) or About())
    state = {name: tensor.detach().float().cpu().contiguous() for name, tensor in network.state_dict().items()}
    _check_finite(state, path)
    try:
        with replacing(path) as temporary:
            save_file(state, temporary, metadata={METADATA_KEY: metadata})
    except (OSError, SafetensorError) as error:
        raise ModelFileError(f"{path} cannot be written: {_first_line(error)}.") from error
    return _digest(network, state)


@torch.inference_mode(False)  # or its weights could not be trained later
def load_generator(path: Path_, device: str | torch.device = "cpu") -> Generator:
    """Read a generator: in eval mode, its parameters frozen, with `digest` and `about` attributes.

    Raises:
        NotAModelError: not a model file of ours, cut short, or a discriminator's.
        NewerFormatError: from a newer version of this project.
        WeightsError: tensors missing, left over, of the wrong shape or dtype, or not finite.
        InputError: a device that this machine does not have.
    """
    device = checks.device(device)
    network = _load(path, "generator")
    assert isinstance(network, Generator)
    return network.to(device)


@torch.inference_mode(False)
def load_discriminator(path: Path_, device: str | torch.device = "cpu") -> Discriminator:
    """Read a discriminator, as `load_generator` does a generator."""
    device = checks.device(device)
    network = _load(path, "discriminator")
    assert isinstance(network, Discriminator)
    return network.to(device)


def discriminator_path(path: Path) -> Path:
    """Where the discriminator of the generator NAME.safetensors lies: NAME.discriminator.safetensors beside it."""
    return path.with_name(f"{path.stem}.discriminator.safetensors")


def digest_of(network: Network) -> str:
    """The digest that `network` as it is now would have in a file."""
    return _digest(network, network.state_dict())


def read_header(path: Path_) -> Header:
    """The metadata of a model file without its weights; errors as `load_generator`."""
    path = Path(path)
    if not path.is_file():
        raise NotAModelError(f"There is no file {path}.")
    try:
        with safe_open(path, framework="pt") as file:
            text = (file.metadata() or {}).get(METADATA_KEY)
    except (SafetensorError, OSError) as error:
        raise NotAModelError(f"{path.name} is not a whole safetensors file: {_first_line(error)}.") from error
    if text is None:
        raise NotAModelError(
            f"{path.name} is a safetensors file, but not a model of this project (no metadata of ours)."
        )
    return _parse_header(path.name, text)


def blank(config: GeneratorConfig | DiscriminatorConfig) -> Network:
    """A network of `config` whose weights are not drawn, to be loaded into."""
    return Generator(config, seed=None) if isinstance(config, GeneratorConfig) else Discriminator(config, seed=None)


def check_state(network: Network, state: Mapping[str, Tensor], source: str) -> None:
    """WeightsError unless `state` has just the network's tensors, in their shapes, float and finite."""
    wanted = network.state_dict()
    missing, surplus = sorted(set(wanted) - set(state)), sorted(set(state) - set(wanted))
    if missing or surplus:
        lacks = f"lacks {len(missing)} tensors, such as {missing[0]}" if missing else ""
        holds = f"holds {len(surplus)} that do not belong, such as {surplus[0][:80]}" if surplus else ""
        raise WeightsError(f"{source} does not fit its config: it {' and '.join(filter(None, (lacks, holds)))}.")
    for name, tensor in state.items():
        if tensor.shape != wanted[name].shape or tensor.dtype not in _DTYPES:
            got, want = [str(tensor.dtype).removeprefix("torch."), list(tensor.shape)], list(wanted[name].shape)
            raise WeightsError(f"{source}: tensor {name} is {got[0]} {got[1]}; its config asks for float {want}.")
    _check_finite(state, source)


def finished(network: Network, state: Mapping[str, Tensor], lod: float, about: About) -> Network:
    """`network` with `state` (already checked), in eval mode, frozen, with its `lod`, `about` and `digest`."""
    network.load_state_dict(dict(state))
    network.lod = lod
    network.about = about
    network.digest = _digest(network, network.state_dict())
    return network.eval().requires_grad_(False)


def _load(path: Path_, kind: str) -> Network:
    path = Path(path)
    header = read_header(path)
    if header.kind != kind:
        raise NotAModelError(f"{path.name} holds a {header.kind}, not a {kind}.")
    with torch.device("meta"):  # a hostile config may describe a network of any size: its file must hold it first
        network = blank(header.config)
    try:
        with safe_open(path, framework="pt") as file:
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
    except (SafetensorError, OSError) as error:
        raise NotAModelError(f"{path.name} cannot be read to its end: {_first_line(error)}.") from error
    check_state(network, state, path.name)
    return finished(network.to_empty(device="cpu"), state, header.lod, header.about)


def _metadata_text(network: Network, about: About) -> str:
    try:
        text = json.dumps(_metadata(network, about), sort_keys=True, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(f"about holds something that is no plain value: {_first_line(error)}.") from error
    if len(text) > MAX_METADATA_BYTES:
        raise InputError(f"about is larger than {MAX_METADATA_BYTES >> 20} MiB: it does not belong in a model file.")
    return text


def _metadata(network: Network, about: About) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "kind": "generator" if isinstance(network, Generator) else "discriminator",
        "architecture": network.config.architecture,
        "config": network.config.to_json(),
        "lod": network.lod,
        "about": {
            "name": about.name,
            "licence": about.licence,
            "description": about.description,
            "training": dict(about.training),
        },
    }


def _parse_header(name: str, text: str) -> Header:
    if len(text) > MAX_METADATA_BYTES:
        raise NotAModelError(f"{name}: its metadata is larger than {MAX_METADATA_BYTES >> 20} MiB.")
    try:
        data = json.loads(text)
        version = data["format"]
        if isinstance(version, bool) or not isinstance(version, int) or version < 1:
            raise InputError(f"format {str(version)[:40]} is unknown")
        if version > FORMAT:
            raise NewerFormatError(
                f"{name} has format {version}; this version reads up to {FORMAT}. Update this project to open it."
            )
        kind, about = data["kind"], data["about"]
        config: GeneratorConfig | DiscriminatorConfig
        if kind == "generator":
            config = GeneratorConfig.from_json(data["config"])
        elif kind == "discriminator":
            config = DiscriminatorConfig.from_json(data["config"])
        else:
            raise InputError(f"kind {kind!r} is unknown")
        lod = float(data["lod"])
        if not 0 <= lod <= config.max_lod:
            raise InputError(f"lod is from 0 to {config.max_lod}, not {lod}.")
        name_, licence, description = (str(about.get(key, "")) for key in ("name", "licence", "description"))
        return Header(kind, config, lod, About(name_, licence, description, dict(about.get("training", {}))))
    except ModelFileError:
        raise
    except (InputError, KeyError, TypeError, ValueError, ArithmeticError, AttributeError, RecursionError) as error:
        raise NotAModelError(f"{name}: its metadata is damaged ({_first_line(error)}).") from error


def _digest(network: Network, state: Mapping[str, Tensor]) -> str:
    metadata = _metadata(network, About())
    sha = hashlib.sha256(json.dumps([metadata["kind"], metadata["config"], metadata["lod"]], sort_keys=True).encode())
    for name in sorted(state):
        array = state[name].detach().float().cpu().contiguous().numpy()
        sha.update(f"{name}{list(array.shape)}".encode())
        sha.update(np.ascontiguousarray(array).data.cast("B") if array.size else b"")
    return sha.hexdigest()


def _check_finite(state: Mapping[str, Tensor], source: object) -> None:
    for name, tensor in state.items():
        if not bool(torch.isfinite(tensor.float()).all()):  # also of a float64 beyond float32
            raise WeightsError(f"{source}: tensor {name} holds values that are not finite (NaN or infinity).")


def _first_line(error: BaseException) -> str:
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0][:200].rstrip(".")
