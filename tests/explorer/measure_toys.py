"""A tiny extractor and measurements for tests of the Measure tab."""

import warnings
from pathlib import Path
from typing import Any

import torch
from torch import nn

from stylegan.metrics.measurement import Measurement


class _Means(nn.Module):
    """uint8 `[N, 3, H, W]` → 12 block means."""

    def forward(self, x):
        return nn.functional.adaptive_avg_pool2d(x.float(), 2).flatten(1)


def extractor(folder: Path) -> Path:
    """A TorchScript file that is quick."""
    path = folder / "means.pt"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.script(_Means()).save(str(path))
    return path


def measurement(metric: str = "frechet", value: float = 1.0, **more: Any) -> Measurement:
    """A measurement of a model that nobody made."""
    usual = {
        "extractor": "EfficientNet-Lite0", "model": "ab" * 32, "model_name": "cats", "data": "cd" * 32,
        "data_name": "photos", "resolution": 16, "count": 500, "data_count": 500, "when": "2026-11-01T10:00:00+00:00",
    }  # fmt: skip
    return Measurement(metric, value, **{**usual, **more})
