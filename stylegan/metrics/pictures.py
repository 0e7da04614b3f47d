"""Where measured pictures come from: a data set, or a model. Both are a fixed sequence, so that features can be kept.

Picture i of a model is the picture of seed `first_seed + i`, so that it can be looked at anywhere. Pictures of a data
set come in one fixed shuffle, so that its first N are a fair sample of all and 20,000 contain the first 10,000.
"""

import hashlib
import os
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from stylegan.convert import reader
from stylegan.data.dataset import Dataset, TrainingData
from stylegan.data.prepare import prepare
from stylegan.data.records import Progress
from stylegan.data.rendered import DEFAULT_COUNT, ENDLESS, PORTRAITS
from stylegan.errors import InputError
from stylegan.images import to_uint8
from stylegan.latents import truncate
from stylegan.networks import Generator as Network
from stylegan.networks import checks
from stylegan.opening import load
from stylegan.seeds import MAX_SEED, check_seed, seeds_to_z

FIRST_SEED = 1_000_000  # far from seeds that people look at and that directions are fitted to
MODEL_SUFFIXES = (".safetensors", ".pkl", ".pt", ".pth")
_PIXELS_AT_ONCE = 1 << 18


class Pictures(Protocol):
    """A fixed sequence of pictures, all of one size."""

    @property
    def name(self) -> str:
        """For people."""

    @property
    def digest(self) -> str:
        """Identity of the sequence, hexadecimal."""

    @property
    def resolution(self) -> int:
        """Pixels per side."""

    @property
    def most(self) -> int | None:
        """How many there are; None for as many as are asked for."""

    def take(self, first: int, count: int) -> Tensor:
        """Pictures `first` … `first + count` − 1: uint8 `[count, R, R, 3]` on the CPU."""


class DataPictures:
    """Pictures of a prepared data set."""

    def __init__(self, data: Dataset) -> None:
        self._data = data
        self._order = np.random.RandomState(0).permutation(len(data))
        self.name = data.name
        self.resolution = data.resolution
        self.digest = hashlib.sha256(f"data {data.pictures_digest} {data.resolution} shuffled 0".encode()).hexdigest()

    @property
    def most(self) -> int:
        """How many pictures the data set has."""
        return len(self._data)

    def take(self, first: int, count: int) -> Tensor:
        """As `Pictures.take`."""
        return self._data.pictures(self._order[first : first + count], self.resolution).cpu()


class StreamPictures:
    """The beginning of an endless stream of training pictures."""

    most = None

    def __init__(self, data: TrainingData) -> None:
        self._data = data
        self.name, self.resolution = data.name, data.resolution
        self.digest = hashlib.sha256(f"stream {data.digest} {data.resolution}".encode()).hexdigest()

    def take(self, first: int, count: int) -> Tensor:
        """As `Pictures.take`."""
        images, _ = self._data.batch(first, count, self.resolution, mirror=False)
        return images.permute(0, 2, 3, 1).contiguous().cpu()


def of_training(data: TrainingData) -> Pictures:
    """What a run trains on as pictures to measure against: all of them, unflipped, the same as for `open_pictures`."""
    return DataPictures(data) if isinstance(data, Dataset) else StreamPictures(data)


@dataclass(frozen=True)
class Sampling:
    """How a model is sampled. `psi`, `cutoff` as `Generator.truncate`; `label` a class for all, None: all in turn."""

    psi: float = 1.0
    cutoff: int | None = None
    first_seed: int = FIRST_SEED
    label: int | None = None
    mixed: int = 1  # latents that are mixed at random layers (Karras et al. 2019, table 2)


class ModelPictures:
    """Samples of a generator at its own lod, each with random noise of its own, as in the paper's metrics."""

    most = None

    def __init__(self, G: Network, sampling: Sampling | None = None, name: str = "") -> None:
        """Raises InputError for a sampling that the model cannot do."""
        self.sampling = sampling = sampling or Sampling()
        check_seed(sampling.first_seed)
        checks.psi(sampling.psi)
        checks.cutoff(sampling.cutoff, G.config.num_ws)
        if not 1 <= sampling.mixed <= 8:
            raise InputError(f"From 1 to 8 latents can be mixed, not {sampling.mixed}.")
        if sampling.label is not None:
            G.one_hot([sampling.label])
        self._G = G
        self.name = name or G.digest[:8]
        self.resolution = G.config.resolution
        self.model = G.digest
        same = replace(sampling, cutoff=None) if sampling.psi == 1 else sampling  # ψ = 1 reaches no layer
        self.digest = hashlib.sha256(f"model {G.digest} {same!r}".encode()).hexdigest()
        self._batch = max(1, min(32, _PIXELS_AT_ONCE // self.resolution**2))

    def take(self, first: int, count: int) -> Tensor:
        """As `Pictures.take`; each picture depends on its number alone. InputError when pictures are not finite."""
        parts = []
        for start in range(first, first + count, self._batch):
            stop = min(start + self._batch, first + count)
            x = self.synthesis(self.styles(range(start, stop)), range(start, stop))
            if not bool(torch.isfinite(x).all()):
                raise InputError(f"The model {self.name} gives pictures that are not numbers (NaN): it has diverged.")
            parts.append(to_uint8(x).cpu())
        return torch.cat(parts) if parts else torch.zeros(0, self.resolution, self.resolution, 3, dtype=torch.uint8)

    @property
    def network(self) -> Network:
        """The generator."""
        return self._G

    def labels(self, numbers: Sequence[int]) -> Tensor | None:
        """One-hot labels of pictures `numbers`; None in a model without classes."""
        return _labels(self._G, numbers, self.sampling.label)

    def latents(self, numbers: Sequence[int], turn: int = 0) -> Tensor:
        """z `[n, z_dim]` of pictures `numbers`; `turn` > 0 gives the latents that are mixed in."""
        first = self.sampling.first_seed + turn * 100_000_000
        return seeds_to_z(((first + i) % (MAX_SEED + 1) for i in numbers), self._G.config.z_dim)

    def styles(self, numbers: Sequence[int]) -> Tensor:
        """w `[n, L, w_dim]` of pictures `numbers`, mixed and truncated as the sampling says."""
        G, sampling = self._G, self.sampling
        labels = self.labels(numbers)
        with torch.no_grad():
            w = G.mapping(self.latents(numbers).to(G.w_mean), labels)
            if sampling.mixed > 1:
                w = self._mixed(w, numbers, labels)
            cutoff = G.config.num_ws if sampling.cutoff is None else sampling.cutoff
            return truncate(w, G.w_mean, sampling.psi, cutoff)

    def synthesis(self, w: Tensor, numbers: Sequence[int]) -> Tensor:
        """`[n, 3, R, R]` float pictures of `w`, with the random noise of `numbers`."""
        G = self._G
        with torch.no_grad():
            images: Tensor = G.synthesis(w, self._noise(numbers), lod=G.lod)
            return images

    def _noise(self, numbers: Sequence[int]) -> list[Tensor | None]:
        """Noise that hangs on the picture's number alone, drawn on the CPU: the same in any batch, on any device."""
        G = self._G
        if not G.config.use_noise:
            return [None] * len(G.noise_images("none", len(numbers)))
        shapes = [image.shape for image in G.noise_images("stored", 1) if image is not None]
        drawn = [[] for _ in shapes]  # type: list[list[Tensor]]
        for number in numbers:
            rng = torch.Generator().manual_seed(self.sampling.first_seed + number)
            for images, shape in zip(drawn, shapes, strict=True):
                images.append(torch.randn(1, *shape[1:], generator=rng))
        return [torch.cat(images).to(G.w_mean) for images in drawn]

    def _mixed(self, w: Tensor, numbers: Sequence[int], labels: Tensor | None) -> Tensor:
        """Each picture's layers are cut at `mixed − 1` random places, and each stretch has a latent of its own."""
        G, mixed = self._G, self.sampling.mixed
        sources = [w] + [G.mapping(self.latents(numbers, k).to(G.w_mean), labels) for k in range(1, mixed)]
        picked = torch.empty(len(numbers), G.config.num_ws, dtype=torch.int64)
        for row, number in enumerate(numbers):
            cuts = np.random.RandomState(self.sampling.first_seed + number).randint(1, G.config.num_ws, mixed - 1)
            picked[row] = torch.from_numpy(np.searchsorted(np.sort(cuts), np.arange(G.config.num_ws), side="right"))
        index = picked.to(w.device)[None, :, :, None].expand(1, -1, -1, w.shape[2])
        return torch.stack(sources).gather(0, index)[0]


def _labels(G: Network, numbers: Sequence[int], label: int | None) -> Tensor | None:
    if not G.config.label_dim:
        return None
    return G.one_hot([number % G.config.label_dim if label is None else label for number in numbers])


def open_pictures(
    spec: str,
    resolution: int,
    *,
    count: int | None = None,
    cache: str | os.PathLike[str] | None = None,
    device: str | torch.device = "cpu",
) -> Generator[Progress, None, Pictures]:
    """What `--data` names: `portraits`, `portraits:N`, a folder, a zip, or another model.

    Args:
        resolution: that pictures of a data set are prepared at; another model brings its own.
        count: portraits to render where the spec says no number.

    Raises:
        InputError, DataError, ModelFileError: what is wrong with it.
    """
    if spec == ENDLESS:
        raise InputError(f"An endless stream cannot be measured against: take {PORTRAITS}:10000, say.")
    name, _, number = spec.partition(":")
    if name == PORTRAITS:
        if number and not number.isdecimal():
            raise InputError(f"A number of portraits is written {PORTRAITS}:10000, not {spec!r}.")
        wanted = int(number) if number else count or DEFAULT_COUNT
        data = yield from prepare(PORTRAITS, resolution, count=wanted, cache=cache, device=device)
    elif Path(spec).is_file() and (Path(spec).suffix in MODEL_SUFFIXES or reader.is_model_file(spec)):
        return ModelPictures(load(spec, device), Sampling(first_seed=2 * FIRST_SEED), Path(spec).stem)
    else:
        data = yield from prepare(spec, resolution, cache=cache, labels=False, device=device)
    assert isinstance(data, Dataset)
    return DataPictures(data)
