"""Progressive growing as a function of the images shown so far (Karras et al. 2018, §2; FACTS §7).

Each resolution is trained for `lod_training_kimg`, then the next one is faded in over `lod_transition_kimg`. As soon as
a fade begins, the new resolution's minibatch and learning rate hold.
"""

import math
from dataclasses import dataclass

# The official tables: by number of processes, the total minibatch of each resolution, and that of all others.
PAPER_MINIBATCH: dict[int, tuple[dict[int, int], int]] = {
    1: ({4: 128, 8: 128, 16: 128, 32: 64, 64: 32, 128: 16, 256: 8, 512: 4}, 4),
    2: ({4: 256, 8: 256, 16: 128, 32: 64, 64: 32, 128: 16, 256: 8}, 8),
    4: ({4: 512, 8: 256, 16: 128, 32: 64, 64: 32, 128: 16}, 16),
    8: ({4: 512, 8: 256, 16: 128, 32: 64, 64: 32}, 32),
}
PAPER_LEARNING_RATE: tuple[dict[int, float], float] = ({128: 0.0015, 256: 0.002, 512: 0.003, 1024: 0.003}, 0.001)


@dataclass(frozen=True)
class Phase:
    """What holds at one moment of a run."""

    lod: float  # level of detail: 0 = full resolution, k + f blends in the share f of the coarser picture
    resolution: int  # pixels per side that the networks work at
    minibatch: int  # pictures of one step, over all processes
    learning_rate: float  # of both networks

    @property
    def fade(self) -> float:
        """Share of the coarser picture, 0 ≤ f < 1."""
        return self.lod - int(self.lod)


def lod_at(
    nimg: int, resolution: int, initial_resolution: int, lod_training_kimg: float, lod_transition_kimg: float
) -> float:
    """The lod after `nimg` images, from log2(resolution / initial_resolution) down to 0."""
    whole = lod_training_kimg + lod_transition_kimg
    kimg = nimg / 1000
    phase = math.floor(kimg / whole) if whole > 0 else 0
    lod = math.log2(resolution) - math.log2(initial_resolution) - phase
    if lod_transition_kimg > 0:
        lod -= max(kimg - phase * whole - lod_training_kimg, 0.0) / lod_transition_kimg
    return max(lod, 0.0)


def grown_kimg(resolution: int, initial_resolution: int, lod_training_kimg: float, lod_transition_kimg: float) -> float:
    """When the full resolution is reached for good (lod 0), in kimg."""
    return (lod_training_kimg + lod_transition_kimg) * math.log2(resolution / initial_resolution)
