"""Features and pictures in miniature for the tests of metrics."""

import hashlib

import numpy as np
import torch

from stylegan.metrics.store import BLOCK, Features, _write


def kept(folder, rows) -> Features:
    """`rows [N, D]` as kept features."""
    rows = np.asarray(rows, dtype=np.float32)
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(-(-len(rows) // BLOCK)):
        _write(folder, number, rows[number * BLOCK : (number + 1) * BLOCK])
    return Features(len(rows), rows.shape[1], folder)


class BlockMeans:
    """2×2 block means of a picture: 12 features, as the golden files' stand-in for Inception."""

    name, width, digest = "block means", 12, "ab" * 32

    def __init__(self) -> None:
        self.seen = 0

    def features(self, pictures):
        self.seen += len(pictures)
        x = pictures.permute(0, 3, 1, 2).float()
        return torch.nn.functional.adaptive_avg_pool2d(x, 2).flatten(1)


class RandomPictures:
    """Pictures of numbers, each from a seed of its own; `bright` is added to every pixel."""

    def __init__(self, most=None, resolution=8, bright=0, name="toys") -> None:
        self.most, self.resolution, self.bright, self.name = most, resolution, bright, name
        self.digest = hashlib.sha256(f"{most} {resolution} {bright}".encode()).hexdigest()

    def take(self, first, count):
        size = (self.resolution, self.resolution, 3)
        drawn = [np.random.RandomState(first + i).randint(0, 200, size) + self.bright for i in range(count)]
        return torch.from_numpy(np.stack(drawn).astype(np.uint8))
