"""When, and in what pieces, large pictures are worked on in horizontal bands.

A tensor beyond some 32 MB is fetched from the system anew each time, page by page, which on a CPU takes longer than
most of the work done on it; and it does not stay in the cache between two steps. Bands do neither.
"""

import math

import torch
from torch import Tensor

WHOLE_BYTES = 24 << 20  # tensors up to this size are worked on in one piece
BAND_BYTES = 16 << 20  # smaller ones gain nothing and cost more handing out of work to threads


def needs_grad(*tensors: Tensor) -> bool:
    """Whether autograd records what is computed from `tensors`: then nothing may be overwritten."""
    return torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors)


def band_rows(height: int, total_bytes: int, device: torch.device) -> int:
    """Rows per band for a picture of `height` rows: all of them where it is small, or not on the CPU."""
    if total_bytes <= WHOLE_BYTES or device.type != "cpu":
        return height
    return math.ceil(height / math.ceil(total_bytes / BAND_BYTES))
