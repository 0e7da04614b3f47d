"""Counter-based random numbers and value noise: hashes of whole numbers, the same on every device.

The mixer is the 32-bit multiply-xorshift finaliser (Mueller's constant). It runs in int64 on values below 2³² and its
multiplier is below 2²⁷, so that no product reaches 2⁶³ and nothing depends on how a device wraps overflow.
"""

import math

import torch
from torch import Tensor
from torch.nn.functional import grid_sample, pad

_MASK = 0xFFFFFFFF
_MULTIPLIER = 0x45D9F3B
_GOLDEN = 0x9E3779B9
TABLE_SIZE = 64  # cells along each side of a noise table, which repeats beyond
TABLE_CHANNELS = 4


def _mix(x: Tensor) -> Tensor:
    """int64 in [0, 2³²) → int64 in [0, 2³²), a bijection whose every output bit depends on every input bit."""
    x = ((x ^ (x >> 16)) * _MULTIPLIER) & _MASK
    x = ((x ^ (x >> 16)) * _MULTIPLIER) & _MASK
    return x ^ (x >> 16)


def hash_with(h: Tensor, key: Tensor | int) -> Tensor:
    """Fold `key` (int64, all 64 bits count) into the hash `h`; the two broadcast."""
    for part in (key & _MASK, (key >> 32) & _MASK):
        h = _mix((h + _GOLDEN + part) & _MASK)
    return h


def hash_ids(seed: int, indices: Tensor, stream: int) -> Tensor:
    """One 32-bit id per (seed, index) and stream: int64 `[N]`. Streams with different numbers are independent."""
    start = torch.full_like(indices, stream)
    return hash_with(hash_with(_mix(start), seed), indices)


def uniform(ids: Tensor, count: int) -> Tensor:
    """float32 `[N, count]`, uniform in (0, 1), never 0 or 1; column j of row i depends on ids[i] and j only."""
    columns = torch.arange(count, device=ids.device, dtype=torch.int64)
    bits = hash_with(ids[:, None], columns[None]) >> 9  # 23 bits, so that adding a half is exact in float32
    return (bits.to(torch.float32) + 0.5) * 2.0**-23


def normal(u: Tensor) -> Tensor:
    """Uniform in (0, 1) → standard normal, by the inverse of its distribution function."""
    return torch.erfinv(2.0 * u - 1.0) * math.sqrt(2.0)


def noise_table(ids: Tensor) -> Tensor:
    """Lattice values for `value_noise`: float32 `[N, C, S + 1, S + 1]` in (−1, 1), the last row and column the first.

    C = TABLE_CHANNELS, S = TABLE_SIZE.
    """
    values = 2.0 * uniform(ids, TABLE_CHANNELS * TABLE_SIZE**2) - 1.0
    return pad(values.reshape(-1, TABLE_CHANNELS, TABLE_SIZE, TABLE_SIZE), (0, 1, 0, 1), mode="circular")


def value_noise(table: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Smooth noise at the points (x, y) `[N, P]`, in lattice cells → `[N, C, P]` in (−1, 1), of period S both ways.

    Bilinear in the smoothstep of the fraction. `table` may be any channels of a noise table.
    """
    grid = x.new_empty(len(x), 1, x.shape[1], 2)
    grid[:, 0, :, 0], grid[:, 0, :, 1] = _smooth_cell(x), _smooth_cell(y)
    out = grid_sample(table, grid, mode="bilinear", padding_mode="border", align_corners=True)
    return out.squeeze(2)


def _smooth_cell(x: Tensor) -> Tensor:
    """Lattice coordinate → grid_sample's in [−1, 1], its fraction eased by 3f² − 2f³."""
    cell = x.floor()
    f = x - cell
    within = cell - TABLE_SIZE * (cell * (1.0 / TABLE_SIZE)).floor()  # exact, as S is a power of two
    return (within + f * f * (3.0 - 2.0 * f)) * (2.0 / TABLE_SIZE) - 1.0
