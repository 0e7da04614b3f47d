"""A small convolutional network that reads attributes off a picture, its file, and the scorer that it makes.

Five 3×3 convolutions with batch normalisation on 2×2 pixels at a time, pooled to 1/16 of the side, then one linear
layer. It is trained on ground truth (`train_scorer`), so that what directions in W mean does not hang on a network
whose labels nobody knows.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stylegan.directions import storage
from stylegan.directions.storage import Path_
from stylegan.directions.targets import Column, Target, target_from_json
from stylegan.errors import InputError, NotAModelError, WeightsError

KIND = "attributes"
ENDING = ".attributes.safetensors"
RESOLUTIONS = (32, 64, 128)
LEAST_R2, LEAST_AUC = 0.3, 0.8  # what a scorer reads worse is left out unless it is named
_BATCH = 256


@dataclass(frozen=True)
class ScorerConfig:
    """The network: pixels per side it works at, channels from the finest layers to the coarsest, and its targets."""

    targets: tuple[Target, ...]
    resolution: int = 64
    channels: tuple[int, int, int, int] = (24, 48, 96, 128)

    def __post_init__(self) -> None:
        if self.resolution not in RESOLUTIONS:
            raise InputError(f"A scorer works at {', '.join(map(str, RESOLUTIONS))} pixels, not {self.resolution!r}.")
        sizes_fit = len(self.channels) == 4 and all(isinstance(c, int) and 1 <= c <= 1024 for c in self.channels)
        if not sizes_fit:
            raise InputError(f"A scorer has four numbers of channels from 1 to 1024, not {self.channels!r}.")
        names = [column.name for target in self.targets for column in target.columns]
        if not names or len(set(names)) < len(names):
            raise InputError("A scorer has at least one attribute, and no two of the same name.")

    @classmethod
    def from_json(cls, data: Any) -> "ScorerConfig":
        """The inverse of `asdict` after JSON; InputError for anything else."""
        try:
            targets = tuple(target_from_json(target) for target in data["targets"])
            return cls(targets, data["resolution"], tuple(data["channels"]))
        except (TypeError, KeyError) as error:
            raise InputError("The config of a scorer has targets, resolution and channels.") from error


class AttributeNet(nn.Module):
    """Pictures `[N, 3, R, R]` in [−1, 1], R = config.resolution → raw outputs `[N, K]`, one for each score."""

    def __init__(self, config: ScorerConfig, seed: int | None = 0) -> None:
        """Weights drawn from `seed`; None: not drawn, for a network that will be loaded."""
        super().__init__()
        a, b, c, d = config.channels
        side = config.resolution // 16
        width = sum(len(target.columns) for target in config.targets)
        self.config = config
        with torch.device("meta"):  # torch's own initialisation would draw from the global generator
            self.layers = nn.Sequential(
                nn.PixelUnshuffle(2),
                *_block(12, a), *_block(a, b), nn.MaxPool2d(2),
                *_block(b, c), nn.MaxPool2d(2),
                *_block(c, d), nn.MaxPool2d(2),
                *_block(d, d), nn.Flatten(),
                nn.Linear(d * side * side, width),
            )  # fmt: skip
        self.to_empty(device="cpu")
        if seed is not None:
            self._reset(torch.Generator().manual_seed(seed))
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # half as long on a CPU

    def _reset(self, rng: torch.Generator) -> None:
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.reset_parameters()
            elif isinstance(module, (nn.Conv2d, nn.Linear)):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu", generator=rng)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, x: Tensor) -> Tensor:
        """`[N, 3, R, R]` → `[N, K]`."""
        raw: Tensor = self.layers(x.contiguous(memory_format=torch.channels_last))
        return raw

    def by_target(self, raw: Tensor) -> list[tuple[Target, Tensor]]:
        """Outputs `[N, K]` by target."""
        widths = [len(target.columns) for target in self.config.targets]
        return list(zip(self.config.targets, torch.split(raw, widths, dim=1), strict=True))


def _block(fewer: int, more: int) -> tuple[nn.Module, ...]:
    return nn.Conv2d(fewer, more, 3, padding=1, bias=False), nn.BatchNorm2d(more), nn.ReLU(inplace=True)


@dataclass(frozen=True, eq=False)
class AttributeScorer:
    """A trained network as a scorer.

    `quality` says for each score (and each category) how well it reads pictures that it was not trained on: "r2", or
    "accuracy" and "auc". `about` holds plain facts: data, count, seed, epochs, seconds.
    """

    net: AttributeNet
    quality: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    about: Mapping[str, Any] = field(default_factory=dict)

    @property
    def columns(self) -> tuple[Column, ...]:
        """The scores, in the order of `score`."""
        return tuple(column for target in self.net.config.targets for column in target.columns)

    @property
    def digest(self) -> str:
        """Identity of what it computes."""
        return storage.digest_of(asdict(self.net.config), _weights(self.net))

    @property
    def readable(self) -> tuple[str, ...]:
        """Names of the scores that it reads well, as far as `quality` says; R² from 0.3, AUC from 0.8."""

        def good(name: str) -> bool:
            known = self.quality.get(name, {})
            return known.get("r2", 1.0) >= LEAST_R2 and known.get("auc", 1.0) >= LEAST_AUC

        return tuple(column.name for column in self.columns if good(column.name))

    def score(self, pictures: Tensor) -> Tensor:
        """Pictures `[N, 1 or 3, R, R]`, any R, about [−1, 1] → float32 `[N, K]` on the CPU."""
        x = at_resolution(pictures, self.net.config.resolution)
        if not len(x):
            return torch.zeros(0, len(self.columns))
        device = next(self.net.parameters()).device
        with torch.no_grad():
            parts = [self.net(batch.to(device)) for batch in torch.split(x, _BATCH)]
        raw = torch.cat(parts).float()
        return torch.cat([target.scores(part) for target, part in self.net.by_target(raw)], dim=1).cpu()

    def to(self, device: str | torch.device) -> "AttributeScorer":
        """The same on `device`."""
        self.net.to(device)
        return self


def at_resolution(pictures: Tensor, resolution: int) -> Tensor:
    """Pictures `[N, 1 or 3, H, H]` → `[N, 3, resolution, resolution]` in [−1, 1]: means of areas, or linear in between.

    Raises:
        InputError: another shape.
    """
    if pictures.ndim != 4 or pictures.shape[1] not in (1, 3) or pictures.shape[2] != pictures.shape[3]:
        raise InputError(f"A scorer reads square pictures [N, 1 or 3, R, R], not {list(pictures.shape)}.")
    x = pictures.float().clamp(-1, 1).expand(-1, 3, -1, -1)
    if x.shape[2] > resolution:
        return F.interpolate(x, size=resolution, mode="area")
    return F.interpolate(x, size=resolution, mode="bilinear") if x.shape[2] < resolution else x


def save_scorer(scorer: AttributeScorer, path: Path_) -> str:
    """Write NAME.attributes.safetensors and return the scorer's digest.

    Raises:
        InputError: another ending, or no such folder.
        WeightsError: a weight is not finite.
    """
    quality = {name: dict(numbers) for name, numbers in scorer.quality.items()}
    document = {"config": asdict(scorer.net.config), "quality": quality, "about": dict(scorer.about)}
    storage.write(storage.check_name(path, ENDING), KIND, document, _weights(scorer.net))
    return scorer.digest


def load_scorer(path: Path_, device: str | torch.device = "cpu") -> AttributeScorer:
    """Read what `save_scorer` wrote: in eval mode, frozen.

    Raises:
        NotAModelError, NewerFormatError, WeightsError: what is wrong with the file.
    """
    document, tensors = storage.read(path, KIND)
    try:
        config = ScorerConfig.from_json(document["config"])
        quality = {str(name): {str(k): float(v) for k, v in q.items()} for name, q in document["quality"].items()}
        if not all(math.isfinite(value) for numbers in quality.values() for value in numbers.values()):
            raise InputError("A quality is not finite.")
        about = dict(document["about"])
    except (InputError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise NotAModelError(f"{path}: its metadata is damaged ({str(error)[:200].rstrip('.')}).") from error
    net = AttributeNet(config, seed=None)
    wanted = _weights(net)
    if {name: t.shape for name, t in tensors.items()} != {name: t.shape for name, t in wanted.items()}:
        raise WeightsError(f"{path}: its tensors do not fit its config.")
    net.load_state_dict(tensors, strict=False)
    return AttributeScorer(net.eval().requires_grad_(False).to(device), quality, about)


def _weights(net: AttributeNet) -> dict[str, Tensor]:
    """All but the counters of batches, which change nothing."""
    return {name: t for name, t in net.state_dict().items() if not name.endswith("num_batches_tracked")}
