"""What a trainer asks of its data, and the answer for pictures that lie in a pyramid.

A data set is an endless stream of pictures: the trainer's whole state is how many it has seen.
"""

from typing import Protocol

import numpy as np
import torch

from stylegan.data.labels import Labels
from stylegan.data.pyramid import Indices, Pyramid, sides
from stylegan.data.records import Report
from stylegan.data.sampling import ShuffledIndices
from stylegan.errors import InputError

_CHUNK_BYTES = 64 << 20

Batch = tuple[torch.Tensor, torch.Tensor]


class TrainingData(Protocol):
    """Pictures for training. `digest` changes with whatever `batch` answers, but for the order."""

    @property
    def name(self) -> str:
        """For people: `portraits`, or the name of the folder or zip."""

    @property
    def resolution(self) -> int:
        """Side of the finest pictures, in pixels."""

    @property
    def label_dim(self) -> int:
        """Classes that training is conditioned on; 0 for none."""

    @property
    def digest(self) -> str:
        """Identity of the pictures and labels, hexadecimal."""

    def batch(self, position: int, count: int, resolution: int, mirror: bool) -> Batch:
        """Pictures number `position` … `position + count` − 1 of the stream: uint8 `[count, 3, r, r]`, contiguous, and
        labels float32 `[count, label_dim]`, both on the device of `to_memory`.

        `mirror` flips each picture left to right with probability 0.5, always the same way at the same position.
        """

    def to_memory(self, device: str | torch.device) -> None:
        """From now on answer on `device`, and keep pictures there where that saves time."""


def notes(data: TrainingData) -> tuple[str, ...]:
    """Sentences for people about what was found while the pictures were prepared: skipped files, say."""
    report: Report | None = getattr(data, "report", None)
    return report.warnings if report else ()


class Dataset:
    """Pictures in a pyramid, with labels: what a folder, a zip or portraits rendered beforehand become.

    `labels` is one-hot float32 `[N, label_dim]`, `attributes` float32 `[N, A]` with one column per attribute name;
    `report` says what was found (None for rendered pictures).
    """

    def __init__(
        self,
        pyramid: Pyramid,
        labels: Labels,
        *,
        name: str,
        digest: str,
        seed: int,
        report: Report | None = None,
        pictures_digest: str | None = None,
    ) -> None:
        self.name = name
        self.digest = digest
        self.pictures_digest = pictures_digest or digest  # of the pictures alone, whatever is known about them
        self.report = report
        self.resolution = pyramid.resolution
        self.class_names = labels.class_names
        self.attribute_names = labels.attribute_names
        self.labels = torch.from_numpy(labels.classes)
        self.attributes = torch.from_numpy(labels.attributes)
        self._pyramid = pyramid
        self._order = ShuffledIndices(pyramid.count, seed)
        self._device: torch.device | None = None
        self._max_bytes = 0
        self._resident = torch.empty(0, 0, 0, 3, dtype=torch.uint8)  # one level, or nothing

    def __len__(self) -> int:
        return self._pyramid.count

    @property
    def label_dim(self) -> int:
        """Number of classes; 0 for none."""
        return len(self.class_names)

    def to_memory(self, device: str | torch.device, max_gib: float = 8.0) -> None:
        """From now on answer on `device`; a level of at most `max_gib` is kept there while it is the one in use."""
        self._device = torch.device(device)
        self._max_bytes = int(max_gib * 2**30)
        self._resident = torch.empty(0, 0, 0, 3, dtype=torch.uint8)

    def batch(self, position: int, count: int, resolution: int, mirror: bool) -> Batch:
        """As `TrainingData.batch`; each epoch is a shuffle of all pictures."""
        indices = self._order.take(position, count)
        x = self.pictures(indices, resolution).permute(0, 3, 1, 2).contiguous()
        if mirror:
            flips = _sent(torch.from_numpy(self._order.mirrored(position, count)), x.device)
            x = torch.where(flips[:, None, None, None], x.flip(3), x)
        return x, _sent(self.labels[torch.from_numpy(indices)], x.device)

    def pictures(self, indices: Indices | torch.Tensor, resolution: int) -> torch.Tensor:
        """uint8 `[n, resolution, resolution, 3]` of the pictures with these numbers (0 … N−1).

        Raises:
            InputError: a number or a resolution that the data set does not have.
            DataError: the cache file was cut short while in use.
        """
        if resolution not in sides(self.resolution):
            raise InputError(f"{self.name} has the resolutions {sides(self.resolution)}, not {resolution}.")
        wanted = np.asarray(indices, dtype=np.int64)
        if wanted.size and not 0 <= wanted.min() <= wanted.max() < len(self):
            raise InputError(f"{self.name} has the pictures 0 to {len(self) - 1} only.")
        if self._device is None or len(self) * 3 * resolution**2 > self._max_bytes:
            x = torch.from_numpy(self._pyramid.read(wanted, resolution))
            return x if self._device is None else x.to(self._device)
        if self._resident.shape[1] != resolution:
            self._load(resolution, self._device)
        return self._resident[_sent(torch.from_numpy(wanted), self._device)]

    def _load(self, resolution: int, device: torch.device) -> None:
        self._resident = torch.empty(0, 0, 0, 3, dtype=torch.uint8)  # let go of the last level before the next
        level = torch.empty(len(self), resolution, resolution, 3, dtype=torch.uint8, device=device)
        step = max(1, _CHUNK_BYTES // (3 * resolution**2))
        for start in range(0, len(self), step):
            part = np.arange(start, min(start + step, len(self)))
            level[start : start + len(part)] = torch.from_numpy(self._pyramid.read(part, resolution))
        self._resident = level


def _sent(tensor: torch.Tensor, device: torch.device) -> torch.Tensor:
    """On `device`; a GPU is not waited for."""
    return tensor.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else tensor.to(device)
