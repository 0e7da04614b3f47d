"""A network found in a foreign file: its config and its TensorFlow variables, not loaded yet.

Every reader ends here, so shapes, surplus and missing variables and non-finite weights are judged in one place, by the
names that the official code gives them (FACTS §10).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from stylegan import model_file
from stylegan.config import DiscriminatorConfig, GeneratorConfig
from stylegan.convert.tf_names import (
    AUTO_FUSED_RESOLUTION,
    Entry,
    FloatArray,
    discriminator_entries,
    generator_entries,
    to_state,
)
from stylegan.errors import ConversionError
from stylegan.model_file import About, Network
from stylegan.networks import Generator
from stylegan.networks.layers import EqualizedWeight

NEVER_FUSED = 1 << 30  # fused_scale=False, as a resolution that no layer reaches
W_MEAN_COUNT = 10_000  # how many latents estimate a mean w that a file lacks
FILL_SEED = 0  # of those latents, and of noise images that a file lacks


class Variable(Protocol):
    """An array that can be read when it is needed."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    def read(self) -> npt.NDArray[np.generic]: ...


@dataclass(frozen=True)
class Source:
    """One network of a foreign file."""

    file: str  # the file's name, for messages
    name: str  # the network's name in its file
    config: GeneratorConfig | DiscriminatorConfig
    variables: Mapping[str, Variable]  # by local TensorFlow name; kernels [kh, kw, in, out], dense [in, out]
    about: About
    lod: float = 0.0
    fused_resolution: int = AUTO_FUSED_RESOLUTION
    unscaled: tuple[str, ...] = ()  # parts of our network ("map.", "synth.", "") stored without equalised learning rate
    fills: tuple[str, ...] = field(default=())  # tensors of ours that the file does not have: `_filled` says from what

    @property
    def kind(self) -> str:
        """`generator` or `discriminator`."""
        return "generator" if isinstance(self.config, GeneratorConfig) else "discriminator"

    def check(self) -> None:
        """ConversionError unless the variables are just those of the config, in their shapes; nothing is read."""
        with torch.device("meta"):  # a hostile config may describe a network of any size
            wanted = model_file.blank(self.config).state_dict()
        for ours, theirs, turn in self._entries():
            variable = self.variables.get(theirs)
            if variable is None:
                raise ConversionError(f"{self._here} lacks the variable {theirs}.")
            shape = _official_shape(tuple(wanted[ours].shape), turn)
            if variable.shape != shape:
                raise ConversionError(
                    f"{self._here}: variable {theirs} has shape {list(variable.shape)}; "
                    f"the network's options ask for {list(shape)}."
                )
        known = {theirs for _, theirs, _ in self._entries()}
        surplus = sorted(set(self.variables) - known)
        if surplus:
            raise ConversionError(
                f"{self._here} has a variable that StyleGAN has not: {surplus[0][:80]!r}; it is another network."
            )

    def build(self) -> Network:
        """The network, in eval mode, frozen, with its digest; its variables are read one after another."""
        self.check()
        network = model_file.blank(self.config)
        state = to_state(self._entries(), _Reading(self))
        self._scale(network, state)
        self._fill(network, state)
        return model_file.finished(network, state, self.lod, self.about)

    @property
    def _here(self) -> str:
        return f"{self.file}, network {self.name[:40]!r}"

    def _entries(self) -> list[Entry]:
        if isinstance(self.config, GeneratorConfig):
            entries = generator_entries(self.config, self.fused_resolution)
        else:
            entries = discriminator_entries(self.config)
        return [entry for entry in entries if entry[0] not in self.fills]

    def _scale(self, network: nn.Module, state: dict[str, Tensor]) -> None:
        """use_wscale=False stores the weights that are used; ours are multiplied by he at run time."""
        for name, module in network.named_modules():
            if isinstance(module, EqualizedWeight) and any(name.startswith(part) for part in self.unscaled):
                state[f"{name}.weight"] /= module.scale * module.init_std  # scale holds lr_mul, init_std is 1/lr_mul

    def _fill(self, network: Network, state: dict[str, Tensor]) -> None:
        """What the file lacks: noise from a fixed seed, ToRGB layers of zeros, the mean w of 10,000 latents."""
        rng = torch.Generator().manual_seed(FILL_SEED)
        empty = network.state_dict()
        for name in self.fills:
            is_noise = name.endswith(".noise")
            shape = empty[name].shape
            state[name] = torch.randn(shape, generator=rng) if is_noise else torch.zeros(shape)
        if "w_mean" in self.fills:
            assert isinstance(network, Generator)
            network.load_state_dict(state)
            state["w_mean"] = estimated_w_mean(network)


@dataclass(frozen=True)
class _Reading(Mapping[str, FloatArray]):
    """The variables of a source, each read, checked and forgotten when it is asked for."""

    source: Source

    def __getitem__(self, name: str) -> FloatArray:
        values = np.asarray(self.source.variables[name].read(), dtype=np.float32)
        if not np.isfinite(values).all():
            raise ConversionError(f"{self.source._here}: variable {name} holds values that are not finite.")
        return values

    def __iter__(self) -> Iterator[str]:
        return iter(self.source.variables)

    def __len__(self) -> int:
        return len(self.source.variables)


@torch.no_grad()
def estimated_w_mean(G: Generator, batch: int = 1000) -> Tensor:
    """Mean of w over 10,000 latents of one fixed draw, for files without w̄: `[w_dim]`."""
    rng = np.random.RandomState(FILL_SEED)
    total = torch.zeros(G.config.w_dim, dtype=torch.float64)
    for _ in range(W_MEAN_COUNT // batch):
        z = torch.from_numpy(rng.randn(batch, G.config.z_dim).astype(np.float32))
        total += G.mapping(z)[:, 0].double().sum(dim=0)
    return (total / W_MEAN_COUNT).float()


def parameter_count(network: nn.Module) -> int:
    """Trainable weights, as the official code counts them."""
    return sum(parameter.numel() for parameter in network.parameters())


def _official_shape(ours: tuple[int, ...], turn: Callable[[FloatArray], FloatArray]) -> tuple[int, ...]:
    """The shape in TensorFlow of what has the shape `ours` after `turn`, which permutes axes."""
    sizes = tuple(range(2, 2 + len(ours)))  # different ones, to see which axis goes where
    turned = turn(np.empty(sizes, np.float32)).shape
    return tuple(ours[turned.index(size)] for size in sizes)
