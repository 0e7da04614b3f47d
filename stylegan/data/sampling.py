"""The order in which a data set is seen: an endless, reproducible stream whose whole state is a position.

Epoch e is one permutation, and one coin per place for the mirror augmentation (probability 0.5), both from a generator
seeded by (seed, e). So a run resumes at image number `position` by asking for it, and K processes share a stream by
asking for different stretches.
"""

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from stylegan.errors import InputError
from stylegan.seeds import check_seed

Indices = npt.NDArray[np.int64]
Coins = npt.NDArray[np.bool_]


class ShuffledIndices:
    """Indices 0 … n−1 in a new order each epoch, for ever."""

    def __init__(self, n: int, seed: int) -> None:
        if n < 1:
            raise InputError(f"A stream needs at least one item, not {n}.")
        self._n = n
        self._seed = check_seed(seed)
        self._epoch = lru_cache(maxsize=2)(self._draw)  # a batch may straddle two epochs

    def take(self, position: int, count: int) -> Indices:
        """Items number `position` … `position + count` − 1 of the stream: int64 `[count]`."""
        return np.concatenate([self._epoch(e)[0][part] for e, part in self._parts(position, count)])

    def mirrored(self, position: int, count: int) -> Coins:
        """Whether each of the same items is flipped left to right: bool `[count]`."""
        return np.concatenate([self._epoch(e)[1][part] for e, part in self._parts(position, count)])

    def _parts(self, position: int, count: int) -> list[tuple[int, slice]]:
        """The epochs that a stretch of the stream touches, and the stretch of each."""
        if position < 0 or count < 1:
            raise InputError(f"A stream is read from a position ≥ 0, at least one item, not {count} from {position}.")
        last = position + count - 1
        epochs = range(position // self._n, last // self._n + 1)
        return [(e, slice(max(position - e * self._n, 0), min(last - e * self._n, self._n - 1) + 1)) for e in epochs]

    def _draw(self, epoch: int) -> tuple[Indices, Coins]:
        rng = np.random.Generator(np.random.PCG64([self._seed, epoch]))
        return rng.permutation(self._n), rng.random(self._n) < 0.5
