"""The averaged generator whose pictures are shown and kept (Karras et al. 2018, §5; FACTS §7)."""

import torch

from stylegan.networks import Generator


def ema_beta(minibatch: int, nimg: int, half_life_kimg: float, rampup: float | None) -> float:
    """How much of the average one step keeps: 0.5^(minibatch / half-life).

    `rampup` limits the half-life to that share of the images shown so far, so that an early average forgets its
    random beginnings; None = no limit, as in the paper.
    """
    half_life = half_life_kimg * 1000
    if rampup is not None:
        half_life = min(half_life, nimg * rampup)
    return 0.0 if half_life <= 0 else 0.5 ** (minibatch / half_life)


@torch.no_grad()
def update(average: Generator, current: Generator, beta: float) -> None:
    """average ← β·average + (1 − β)·current for the weights; w̄ and the stored noise are copied."""
    torch._foreach_lerp_(list(average.parameters()), list(current.parameters()), 1 - beta)
    for buffer, source in zip(average.buffers(), current.buffers(), strict=True):
        buffer.copy_(source)
