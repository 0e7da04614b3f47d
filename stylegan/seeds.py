"""Seeds → latents z, in the official convention: one `RandomState(seed).randn(z_dim)` per seed.

The same seed gives the same z here, in NVIDIA's scripts and in every port that kept the convention.
"""

import operator
import re
from collections.abc import Iterable, Sequence

import numpy as np
import torch

from stylegan.errors import InputError

MAX_SEED = 2**32 - 1
MAX_SEEDS = 100_000  # one range may not ask for more: a typo such as 0-9999999999 would fill the memory


def check_seed(seed: object) -> int:
    """One seed as an int in 0 … 2³²−1, or InputError."""
    try:
        value = operator.index(seed)  # type: ignore[arg-type]  # the point is to find out
    except TypeError:
        raise InputError(f"A seed is a whole number from 0 to {MAX_SEED}, not {seed!r}.") from None
    if isinstance(seed, bool) or not 0 <= value <= MAX_SEED:
        raise InputError(f"A seed is a whole number from 0 to {MAX_SEED}, not {seed!r}.")
    return value


def seeds_to_z(seeds: Iterable[int], z_dim: int = 512) -> torch.Tensor:
    """Latents of `seeds`: float32 `[N, z_dim]`, row i = `numpy.random.RandomState(seeds[i]).randn(z_dim)`.

    Args:
        seeds: whole numbers from 0 to 2³²−1; N of them, N may be 0.
        z_dim: latent width, ≥ 1.

    Raises:
        InputError: a seed that is not a whole number in that range, or a width < 1.
    """
    if isinstance(seeds, (str, bytes)) or not isinstance(seeds, Iterable):
        raise InputError(f"seeds is a list of whole numbers such as [0, 1, 2], not {seeds!r}.")
    if isinstance(z_dim, bool) or not isinstance(z_dim, int) or z_dim < 1:
        raise InputError(f"z_dim is a whole number ≥ 1, not {z_dim!r}.")
    rng, rows = np.random.RandomState(0), []
    for seed in seeds:
        rng.seed(check_seed(seed))  # the same numbers as of a RandomState made anew, twenty times faster
        rows.append(rng.randn(z_dim))
    return torch.from_numpy(np.asarray(rows, dtype=np.float32).reshape(len(rows), z_dim))


def parse_seeds(text: str) -> list[int]:
    """Seeds written as `0-8,12` → `[0, 1, …, 8, 12]`; order and repeats are kept, ranges include both ends."""
    return _parse_ranges(text, "seeds", MAX_SEED, MAX_SEEDS)


def parse_layers(text: str, num_ws: int) -> list[int]:
    """Layers written as `0-3,8` → `[0, 1, 2, 3, 8]`, each from 0 to `num_ws` − 1."""
    return _parse_ranges(text, "layers", num_ws - 1, num_ws)


def _parse_ranges(text: str, what: str, largest: int, most: int) -> list[int]:
    values: list[int] = []
    for part in str(text).split(","):
        match = re.fullmatch(r"\s*([0-9]{1,12})\s*(?:-\s*([0-9]{1,12})\s*)?", part)
        if not match:
            raise InputError(f"{what} are written like 0-8,12; {part.strip()[:40]!r} is neither a number nor a range.")
        first = int(match[1])
        last = int(match[2]) if match[2] else first
        if last < first:
            raise InputError(f"{what}: the range {first}-{last} runs backwards.")
        if last > largest:
            raise InputError(f"{what}: {last} is too large; allowed are 0 to {largest}.")
        if len(values) + last - first + 1 > most:
            raise InputError(f"{what}: more than {most} asked for.")
        values.extend(range(first, last + 1))
    return values


def format_ranges(values: Sequence[int]) -> str:
    """`[0, 1, 2, 3, 8]` → `0-3,8`: the inverse of the parsers above."""
    parts: list[str] = []
    start = 0
    for i in range(1, len(values) + 1):
        if i == len(values) or values[i] != values[i - 1] + 1:
            parts.append(str(values[start]) if i - start == 1 else f"{values[start]}-{values[i - 1]}")
            start = i
    return ",".join(parts)
