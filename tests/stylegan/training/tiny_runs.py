"""A tiny run: networks of 8 channels at 16², pictures from a formula. For the tests and the processes they start."""

from typing import Any

import torch

from stylegan.config import DiscriminatorConfig, GeneratorConfig
from stylegan.training.config import TrainConfig
from stylegan.training.trainer import IterationStats, Trainer


class Stripes:
    """Training data without files: picture i of the stream is a function of (i, seed)."""

    name = "stripes"

    def __init__(self, resolution: int = 16, label_dim: int = 0, seed: int = 0) -> None:
        self.resolution, self.label_dim, self.seed = resolution, label_dim, seed
        self.digest = f"stripes-{resolution}-{label_dim}-{seed}"
        self.fails_at: int | None = None  # position from which reading raises `error`
        self.error: Exception | None = None

    def batch(self, position: int, count: int, resolution: int, mirror: bool) -> tuple[torch.Tensor, torch.Tensor]:
        if self.error is not None and position + count > (self.fails_at or 0):
            raise self.error
        pictures = torch.stack([self._picture(i, resolution) for i in range(position, position + count)])
        classes = torch.arange(position, position + count) % max(self.label_dim, 1)
        labels = torch.nn.functional.one_hot(classes, max(self.label_dim, 1)).float()
        return pictures, labels[:, : self.label_dim]

    def _picture(self, i: int, resolution: int) -> torch.Tensor:
        phase = (i * 2654435761 + self.seed * 97) % 251
        rows = torch.arange(resolution) * (512 // resolution)
        picture = (rows[:, None] * (1 + i % 3) + rows[None, :] * (i % 5) + phase) % 256
        return torch.stack([picture, 255 - picture, (picture * 2) % 256]).to(torch.uint8)

    def to_memory(self, device: Any) -> None:
        pass


def tiny_run(label_dim: int = 0, resolution: int = 16, **overrides: Any) -> TrainConfig:
    """A run of 0.24 kimg that grows from 8² to 16² with fades, minibatch 8."""
    shared: dict[str, Any] = {"resolution": resolution, "fmap_base": 64, "fmap_max": 8, "label_dim": label_dim}
    generator = GeneratorConfig(**shared, z_dim=8, w_dim=8, mapping_fmaps=8, mapping_layers=2)
    defaults: dict[str, Any] = {
        "total_kimg": 0.24,
        "lod_training_kimg": 0.06,
        "lod_transition_kimg": 0.06,
        "minibatch_base": 8,
        "minibatch_repeats": 2,
        "ema_kimg": 0.05,
    }
    return TrainConfig(generator, DiscriminatorConfig(**shared), **{**defaults, **overrides})


def iterate(trainer: Trainer, data: Stripes, iterations: int) -> list[IterationStats]:
    """What a run does, without its folder."""
    config, stats = trainer.config, []
    for _ in range(iterations):
        phase = config.phase(trainer.nimg)
        trainer.enter(phase)
        batch = data.batch(trainer.nimg, phase.minibatch, phase.resolution, config.mirror)
        stats.append(trainer.iteration(*batch, phase))
    return stats
