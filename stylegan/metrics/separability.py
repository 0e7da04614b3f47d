"""Linear separability (Karras et al. 2019, §4.2): how well a hyperplane in latent space tells an attribute.

For each attribute, of the half of the samples about which the scorer is surest: a linear SVM from latent to answer,
then H(Y|X) in bits of the answers Y given the SVM's own X. The score is 2^ΣH over all attributes; 1 is perfect.
"""

import warnings
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from stylegan.directions.records import Step
from stylegan.directions.separability import conditional_entropy, contingency
from stylegan.directions.targets import Column
from stylegan.errors import InputError

T = TypeVar("T")
Array = npt.NDArray[Any]
MIN_COUNT = 20


@dataclass(frozen=True)
class Separability:
    """The score, and H in bits of each attribute by name."""

    score: float
    bits: dict[str, float]


def surest(column: Column, scores: Array) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Numbers of the half of samples that are surest, and their classes: 0 has the attribute, 1 has not.

    Of probabilities those farthest from ½; of quantities those farthest from the median, which parts them.
    """
    middle = 0.5 if column.kind == "binary" else float(np.median(scores))
    order = np.argsort(-np.abs(scores - middle), kind="stable")[: len(scores) // 2]
    return order, (scores[order] <= middle).astype(np.int64)


def attribute_bits(latents: Array, target: npt.NDArray[np.int64]) -> float:
    """H(Y|X) of classes `target [n]` given what a linear SVM fitted to them says of `latents [n, D]`, in bits."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.svm import LinearSVC

    if len(np.unique(target)) < 2:
        return 0.0  # a single class needs no telling apart
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the official metric takes what 1,000 rounds give, too
        predicted = LinearSVC(random_state=0).fit(latents, target).predict(latents)
    return conditional_entropy(contingency(predicted, target))


def measured(latents: Array, columns: Sequence[Column], scores: Array) -> Generator[Step[T], None, Separability]:
    """The score of `latents [N, D]` whose pictures have `scores [N, K]`.

    Raises:
        InputError: too few samples, or no attribute.
    """
    if len(latents) < MIN_COUNT or not columns:
        raise InputError(f"Separability needs at least {MIN_COUNT} samples and one attribute.")
    bits: dict[str, float] = {}
    for i, column in enumerate(columns):
        yield Step(f"separability: {column.name}", i / len(columns))
        rows, target = surest(column, scores[:, i])
        bits[column.name] = attribute_bits(latents[rows], target)
    return Separability(float(2.0 ** sum(bits.values())), bits)
