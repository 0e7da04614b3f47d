"""A perceptual distance that works offline, for path lengths: LPIPS's formula (Zhang et al. 2018, eq. 1) with
EfficientNet-Lite0 in place of VGG16 and all channels weighing the same.

d = Σ_stages mean over places ‖y_a − y_b‖², y the features of a stage, each place scaled to unit length. Path lengths by
it have their own scale: compare them with each other, and with papers' only those by VGG16-LPIPS.
"""

from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from stylegan.metrics import lite0

_READ_AT_PX = 128  # at least: smaller pictures are enlarged, or the deep stages would see a single place


class Distance(Protocol):
    """How different two pictures look."""

    @property
    def name(self) -> str:
        """As it stands beside every number."""

    def distance(self, a: Tensor, b: Tensor) -> Tensor:
        """Float pictures `[N, 3, H, W]` from 0 to 255, not rounded → `[N]` on the CPU."""


class Lite0Distance:
    """The default distance."""

    name = "EfficientNet-Lite0 distance"

    def __init__(self, device: str | torch.device = "cpu") -> None:
        """Raises InputError when the weights are not installed."""
        self._device = torch.device(device)
        self._net = lite0.load_lite0(device)

    def distance(self, a: Tensor, b: Tensor) -> Tensor:
        """As `Distance.distance`."""
        x = torch.cat([a, b]).to(self._device).float()
        if min(x.shape[2:]) < _READ_AT_PX:
            x = F.interpolate(x, size=(_READ_AT_PX, _READ_AT_PX), mode="bilinear", antialias=True)
        total = torch.zeros(len(a), dtype=torch.float64)
        with torch.no_grad():
            for stage in self._net.stages((x - 127) / 128):
                unit = stage / stage.square().sum(dim=1, keepdim=True).sqrt().clamp_min(1e-10)
                first, second = unit.double().chunk(2)
                total += (first - second).square().sum(dim=1).mean(dim=(1, 2)).cpu()
        return total
