"""A player's loss over all processes: DistributedDataParallel averages its gradients while they are computed.

What is wrapped is the whole loss, not the network: a wrapped module counts one forward to one backward, while a step
calls the discriminator twice and R1 differentiates it by the pictures on the way, which stays inside. At every lod
other layers are at rest, so unused parameters are looked for; they get no gradient, as in one process.
"""

import warnings
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import torch
from torch.nn.parallel import DistributedDataParallel

from stylegan.training.world import World, told

Loss = Callable[..., tuple[torch.Tensor, ...]]


class ParallelLoss:
    """`loss` as a function of this process's part of a minibatch."""

    def __init__(self, network: torch.nn.Module, loss: Loss, world: World) -> None:
        """`network`: whose gradients are averaged in the backward pass; others that `loss` uses are left alone."""
        self._loss = loss
        self._parallel: DistributedDataParallel | None = None
        if world.size > 1:
            # A 1×1 kernel's layout has two readings; channels-last convolutions give their gradients the other one.
            warnings.filterwarnings("ignore", message="Grad strides do not match bucket view strides")
            with told():
                self._parallel = DistributedDataParallel(
                    _Wrapped(network, loss),
                    forward_sync_buffers=False,  # the mean of w is averaged by itself, the noise is fixed
                    find_unused_parameters=True,
                )

    def __call__(self, *arguments: Any, averages: bool) -> tuple[torch.Tensor, ...]:
        """The loss; its backward pass `averages` all gradients gathered so far, or only gathers more."""
        if self._parallel is None:
            return self._loss(*arguments)
        with told(), nullcontext() if averages else self._parallel.no_sync():
            found: tuple[torch.Tensor, ...] = self._parallel(*arguments)
        return found


class _Wrapped(torch.nn.Module):
    """Shows a network's parameters to DistributedDataParallel."""

    def __init__(self, network: torch.nn.Module, loss: Loss) -> None:
        super().__init__()
        self.network, self._loss = network, loss

    def forward(self, *arguments: Any) -> tuple[torch.Tensor, ...]:
        return self._loss(*arguments)
