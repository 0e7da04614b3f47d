"""Perceptual path length (Karras et al. 2019, §4.1): how far a picture moves for a small step between two latents.

l = E[ d(g(lerp(w₁, w₂, t)), g(lerp(w₁, w₂, t + ε))) / ε² ], in Z with slerp; t ~ U(0, 1) along the whole path ("full"),
or t = 0 ("end"). Outliers below the 1st and above the 99th percentile are left out, as in the official metric. Both
pictures of a pair have the same noise.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from stylegan.directions.records import Step
from stylegan.errors import InputError
from stylegan.latents import slerp
from stylegan.metrics.numbers import Number
from stylegan.metrics.perceptual import Distance
from stylegan.metrics.pictures import ModelPictures
from stylegan.metrics.sharing import Share
from stylegan.networks import Generator as Network

T = TypeVar("T")
Space = Literal["z", "w"]
Reach = Literal["full", "end"]
EPSILON = 1e-4
RESAMPLINGS = 1000
_PAIRS_AT_ONCE = 8
_MAX_SIDE_PX = 256
Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class PathLength:
    """Which path length: in Z or W, along paths or at their ends, of the face alone (`crop`, as the official code does
    for every data set) or of the whole picture."""

    space: Space = "w"
    reach: Reach = "full"
    crop: bool = False
    epsilon: float = EPSILON

    def __post_init__(self) -> None:
        if self.space not in ("z", "w") or self.reach not in ("full", "end"):
            raise InputError(f"A path length is in z or w, full or end, not {self.space} {self.reach}.")
        if not 0 < self.epsilon < 1:
            raise InputError(f"ε is above 0 and below 1, not {self.epsilon}.")


def distances(
    G: Network,
    kind: PathLength,
    a: Tensor,
    b: Tensor,
    t: Tensor,
    distance: Distance,
    synthesis: Callable[[Tensor], Tensor],
    labels: Tensor | None = None,
) -> Array:
    """d / ε² of paths from z `a [n, z_dim]` to `b` at `t [n]`: `[n]`. `synthesis`: w `[n, L, w_dim]` → pictures."""
    t = t.to(a)[:, None]
    with torch.no_grad():
        if kind.space == "z":
            points = [G.mapping(slerp(a, b, t + step), labels) for step in (0.0, kind.epsilon)]
        else:
            first, second = G.mapping(a, labels), G.mapping(b, labels)
            points = [torch.lerp(first, second, t[:, :, None] + step) for step in (0.0, kind.epsilon)]
        pictures = [_prepared(synthesis(w), kind.crop) for w in points]
        return distance.distance(*pictures).double().numpy() / kind.epsilon**2


def kept(values: Array) -> npt.NDArray[np.bool_]:
    """Which of `values` lie within the 1st and the 99th percentile, both of them taken outward to a value."""
    low = np.percentile(values, 1, method="lower")
    high = np.percentile(values, 99, method="higher")
    inside: npt.NDArray[np.bool_] = (values >= low) & (values <= high)
    return inside


def measured(
    pictures: ModelPictures, kind: PathLength, count: int, distance: Distance, seed: int = 0, share: Share | None = None
) -> Generator[Step[T], None, Number]:
    """Mean length of `count` paths, with a bootstrap interval. Path i is between samples 2i and 2i + 1 of `pictures`.

    Raises:
        InputError: fewer than 2 paths, or pictures that are not numbers.
    """
    if count < 2:
        raise InputError(f"A path length needs at least 2 paths, not {count}.")
    share = share or Share()
    numbers = [range(start, min(start + _PAIRS_AT_ONCE, count)) for start in range(0, count, _PAIRS_AT_ONCE)]
    found: list[Array] = []
    for start in range(0, len(numbers), share.size):
        turn = numbers[start : start + share.size]
        yield Step(f"path length in {kind.space.upper()}: {turn[0].start} of {count} paths", start / len(numbers))
        rows: npt.NDArray[np.float32] | None = None
        with share.all_or_none():
            if share.rank < len(turn):
                rows = _batch(pictures, kind, turn[share.rank], distance).astype(np.float32)[:, None]
        found += [part[:, 0].astype(np.float64) for part in share.gather(rows, 1)]
    values = np.concatenate(found)
    values = values[kept(values)]
    rng = np.random.RandomState(seed)
    means = [values[rng.randint(0, len(values), len(values))].mean() for _ in range(RESAMPLINGS)]
    low, high = np.percentile(means, [2.5, 97.5])
    return Number(float(values.mean()), float(low), float(high))


def _batch(pictures: ModelPictures, kind: PathLength, paths: range, distance: Distance) -> Array:
    first, second = ([2 * i + k for i in paths] for k in (0, 1))
    a, b = (pictures.latents(numbers) for numbers in (first, second))
    t = torch.zeros(len(paths))
    if kind.reach == "full":
        t = torch.tensor([np.random.RandomState(pictures.sampling.first_seed + i).rand() for i in first]).float()
    G, labels = pictures.network, pictures.labels(first)

    def synthesis(w: Tensor) -> Tensor:
        return pictures.synthesis(w, first)

    found = distances(G, kind, a.to(G.w_mean), b.to(G.w_mean), t.to(G.w_mean), distance, synthesis, labels)
    if not np.isfinite(found).all():
        raise InputError(f"The model {pictures.name} gives pictures that are not numbers (NaN): it has diverged.")
    return found


def _prepared(x: Tensor, crop: bool) -> Tensor:
    """`[n, 3, R, R]` in [−1, 1] → from 0 to 255, at most 256 pixels a side.

    `crop`: rows 3/8 … 7/8, columns 2/8 … 6/8.
    """
    if crop:
        c = x.shape[2] // 8
        x = x[:, :, 3 * c : 7 * c, 2 * c : 6 * c]
    if x.shape[2] > _MAX_SIDE_PX:
        x = F.avg_pool2d(x, x.shape[2] // _MAX_SIDE_PX)
    return (x + 1) * 127.5
