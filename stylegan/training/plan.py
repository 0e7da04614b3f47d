"""What a person asks of a run, as plain values: the options of `python -m stylegan train`, which a form can show too.

A Plan says only what differs from its preset; `Plan.config` makes a TrainConfig of it, `Plan.arguments` the command
line. The plan of a run is kept in its folder, for resuming it and for beginning another like it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal, Self, get_args

from stylegan import model_file, opening
from stylegan.config import DiscriminatorConfig, GeneratorConfig
from stylegan.errors import InputError
from stylegan.networks import Discriminator, Generator
from stylegan.training.config import METRICS, METRICS_COUNT, MOST, NUMBERS, Loss, Precision, TrainConfig
from stylegan.training.presets import preset

Kind = Literal["whole", "number", "flag", "choice", "some", "text"]  # some: of the choices, with commas between
BOTH = ("learning_rate", "minibatch")  # fields of TrainConfig that a single number may stand for
RENAMED = {"lr": "learning_rate", "style_mixing": "style_mixing_prob"}
OWN_TRAIN_FIELDS = {"generator", "discriminator", "seed", "total_kimg"}  # the plan has options of its own for these
OWN_NETWORK_FIELDS = {"architecture", "resolution", "label_dim", "image_channels"}


@dataclass(frozen=True)
class Option:
    """A setting that overrides the preset: `r1_gamma` here, `--r1-gamma` on the command line."""

    name: str
    kind: Kind
    group: str  # under which a form shows it
    help: str
    low: float = 0
    high: float = 1
    choices: tuple[str, ...] = ()


OPTIONS: dict[str, Option] = {
    option.name: option
    for option in (
        Option("minibatch", "whole", "steps", "Pictures a step, over all processes, at every resolution.", 1, MOST),
        Option("microbatch", "whole", "steps", "Most pictures at once in one process: saves memory.", 1, MOST),
        Option("lr", "number", "steps", "Learning rate at every resolution.", *NUMBERS["learning_rate_base"]),
        Option("mirror", "flag", "steps", "Flip half of the pictures left to right."),
        Option("ema_kimg", "number", "steps", "Half-life of the averaged generator.", *NUMBERS["ema_kimg"]),
        Option("precision", "choice", "steps", "fp32, bf16 or fp16, of the convolutions.", choices=get_args(Precision)),
        Option("loss", "choice", "losses", "logistic or wgan-gp.", choices=get_args(Loss)),
        Option("r1_gamma", "number", "losses", "Weight of R1 (logistic loss).", *NUMBERS["r1_gamma"]),
        Option("r1_interval", "whole", "losses", "R1 in every n-th step only, n times as strong.", 1, MOST),
        Option("style_mixing", "number", "losses", "Share of batches that mix two latents.", 0, 1),
        Option("initial_resolution", "whole", "growing", "Pixels per side at which training begins.", 4, 1024),
        Option("lod_training_kimg", "number", "growing", "From one growth to the next.", *NUMBERS["lod_training_kimg"]),
        Option("lod_transition_kimg", "number", "growing", "Length of a growth.", *NUMBERS["lod_transition_kimg"]),
        Option("z_dim", "whole", "networks", "Width of z.", 1, 1 << 16),
        Option("w_dim", "whole", "networks", "Width of w.", 1, 1 << 16),
        Option("mapping_layers", "whole", "networks", "Layers of the mapping network.", 0, 64),
        Option("fmap_base", "whole", "networks", "Channels at R × R are twice this / R, at most fmap_max.", 1, MOST),
        Option("fmap_max", "whole", "networks", "Most channels in any layer.", 1, MOST),
        Option("metrics", "some", "metrics", "Of each snapshot: some of fid,kid,pr,ppl; or none.", choices=METRICS),
        Option("metrics_count", "whole", "metrics", "Samples, and pictures of the data, to measure.", *METRICS_COUNT),
        Option("metrics_extractor", "text", "metrics", "lite0; inception, vgg16 or NAME:FILE; a TorchScript FILE."),
    )
}


@dataclass(frozen=True)
class Beginning:
    """Trained networks that a run begins from."""

    G: Generator
    D: Discriminator

    @property
    def resolution(self) -> int:
        """Pixels per side that they have grown to; a size that was still fading in does not count yet."""
        lod = self.G.lod
        return int(self.G.config.resolution >> (int(lod) + (lod > int(lod))))


@dataclass(frozen=True)
class Plan:
    """What is asked of a run. None, and a setting that is not named, leave the choice to the preset."""

    data: str  # portraits, portraits:endless, or the path of a folder or zip
    resolution: int = 64
    preset: str = "f"
    kimg: float | None = None  # thousands of images shown
    seed: int = 0  # of the weights and of all draws
    count: int | None = None  # of portraits that are rendered beforehand
    cache: Path | None = None  # where prepared pictures are kept
    labels: bool = True  # take subfolders as classes
    max_broken: int | None = None  # image files that may be skipped
    init_from: Path | None = None  # generator to begin from
    init_discriminator: Path | None = None  # its discriminator; None = NAME.discriminator.safetensors beside it
    settings: Mapping[str, Any] = field(default_factory=dict)  # by name of OPTIONS, or of any other field of a config

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """A plan from plain values by name: its fields and its settings side by side. None = not given.

        Raises:
            InputError: the data are missing, or a name is no option. Values are checked by `config`.
        """
        own = {f.name for f in fields(cls)} - {"settings"}
        given = {name: value for name, value in values.items() if value is not None or name not in own | set(OPTIONS)}
        settings = {name: given.pop(name) for name in set(given) - own}
        _split(settings)
        if "data" not in given:
            raise InputError("--data says what to train on: portraits, an image folder, or a zip.")
        for name in ("cache", "init_from", "init_discriminator"):
            if name in given:
                given[name] = Path(given[name])
        return cls(**given, settings=settings)

    def to_json(self) -> dict[str, Any]:
        """Plain values that `of` reads."""
        values = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "settings"}
        return {name: str(v) if isinstance(v, Path) else v for name, v in values.items()} | dict(self.settings)

    def arguments(self) -> list[str]:
        """The options of `python -m stylegan train` that ask for this plan; `--out` and how to run it are not in it."""
        own = {f.name: f.default for f in fields(self)}
        words = []
        for name, value in self.to_json().items():
            if name not in own and (name not in OPTIONS or isinstance(value, Mapping)):
                words.append(f"--set={name}={json.dumps(value)}")
            elif name not in own or value != own[name]:
                words.append(_word(name, value))
        return words

    def beginning(self) -> Beginning | None:
        """The networks to begin from, read; None where the run begins from nothing.

        Raises:
            InputError: there is no discriminator.
            ModelFileError, ConversionError: a file cannot be read.
        """
        if self.init_from is None:
            return None
        beside = self.init_discriminator
        if beside is None and self.init_from.suffix == ".safetensors":
            beside = model_file.discriminator_path(self.init_from)
            if self.init_from.is_file() and not beside.is_file():
                raise InputError(f"Beside {self.init_from} there is no {beside.name}: name it by --init-discriminator.")
        return Beginning(opening.load(self.init_from), opening.load_discriminator(beside or self.init_from))

    def config(self, label_dim: int = 0, processes: int = 1, beginning: Beginning | None = None) -> TrainConfig:
        """What this plan trains.

        Args:
            label_dim: classes of the data.
            processes: how many train together.
            beginning: what `beginning` returned: its channels and widths hold where the plan names none.

        Raises:
            InputError: an option out of range, or options that contradict each other.
        """
        network, train = _split(self.settings)
        if beginning is not None:
            if beginning.resolution > self.resolution:
                raise InputError(
                    f"{self.init_from} makes pictures of {beginning.resolution}²: --resolution {self.resolution} is "
                    "smaller."
                )
            network = {**_inherited(beginning), **network}
            train.setdefault("initial_resolution", beginning.resolution)
        if not isinstance(self.kimg, (int, float, type(None))):
            raise InputError(f"kimg is a number, not {self.kimg!r}.")
        return preset(self.preset, self.resolution, self.kimg, label_dim, processes, network, seed=self.seed, **train)


def resumed(begun: Plan, stored: TrainConfig, given: Mapping[str, Any]) -> tuple[Plan, TrainConfig]:
    """The plan and config with which a run goes on, resumed with the options `given` by name (None = not given).

    Length, learning rates, losses and the like may change; nothing that the networks or the order of the data rest on.

    Raises:
        InputError: an option that cannot change, or a value out of range.
    """
    asked = Plan.of({"data": begun.data, **given})
    network, train = _split(asked.settings)
    fixed = {name: getattr(begun, name) for name in ("resolution", "preset", "seed", "init_from")}
    wanted = {name: getattr(asked, name) for name in fixed if given.get(name) is not None}
    for config in (stored.discriminator, stored.generator):
        fixed |= {name: getattr(config, name) for name in network if hasattr(config, name)}
    for name, value in {**wanted, **network}.items():
        if value != fixed[name]:
            raise InputError(
                f"{name} is {fixed[name]} in this run and cannot become {value}: begin a new run, with --init-from "
                "the newest snapshot where that fits."
            )
    if asked.kimg is not None:
        train["total_kimg"] = asked.kimg
    known = {name: value for name, value in given.items() if value is not None}
    return Plan.of({**begun.to_json(), **known}), replace(stored, **train)


def _split(settings: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Settings as fields of the networks' configs and of TrainConfig; InputError for a name that is neither."""
    network_fields = _field_names(GeneratorConfig, DiscriminatorConfig) - OWN_NETWORK_FIELDS
    train_fields = _field_names(TrainConfig) - OWN_TRAIN_FIELDS
    network: dict[str, Any] = {}
    train: dict[str, Any] = {}
    for given, value in settings.items():
        name = RENAMED.get(given, given)
        if name in network_fields:
            network[name] = tuple(value) if isinstance(value, list) else value
        elif name in BOTH:
            train |= _table(name, value)
        elif name == "metrics":
            train[name] = _words(value)
        elif name in train_fields:
            train[name] = value
        else:
            raise InputError(f"There is no option {given!r}; --dry-run shows all that there are.")
    return network, train


def _table(name: str, value: Any) -> dict[str, Any]:
    """A table by resolution as it is; a single number in place of the whole table."""
    if not isinstance(value, Mapping):
        return {name: {}, f"{name}_base": value}
    if not all(str(side).isdigit() for side in value):
        raise InputError(f'{name} is a number, or a table such as {{"8": 64, "16": 32}}, not {value!r}.')
    return {name: {int(side): entry for side, entry in value.items()}}


def _words(value: Any) -> tuple[str, ...]:
    """`fid,kid`, or a list of names; "none" for no name at all."""
    words = value.split(",") if isinstance(value, str) else value
    if not isinstance(words, (list, tuple)) or not all(isinstance(word, str) for word in words):
        raise InputError(f"metrics are names with commas between, such as fid,kid, not {value!r}.")
    return tuple(dict.fromkeys(word.strip() for word in words if word.strip() not in ("", "none")))


def _inherited(beginning: Beginning) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for config in (beginning.D.config, beginning.G.config):
        found |= {f.name: getattr(config, f.name) for f in fields(config) if f.name not in OWN_NETWORK_FIELDS}
    return found


def _field_names(*classes: type) -> set[str]:
    return {f.name for cls in classes for f in fields(cls)}


def _word(name: str, value: Any) -> str:
    option = name.replace("_", "-")
    if isinstance(value, bool):
        return f"--{option}" if value else f"--no-{option}"
    if isinstance(value, (list, tuple)):
        return f"--{option}={','.join(map(str, value)) or 'none'}"
    return f"--{option}={value}"
