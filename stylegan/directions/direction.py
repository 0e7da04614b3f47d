"""A direction in W: the normal of a hyperplane, or any other unit vector, and what is known of it."""

import math
import struct
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from typing import Literal, get_args

import torch
from torch import Tensor

from stylegan.errors import InputError

Method = Literal["svm", "ridge", "labels", "pca", "sefa", "import"]
MAX_NAME = 64
_UNIT_WITHIN = 1e-4


@dataclass(frozen=True)
class Fitness:
    """How well a hyperplane tells samples that it was not fitted to."""

    accuracy: float  # share that lies on the right side
    auc: float
    entropy_bits: float  # H(what is so | side of the hyperplane), §4.2
    r2: float | None = None  # of ridge regression on the score itself, where that is a quantity

    def __post_init__(self) -> None:
        numbers = [self.accuracy, self.auc, self.entropy_bits, 0.0 if self.r2 is None else self.r2]
        if not all(isinstance(x, (int, float)) and not isinstance(x, bool) and math.isfinite(x) for x in numbers):
            raise InputError("Accuracy, AUC, entropy and R² are finite numbers.")

    @property
    def separability(self) -> float:
        """2^H, §4.2: 1 is perfect, 2 is no better than chance."""
        return float(2.0**self.entropy_bits)


@dataclass(frozen=True)
class Facts:
    """Where a direction comes from. Nothing here changes a picture."""

    samples: int = 0  # that were scored or labelled
    positives: int = 0  # of them, those fitted or tested on, by side
    negatives: int = 0
    held_out: int = 0  # of these, kept for the test
    seed: int = 0  # first seed of the samples
    scorer: str = ""  # digest of what scored them
    w: Fitness | None = None
    z: Fitness | None = None  # the same fitted in Z, for comparison
    share: float | None = None  # of the variance, for principal components and singular vectors
    note: str = ""

    def __post_init__(self) -> None:
        for name in ("samples", "positives", "negatives", "held_out", "seed"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 0:
                raise InputError(f"The {name} of a direction are a whole number from 0, not {value!r}.")
        if not isinstance(self.scorer, str) or not isinstance(self.note, str):
            raise InputError("The scorer's digest and the note of a direction are text.")
        if self.share is not None and not (isinstance(self.share, float) and 0 <= self.share <= 1):
            raise InputError(f"A share of variance is from 0 to 1, not {self.share!r}.")


@dataclass(frozen=True, eq=False)
class Direction:
    """One direction of one model.

    Args:
        name: for people.
        vector: float32 `[w_dim]`, length 1, on the CPU.
        sigma: standard deviation of the population's w along it: the unit of strengths.
        offset: w·vector on the hyperplane, between those that have it and those that have not.
        layers: where it is meant to act; None = all.
        z_vector: the same attribute's direction in Z, `[z_dim]`, length 1, where one was fitted.
    """

    name: str
    vector: Tensor
    sigma: float
    offset: float = 0.0
    layers: tuple[int, ...] | None = None
    method: Method = "svm"
    facts: Facts = field(default_factory=Facts)
    z_vector: Tensor | None = None

    def __post_init__(self) -> None:
        name = self.name
        if (
            not isinstance(name, str)
            or not 1 <= len(name) <= MAX_NAME
            or not name.isprintable()
            or name != name.strip()
        ):
            raise InputError(f"The name of a direction is 1 to {MAX_NAME} printable characters, not {name!r:.80}.")
        for vector in (self.vector, *(() if self.z_vector is None else (self.z_vector,))):
            _check_unit(vector, name)
        if not (isinstance(self.sigma, float) and 0 < self.sigma < math.inf and math.isfinite(self.offset)):
            raise InputError(f"{name}: σ is above 0 and the offset finite, not {self.sigma!r} and {self.offset!r}.")
        if self.layers is not None and not _are_layers(self.layers):
            raise InputError(f"{name}: layers are different whole numbers from 0, or None for all: {self.layers!r}.")
        if self.method not in get_args(Method):
            raise InputError(f"{name}: the method is one of {', '.join(get_args(Method))}, not {self.method!r:.40}.")

    @cached_property
    def digest(self) -> str:
        """Identity of what it does to a picture: 32 hex digits over the vector and σ."""
        numbers = self.vector.numpy().astype("<f4").tobytes() + struct.pack("<d", self.sigma)
        return sha256(b"direction" + numbers).hexdigest()[:32]

    def place(self, w: Tensor) -> Tensor:
        """How far `w [..., w_dim]` lies on the side that has it, in standard deviations: `[...]`."""
        return (w.float() @ self.vector.to(w.device) - self.offset) / self.sigma


def unit(vector: Tensor, what: str) -> Tensor:
    """`vector` at length 1, float32 on the CPU; InputError where it has no direction."""
    double = vector.detach().cpu().double()
    length = float(torch.linalg.vector_norm(double))
    if not math.isfinite(length) or length < 1e-30:
        raise InputError(f"{what} has no direction: its vector is zero or not finite.")
    return (double / length).float().contiguous()


def _check_unit(vector: Tensor, name: str) -> None:
    fits = isinstance(vector, Tensor) and vector.ndim == 1 and vector.dtype == torch.float32 and len(vector) > 0
    if not fits or not abs(float(torch.linalg.vector_norm(vector.double())) - 1) < _UNIT_WITHIN:
        raise InputError(f"{name}: its vector is float32 [width] of length 1.")


def _are_layers(layers: object) -> bool:
    if not isinstance(layers, tuple) or not layers:
        return False
    whole = all(isinstance(i, int) and not isinstance(i, bool) and i >= 0 for i in layers)
    return whole and list(layers) == sorted(set(layers))
