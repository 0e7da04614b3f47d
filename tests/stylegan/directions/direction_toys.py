"""A linear world in which every direction is known: pictures show w, and scores are linear in them."""

from types import SimpleNamespace

import numpy as np
import torch

from stylegan.directions import Samples
from stylegan.directions.targets import Column

D = 16
SIDE = 8  # a picture has 64 pixels: the first 16 show the mean over layers of w


class LinearGenerator:
    """What directions need of a generator, with w = A z and pictures that show w."""

    digest = "ab" * 32
    lod = 0.0

    def __init__(self, spread: np.ndarray, label_dim: int = 0) -> None:
        self.config = SimpleNamespace(z_dim=D, w_dim=D, num_ws=3, label_dim=label_dim, mapping_layers=0)
        self.w_mean = torch.zeros(D)
        rotation = np.linalg.qr(np.random.RandomState(5).randn(D, D))[0]
        self.a = torch.from_numpy(rotation * spread[:, None]).float()  # w = A z, variances spread²

    def mapping(self, z, labels=None):
        w = z @ self.a.T
        if labels is not None:
            w = w + labels @ torch.ones(labels.shape[1], D) * torch.arange(labels.shape[1]).float()[:, None].mean()
        return w[:, None].expand(-1, 3, -1)

    def one_hot(self, classes):
        return torch.nn.functional.one_hot(torch.tensor(classes), self.config.label_dim).float()

    def synthesis(self, w, noise="stored", lod=0.0, full_size=True):
        assert noise == "stored"
        pixels = torch.zeros(len(w), 1, SIDE * SIDE)
        pixels[:, 0, :D] = w.mean(dim=1)
        return pixels.reshape(len(w), 1, SIDE, SIDE)


class LinearScorer:
    """Scores `[N, K]` = normals `[K, D]` · w, as quantities."""

    digest = "cd" * 32

    def __init__(self, normals: np.ndarray) -> None:
        self.normals = torch.from_numpy(normals).float()
        self.columns = tuple(Column(f"attribute {i}", "continuous") for i in range(len(normals)))

    def score(self, pictures):
        return pictures.flatten(1)[:, :D] @ self.normals.T


def normals(count: int = 3, seed: int = 7) -> np.ndarray:
    """Unit vectors `[count, D]`, not orthogonal."""
    found = np.random.RandomState(seed).randn(count, D)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def linear_samples(count=10_000, noise=0.2, width=D, spread=None, seed=3):
    """Samples whose scores are three known normals · w plus noise, the third as a probability; and the normals."""
    rng = np.random.RandomState(seed)
    z = rng.randn(count, width)
    w = z * (np.linspace(0.6, 1.6, width) if spread is None else spread) + rng.randn(width)
    known = rng.randn(3, width)
    known /= np.linalg.norm(known, axis=1, keepdims=True)
    scores = (w - w.mean(axis=0)) @ known.T
    scores += noise * scores.std(axis=0) * rng.randn(count, 3)
    scores[:, 2] = 1 / (1 + np.exp(-4 * (scores[:, 2] + 0.8)))
    columns = (Column("first", "continuous"), Column("second", "continuous"), Column("yes", "binary"))
    tensors = [torch.from_numpy(x).float() for x in (z, w)]
    samples = Samples("ab" * 32, tuple(range(count)), *tensors, columns, scores.astype(np.float32), "cd" * 32)
    return samples, known


def angle_deg(a, b) -> float:
    a, b = (np.asarray(x, dtype=np.float64) for x in (a, b))
    return float(np.degrees(np.arccos(np.clip(a @ b / np.linalg.norm(a) / np.linalg.norm(b), -1, 1))))
