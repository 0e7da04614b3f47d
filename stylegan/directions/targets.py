"""What an attribute scorer predicts: the attributes, their kinds, and how they become numbers for a network and back.

| kind        | a network's outputs            | scores                               | held-out quality        |
|-------------|--------------------------------|--------------------------------------|-------------------------|
| continuous  | one, standardised              | NAME, in the attribute's own unit    | R²                      |
| binary      | one logit                      | NAME, a probability                  | accuracy, AUC           |
| categorical | a logit for each choice        | `NAME: CHOICE`, a probability        | accuracy, AUC of each   |
| circular    | cosine and sine of the degrees | `NAME cos` and `NAME sin`            | R² of each              |
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor

from stylegan.errors import InputError

Kind = Literal["continuous", "binary", "categorical", "circular"]
ScoreKind = Literal["continuous", "binary"]
MAX_CHOICES = 1000
FULL_TURN_DEG = 360.0


@dataclass(frozen=True)
class Column:
    """One score: its name, and whether it is a quantity or the probability (0 … 1) of a yes."""

    name: str
    kind: ScoreKind


@dataclass(frozen=True)
class Target:
    """One attribute. `mean` and `std` standardise a continuous one; `choices` name the values 0, 1, … of a category."""

    name: str
    kind: Kind
    mean: float = 0.0
    std: float = 1.0
    choices: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _require(isinstance(self.name, str) and 1 <= len(self.name) <= 64, "an attribute's name has 1 to 64 letters")
        _require(self.kind in get_args(Kind), f"the kind of {self.name} is one of {', '.join(get_args(Kind))}")
        finite = all(isinstance(x, float) and math.isfinite(x) for x in (self.mean, self.std))
        _require(finite and self.std > 0, f"{self.name}: mean and std are finite, std above 0")
        named = isinstance(self.choices, tuple) and all(isinstance(choice, str) for choice in self.choices)
        _require(named and (len(self.choices) > 1) == (self.kind == "categorical"), f"{self.name}: choices are wrong")
        _require(len(self.choices) <= MAX_CHOICES, f"{self.name} has more than {MAX_CHOICES} choices")

    @property
    def columns(self) -> tuple[Column, ...]:
        """The scores that it gives."""
        if self.kind == "categorical":
            return tuple(Column(f"{self.name}: {choice}", "binary") for choice in self.choices)
        if self.kind == "circular":
            return (Column(f"{self.name} cos", "continuous"), Column(f"{self.name} sin", "continuous"))
        return (Column(self.name, "binary" if self.kind == "binary" else "continuous"),)

    def truth(self, values: Tensor) -> Tensor:
        """Attribute values `[N]` → the scores that a perfect scorer gives, `[N, columns]`."""
        if self.kind == "categorical":
            return F.one_hot(values.round().long(), len(self.choices)).float()
        if self.kind == "circular":
            angle = values * (2 * math.pi / FULL_TURN_DEG)
            return torch.stack([angle.cos(), angle.sin()], dim=1)
        return values[:, None]

    def loss(self, raw: Tensor, values: Tensor) -> Tensor:
        """How far network outputs `[N, columns]` are from attribute values `[N]`; about 1 where nothing is known."""
        if self.kind == "binary":
            return F.binary_cross_entropy_with_logits(raw[:, 0], values) / math.log(2)
        if self.kind == "categorical":
            return F.cross_entropy(raw, values.round().long()) / math.log(len(self.choices))
        if self.kind == "circular":
            return 2 * F.mse_loss(raw, self.truth(values))
        return F.mse_loss(raw[:, 0], (values - self.mean) / self.std)

    def scores(self, raw: Tensor) -> Tensor:
        """Network outputs `[N, columns]` → scores `[N, columns]`."""
        if self.kind == "binary":
            return raw.sigmoid()
        if self.kind == "categorical":
            return raw.softmax(dim=1)
        return raw * self.std + self.mean if self.kind == "continuous" else raw


def target_from_json(data: Mapping[str, Any]) -> Target:
    """The inverse of `asdict` after JSON; InputError for anything else."""
    try:
        values = {**data, "choices": tuple(data["choices"])}
        return Target(**values)
    except (TypeError, KeyError) as error:
        raise InputError("An attribute of a scorer has a name, kind, mean, std and choices.") from error


def portrait_targets(values: Tensor) -> tuple[Target, ...]:
    """Targets for the attributes of the rendered portraits, standardised by `values [N, A]`."""
    from stylegan.data import portraits

    choices = {
        "hair_style": portraits.HAIR_STYLES,
        "glasses_shape": portraits.GLASSES_SHAPES,
        "neckline": portraits.NECKLINES,
    }
    targets = []
    for spec, column in zip(portraits.ATTRIBUTES, values.unbind(1), strict=True):
        kind = "circular" if spec.high - spec.low == FULL_TURN_DEG else spec.kind
        targets.append(_target(spec.name, kind, column, choices.get(spec.name, ())))
    return tuple(targets)


def table_targets(names: Sequence[str], values: Tensor) -> tuple[Target, ...]:
    """Targets for a table of attributes `values [N, A]`: columns of 0 and 1 are binary, others continuous."""
    targets = []
    for name, column in zip(names, values.unbind(1), strict=True):
        low, high = float(column.min()), float(column.max())
        if low == high:
            raise InputError(f"The attribute {name} is {low:g} for every picture: there is nothing to learn from it.")
        binary = bool(((column == 0) | (column == 1)).all())
        targets.append(_target(name, "binary" if binary else "continuous", column, ()))
    return tuple(targets)


def _target(name: str, kind: Any, column: Tensor, choices: tuple[str, ...]) -> Target:
    if kind != "continuous":
        return Target(name, kind, choices=choices)
    std = float(column.double().std(unbiased=False))
    return Target(name, kind, float(column.double().mean()), std or 1.0)


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise InputError(f"{message[:1].upper()}{message[1:]}.")
