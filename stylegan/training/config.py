"""A training run as one frozen value: networks, schedule, losses, bookkeeping. Presets, overrides, JSON.

`small` is for laptops: fewer channels, short phases, a larger learning rate. The others are the paper's B … F.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal, Self, get_args

from stylegan.config import PAPER_PRESETS, DiscriminatorConfig, GeneratorConfig, generator_preset
from stylegan.errors import InputError
from stylegan.training.schedule import PAPER_LEARNING_RATE, PAPER_MINIBATCH, Phase, grown_kimg, lod_at

Loss = Literal["logistic", "wgan-gp"]
Precision = Literal["fp32", "bf16", "fp16"]
PRESETS = ("small", *PAPER_PRESETS)


@dataclass(frozen=True)
class TrainConfig:
    """Everything that decides what a run computes. Defaults are the paper's F (FACTS §7)."""

    generator: GeneratorConfig = field(default_factory=GeneratorConfig)
    discriminator: DiscriminatorConfig = field(default_factory=DiscriminatorConfig)
    seed: int = 0  # of the first weights and of every later draw
    total_kimg: float = 25_000  # thousands of images shown before the run ends

    # Progressive growing
    initial_resolution: int = 8
    lod_training_kimg: float = 600
    lod_transition_kimg: float = 600
    minibatch: Mapping[int, int] = field(default_factory=dict)  # by resolution, over all processes
    minibatch_base: int = 32  # for resolutions that `minibatch` does not name
    learning_rate: Mapping[int, float] = field(default_factory=dict)  # by resolution, of both networks
    learning_rate_base: float = 0.001
    minibatch_repeats: int = 4  # iterations between two looks at the schedule

    # Losses
    loss: Loss = "logistic"
    r1_gamma: float = 10.0  # weight of R1, for gradients at full resolution (FACTS §6)
    r1_interval: int = 1  # R1 in every n-th step only, n times as strong (lazy regularisation)
    gp_weight: float = 10.0  # WGAN-GP: weight of the gradient penalty
    drift_weight: float = 0.001  # WGAN-GP: weight of the squared real scores

    # Bookkeeping
    mirror: bool = True  # flip half of the pictures
    adam_beta2: float = 0.99  # β₁ is 0
    ema_kimg: float = 10.0  # half-life of the averaged generator
    ema_rampup: float | None = None  # the half-life is at most this share of the images so far; None = no ramp
    precision: Precision = "fp32"  # of the convolutions; weights, statistics and penalties stay in float32
    microbatch: int | None = None  # most pictures at once in one process; None = the whole share

    def __post_init__(self) -> None:
        g, d = self.generator, self.discriminator
        for name in ("resolution", "label_dim", "image_channels"):
            _require(getattr(g, name) == getattr(d, name), f"generator and discriminator differ in {name}.")
        _require(self.loss in get_args(Loss), f"loss is one of {', '.join(get_args(Loss))}, not {self.loss!r}.")
        _require(self.precision in get_args(Precision), f"precision is fp32, bf16 or fp16, not {self.precision!r}.")
        _number(self, "total_kimg", 0, 1e7)
        _require(self.total_kimg > 0, "total_kimg is larger than 0.")
        for name in ("lod_training_kimg", "lod_transition_kimg"):
            _number(self, name, 0, 1e6)
        growing = self.initial_resolution < g.resolution
        _require(
            not growing or self.lod_training_kimg + self.lod_transition_kimg > 0,
            "lod_training_kimg and lod_transition_kimg are both 0: growing takes time.",
        )
        powers = [2**i for i in range(2, g.log2_resolution + 1)]
        _require(self.initial_resolution in powers, f"initial_resolution is one of {powers}.")
        _require(self.seed in range(2**32), f"seed is a whole number from 0 to 4294967295, not {self.seed!r}.")
        for name, low, high in (("r1_gamma", 0, 1e6), ("gp_weight", 0, 1e6), ("drift_weight", 0, 1e6)):
            _number(self, name, low, high)
        _number(self, "ema_kimg", 0, 1e6)
        _number(self, "adam_beta2", 0, 0.99999)
        if self.ema_rampup is not None:
            _number(self, "ema_rampup", 1e-6, 1e3)
        for name in ("r1_interval", "minibatch_repeats", "minibatch_base"):
            _count(name, getattr(self, name))
        if self.microbatch is not None:
            _count("microbatch", self.microbatch)
        for side, value in (*self.minibatch.items(), *self.learning_rate.items()):
            _require(side in {4 << i for i in range(9)}, f"{side!r} is no resolution.")
            _require(math.isfinite(value) and value > 0, f"minibatch or learning rate at {side}²: {value} is not > 0.")
        _require(0 < self.learning_rate_base < 10, "learning_rate_base is from 0 to 10.")
        self._check_groups()

    def _check_groups(self) -> None:
        group = self.discriminator.mbstd_group_size
        for size in {self.minibatch_base, *self.minibatch.values()}:
            _count("minibatch", size)
            _require(
                size % max(1, min(group, size)) == 0,
                f"minibatch {size} is not a multiple of the discriminator's group of {group}.",
            )

    def phase(self, nimg: int) -> Phase:
        """What holds after `nimg` images."""
        lod = lod_at(
            nimg,
            self.generator.resolution,
            self.initial_resolution,
            self.lod_training_kimg,
            self.lod_transition_kimg,
        )
        resolution = self.generator.resolution >> int(lod)
        return Phase(
            lod,
            resolution,
            self.minibatch.get(resolution, self.minibatch_base),
            self.learning_rate.get(resolution, self.learning_rate_base),
        )

    @property
    def grown_kimg(self) -> float:
        """When the full resolution is reached for good."""
        return grown_kimg(
            self.generator.resolution, self.initial_resolution, self.lod_training_kimg, self.lod_transition_kimg
        )

    def to_json(self) -> dict[str, Any]:
        """Plain values; `from_json` is the inverse."""
        data = asdict(self)
        data["generator"], data["discriminator"] = self.generator.to_json(), self.discriminator.to_json()
        for name in ("minibatch", "learning_rate"):
            data[name] = {str(key): value for key, value in getattr(self, name).items()}
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote; InputError for anything else."""
        unknown = sorted(set(data) - {f.name for f in fields(cls)})
        _require(not unknown, f"unknown options in the training config: {', '.join(map(str, unknown))[:200]}.")
        values = dict(data)
        values["generator"] = GeneratorConfig.from_json(values.get("generator", {}))
        values["discriminator"] = DiscriminatorConfig.from_json(values.get("discriminator", {}))
        for name in ("minibatch", "learning_rate"):
            values[name] = {int(key): value for key, value in dict(values.get(name, {})).items()}
        try:
            return cls(**values)
        except TypeError as error:
            raise InputError(f"The training config holds a value of the wrong kind: {error}.") from error


def preset(
    name: str,
    resolution: int,
    total_kimg: float | None = None,
    label_dim: int = 0,
    processes: int = 1,
    network: Mapping[str, Any] | None = None,
    **overrides: Any,
) -> TrainConfig:
    """The training preset `small`, `b`, `c`, `d`, `e` or `f`, with overrides.

    Args:
        name: which one; case does not matter.
        resolution: of the pictures, a power of two from 8 to 1024.
        total_kimg: length in thousands of images; None = the preset's own.
        label_dim: number of classes of the data.
        processes: for the paper's presets, how many share a minibatch: decides its size as in the official code.
        network: overrides of GeneratorConfig (those that DiscriminatorConfig knows too go to both).
        overrides: overrides of TrainConfig.
    """
    key = str(name).lower()
    _require(key in PRESETS, f"preset {name!r} is unknown; known are {', '.join(PRESETS)}.")
    shared = {"resolution": resolution, "label_dim": label_dim}
    options = {**(_SMALL_NETWORK if key == "small" else {}), **(network or {})}
    generator = generator_preset("f" if key == "small" else key, **{**options, **shared})
    known = {f.name for f in fields(DiscriminatorConfig)}
    discriminator = DiscriminatorConfig(**{**{k: v for k, v in options.items() if k in known}, **shared})
    if key == "small":
        base = _small(generator, discriminator, total_kimg or 200.0)
    else:
        minibatch, minibatch_base = PAPER_MINIBATCH[max(k for k in PAPER_MINIBATCH if k <= max(processes, 1))]
        rates, rate_base = PAPER_LEARNING_RATE
        base = TrainConfig(
            generator,
            discriminator,
            total_kimg=total_kimg or 25_000,
            minibatch=minibatch,
            minibatch_base=minibatch_base,
            learning_rate=rates,
            learning_rate_base=rate_base,
            initial_resolution=min(8, resolution),
        )
    unknown = sorted(set(overrides) - {f.name for f in fields(TrainConfig)})
    _require(not unknown, f"unknown options: {', '.join(unknown)}.")
    return replace(base, **overrides)


_SMALL_NETWORK: dict[str, Any] = {
    "z_dim": 128, "w_dim": 128, "mapping_fmaps": 128, "fmap_base": 2048, "fmap_max": 128,
}  # fmt: skip


def _small(generator: GeneratorConfig, discriminator: DiscriminatorConfig, total_kimg: float) -> TrainConfig:
    """Grows from 8² to the full size in the first 40 % of the run."""
    doublings = max(1, generator.log2_resolution - 3)
    phase = total_kimg * 0.4 / doublings / 2
    return TrainConfig(
        generator,
        discriminator,
        total_kimg=total_kimg,
        initial_resolution=8,
        lod_training_kimg=phase,
        lod_transition_kimg=phase,
        minibatch={4: 64, 8: 64, 16: 32, 32: 32},
        minibatch_base=16,
        learning_rate_base=0.002,
        # γ is for sums over pixels: keep its weight per pixel at that of 10 at 256² (Mescheder et al. 2018).
        r1_gamma=10.0 * (generator.resolution / 256) ** 2,
        r1_interval=4,
        ema_kimg=min(10.0, total_kimg / 20),
        ema_rampup=0.05,
    )


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise InputError(message)


def _count(name: str, value: object) -> None:
    fits = isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 1 << 20
    _require(fits, f"{name} is a whole number ≥ 1, not {value!r}.")


def _number(config: object, name: str, low: float, high: float) -> None:
    value = getattr(config, name)
    fits = isinstance(value, (int, float)) and not isinstance(value, bool) and low <= value <= high
    _require(fits, f"{name} is a number from {low:g} to {high:g}, not {value!r}.")
