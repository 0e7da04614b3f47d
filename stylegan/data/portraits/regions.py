"""Parts of a picture: windows, which are the same in every picture, and chosen points, which are not.

Most materials are needed in a small part of a picture. Chosen points keep the shape `[N, M]` of a batch: a picture that
needs fewer than the most of its batch works on its first point again.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from stylegan.data.portraits.head import SCALE


@dataclass(frozen=True)
class Window:
    """A part of the picture, in head units, y up: heads keep their place, so most paint is needed in a part only."""

    left: float
    right: float
    bottom: float
    top: float

    def spans(self, points: int) -> tuple[int, slice, slice]:
        """Side length of the square grid of `points`, and the rows and columns that touch the window."""
        side = math.isqrt(points)
        left, right, bottom, top = (edge * SCALE for edge in (self.left, self.right, self.bottom, self.top))
        first, last = math.floor((1.0 - top) / 2.0 * side), math.ceil((1.0 - bottom) / 2.0 * side)
        start, stop = math.floor((1.0 + left) / 2.0 * side), math.ceil((1.0 + right) / 2.0 * side)
        return side, slice(max(first, 0), min(last, side)), slice(max(start, 0), min(stop, side))

    def crop(self, x: Tensor) -> Tensor:
        """`[..., R²]` → `[..., h·w]`."""
        side, rows, columns = self.spans(x.shape[-1])
        return x.reshape(*x.shape[:-1], side, side)[..., rows, columns].flatten(-2)

    def paste(self, x: Tensor, part: Tensor) -> None:
        """Write a crop back into `x`, in place."""
        side, rows, columns = self.spans(x.shape[-1])
        view = x.view(*x.shape[:-1], side, side)[..., rows, columns]
        view.copy_(part.reshape(view.shape))


@dataclass(frozen=True)
class Chosen:
    """M points of each picture, by number: int64 `[N, M]`, M ≥ 1."""

    index: Tensor

    @classmethod
    def where(cls, wanted: Tensor) -> "Chosen":
        """The points at which `wanted`, bool `[N, P]`, holds; waits for the device."""
        count = wanted.sum(1)
        rows, points = wanted.nonzero(as_tuple=True)  # row by row, so the place in a row is what is left of the count
        place = torch.arange(len(rows), device=wanted.device) - (count.cumsum(0) - count)[rows]
        index = torch.zeros(len(wanted), max(1, int(count.max())), dtype=torch.int64, device=wanted.device)
        index[rows, place] = points
        return cls(index)

    def take(self, x: Tensor) -> Tensor:
        """`[N, P]` → `[N, M]`, or `[N, C, P]` → `[N, C, M]`."""
        return x.gather(-1, self._like(x))

    def put(self, x: Tensor, part: Tensor) -> None:
        """Write what `take` took back into `x`, in place."""
        x.scatter_(-1, self._like(x), part)

    def _like(self, x: Tensor) -> Tensor:
        return self.index if x.ndim == 2 else self.index[:, None].expand(-1, x.shape[1], -1)
