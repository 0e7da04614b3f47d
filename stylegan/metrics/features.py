"""Feature extractors: pictures → vectors whose distributions are compared. Every number carries its extractor's name.

The default is EfficientNet-Lite0, which works offline. Pictures of any size from 8² up are resized to 160² (bicubic,
antialiased, not rounded), standardised as the network was trained, (pixel − 127) / 128, and its last 1280 channels
are averaged over the 5×5 places. Why 160: all five strides divide it; it is four fifths of the usual ImageNet sizes in
what the network sees of a face, at half the price of its training size 224 (10,000 against 10,000 pictures in minutes
on two cores); and one size for all, because numbers at different reading sizes could not be compared. Why the last
layer: it is the counterpart of Inception's pool features, of which the Fréchet distance was defined.
"""

from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from stylegan.errors import InputError
from stylegan.metrics import lite0

MIN_SIDE_PX = 8
DEFAULT = "lite0"
_READ_AT_PX = 160
_BATCH = 16  # fixed: a float's last digit hangs on it


class Extractor(Protocol):
    """What turns pictures into features."""

    @property
    def name(self) -> str:
        """As it stands beside every number."""

    @property
    def width(self) -> int:
        """D, the length of a feature vector."""

    @property
    def digest(self) -> str:
        """Identity of what it computes, hexadecimal."""

    def features(self, pictures: Tensor) -> Tensor:
        """uint8 `[N, H, W, 3]` → float32 `[N, D]` on the CPU. Raises InputError for pictures it cannot read."""


class Lite0Features:
    """The default extractor."""

    name = "EfficientNet-Lite0"
    width = lite0.WIDTH
    digest = f"{lite0.SHA256[:32]}-{_READ_AT_PX}-bicubic-1"

    def __init__(self, device: str | torch.device = "cpu") -> None:
        """Raises InputError when the weights are not installed."""
        self._device = torch.device(device)
        self._net = lite0.load_lite0(device)

    def features(self, pictures: Tensor) -> Tensor:
        """uint8 `[N, H, W, 3]` → float32 `[N, 1280]`."""
        check_pictures(pictures)
        with torch.inference_mode():
            parts = [self._net(self._read(part)).cpu() for part in torch.split(pictures, _BATCH)]
        return torch.cat(parts) if parts else torch.zeros(0, self.width)

    def _read(self, pictures: Tensor) -> Tensor:
        x = pictures.to(self._device).permute(0, 3, 1, 2).float()
        if x.shape[2:] != (_READ_AT_PX, _READ_AT_PX):
            x = F.interpolate(x, size=(_READ_AT_PX, _READ_AT_PX), mode="bicubic", antialias=True)
        return ((x - 127) / 128).contiguous(memory_format=torch.channels_last)


def check_pictures(pictures: Tensor) -> None:
    """InputError unless `pictures` is uint8 `[N, H, W, 3]`, at least 8 pixels a side."""
    if not isinstance(pictures, Tensor) or pictures.ndim != 4 or pictures.dtype != torch.uint8:
        raise InputError("Features are taken of uint8 pictures [N, H, W, 3].")
    if pictures.shape[3] != 3 or min(pictures.shape[1:3]) < MIN_SIDE_PX:
        height, width, channels = pictures.shape[1:]
        raise InputError(f"Features need colour pictures of {MIN_SIDE_PX}² or more, not {height}×{width}×{channels}.")
