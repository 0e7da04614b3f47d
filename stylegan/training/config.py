"""A training run as one frozen value: networks, schedule, losses, bookkeeping; checks and JSON. Presets: `presets`."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, Self, get_args

from stylegan.config import MAX_RESOLUTION, DiscriminatorConfig, GeneratorConfig
from stylegan.errors import InputError
from stylegan.seeds import check_seed
from stylegan.training.schedule import Phase, grown_kimg, lod_at

Loss = Literal["logistic", "wgan-gp"]
Precision = Literal["fp32", "bf16", "fp16"]
NUMBERS = {  # the numbers of a TrainConfig: smallest and largest value
    "total_kimg": (0.001, 1e7),
    "lod_training_kimg": (0, 1e6),
    "lod_transition_kimg": (0, 1e6),
    "learning_rate_base": (1e-9, 10),
    "r1_gamma": (0, 1e6),
    "gp_weight": (0, 1e6),
    "drift_weight": (0, 1e6),
    "adam_beta2": (0, 0.99999),
    "noise_rate": (0, 100),
    "ema_kimg": (0, 1e6),
    "ema_rampup": (1e-6, 1e3),
}
COUNTS = ("minibatch_base", "minibatch_repeats", "r1_interval", "microbatch")  # whole numbers from 1
METRICS = ("fid", "kid", "pr", "ppl")  # of those of `stylegan.metrics`, what can be measured while a run trains
METRICS_COUNT = (2, 1_000_000)
MOST = 1 << 20  # of a count
OPTIONAL = ("ema_rampup", "microbatch")  # None is allowed


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
    noise_rate: float = 1.0  # learning rate of the noise strengths, as a share of the others'
    ema_kimg: float = 10.0  # half-life of the averaged generator
    ema_rampup: float | None = None  # the half-life is at most this share of the images so far; None = no ramp
    precision: Precision = "fp32"  # of the convolutions; weights, statistics and penalties stay in float32
    microbatch: int | None = None  # most pictures at once in one process; None = the whole share

    # Measured of each snapshot (training.gauge); nothing of it changes the training
    metrics: tuple[str, ...] = ()  # some of METRICS
    metrics_count: int = 2500  # samples, and as many pictures of the data; Inception's features have 2048 dimensions
    metrics_extractor: str = "lite0"  # as `python -m stylegan metrics --extractor`

    def __post_init__(self) -> None:
        g, d = self.generator, self.discriminator
        for name in ("resolution", "label_dim", "image_channels"):
            _require(getattr(g, name) == getattr(d, name), f"generator and discriminator differ in {name}.")
        check_seed(self.seed)
        for name, (low, high) in NUMBERS.items():
            _number(self, name, low, high)
        for name in COUNTS:
            if name not in OPTIONAL or getattr(self, name) is not None:
                _count(name, getattr(self, name))
        _require(self.loss in get_args(Loss), f"loss is {' or '.join(get_args(Loss))}, not {self.loss!r}.")
        _require(self.precision in get_args(Precision), f"precision is fp32, bf16 or fp16, not {self.precision!r}.")
        _require(isinstance(self.mirror, bool), f"mirror is true or false, not {self.mirror!r}.")
        self._check_metrics()
        self._check_growing()
        self._check_tables()
        self.check_shares(1)

    def _check_metrics(self) -> None:
        unknown = [name for name in self.metrics if name not in METRICS]
        listed, (low, high), count = ", ".join(METRICS), METRICS_COUNT, self.metrics_count
        _require(
            not unknown,
            f"metrics of a run are {listed}, not {', '.join(map(str, unknown))}: `python -m stylegan metrics` measures "
            "the others, of any snapshot.",
        )
        whole = isinstance(count, int) and not isinstance(count, bool) and low <= count <= high
        _require(whole, f"metrics_count is a whole number from {low} to {high}, not {count!r}: one has no spread.")
        _require(isinstance(self.metrics_extractor, str), "metrics_extractor is lite0, inception, vgg16 or a path.")

    def _check_growing(self) -> None:
        powers = [2**i for i in range(2, self.generator.log2_resolution + 1)]
        fits = isinstance(self.initial_resolution, int) and self.initial_resolution in powers
        _require(fits, f"initial_resolution is one of {powers}, not {self.initial_resolution!r}.")
        takes_time = self.lod_training_kimg + self.lod_transition_kimg > 0
        _require(
            takes_time or self.initial_resolution == self.generator.resolution,
            "lod_training_kimg and lod_transition_kimg are both 0: growing takes time.",
        )

    def _check_tables(self) -> None:
        for table in (self.minibatch, self.learning_rate):
            for side in table:
                fits = side in {4 << i for i in range(MAX_RESOLUTION.bit_length() - 2)}
                _require(fits, f"minibatch and learning_rate are by resolution (4, 8, …): {side!r} is none.")
        for size in self.minibatch.values():
            _count("minibatch", size)
        low, high = NUMBERS["learning_rate_base"]
        for rate in self.learning_rate.values():
            _require(_is_number(rate, low, high), f"learning_rate is from {low:g} to {high:g}, not {rate!r}.")

    def check_shares(self, processes: int) -> None:
        """InputError unless every minibatch of this run can be shared by `processes`, each share, in its parts of
        `microbatch`, being whole groups of the discriminator's.
        """
        group = self.discriminator.mbstd_group_size
        for size in {self.minibatch_at(self.initial_resolution << i) for i in range(int(self.start_lod) + 1)}:
            share = size // processes
            _require(size % processes == 0, f"A minibatch of {size} cannot be shared evenly by {processes} processes.")
            _require(
                share % max(1, min(group, share)) == 0,
                f"minibatch {size} gives each process {share} pictures, no multiple of the discriminator's group of "
                f"{group}: take another minibatch.",
            )
            _require(
                self.microbatch is None or self.microbatch >= share or self.microbatch % max(1, group) == 0,
                f"microbatch {self.microbatch} is not a multiple of the discriminator's group of {group}.",
            )

    @property
    def start_lod(self) -> float:
        """The lod at which growing begins."""
        return math.log2(self.generator.resolution / self.initial_resolution)

    def minibatch_at(self, resolution: int) -> int:
        """Pictures a step, over all processes."""
        return self.minibatch.get(resolution, self.minibatch_base)

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
            self.minibatch_at(resolution),
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
        data["metrics"] = list(self.metrics)
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote; InputError for anything else."""
        unknown = sorted(set(data) - {f.name for f in fields(cls)})
        _require(not unknown, f"unknown options in the training config: {', '.join(map(str, unknown))[:200]}.")
        values = dict(data)
        try:
            values["generator"] = GeneratorConfig.from_json(values.get("generator", {}))
            values["discriminator"] = DiscriminatorConfig.from_json(values.get("discriminator", {}))
            for name in ("minibatch", "learning_rate"):
                values[name] = {int(key): value for key, value in dict(values.get(name, {})).items()}
            values["metrics"] = tuple(values.get("metrics", ()))
            return cls(**values)
        except InputError:
            raise
        except (TypeError, ValueError) as error:
            raise InputError(f"The training config holds a value of the wrong kind: {error}.") from error


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise InputError(message)


def _is_number(value: object, low: float, high: float) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and low <= value <= high


def _number(config: object, name: str, low: float, high: float) -> None:
    value = getattr(config, name)
    fits = _is_number(value, low, high) or (value is None and name in OPTIONAL)
    _require(fits, f"{name} is a number from {low:g} to {high:g}, not {value!r}.")


def _count(name: str, value: object) -> None:
    fits = isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MOST
    _require(fits, f"{name} is a whole number from 1 to {MOST}, not {value!r}.")
