"""Several processes that train together (torchrun), or one alone: the same code for both.

Gradients are averaged here rather than by DistributedDataParallel, whose hooks want one forward and one backward a step
over the same parameters: R1 differentiates twice, and at every lod another part of the networks is at rest.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import Tensor

from stylegan.errors import InputError

COLLECTIVE_TIMEOUT = timedelta(minutes=30)  # one process may prepare data while the others wait


@dataclass(frozen=True)
class World:
    """Which of how many processes this is, and where it computes."""

    device: torch.device
    rank: int = 0
    size: int = 1

    @property
    def is_writer(self) -> bool:
        """The one process that writes files."""
        return self.rank == 0

    def share(self, minibatch: int) -> tuple[int, int]:
        """First and behind-last sample of this process in a minibatch.

        Raises:
            InputError: the minibatch cannot be shared evenly.
        """
        if minibatch % self.size:
            raise InputError(f"A minibatch of {minibatch} cannot be shared evenly by {self.size} processes.")
        part = minibatch // self.size
        return self.rank * part, (self.rank + 1) * part

    def average_gradients(self, parameters: Iterable[Tensor]) -> Tensor:
        """Average the gradients over all processes, in place; whether all of them are finite, as a 0-d bool tensor."""
        gradients = [p.grad for p in parameters if p.grad is not None]
        if not gradients:
            return torch.ones((), dtype=torch.bool, device=self.device)
        flat = torch.cat([g.reshape(-1) for g in gradients])
        if self.size > 1:
            dist.all_reduce(flat)
            flat /= self.size
            parts = torch.split(flat, [g.numel() for g in gradients])
            torch._foreach_copy_(gradients, [part.view_as(g) for part, g in zip(parts, gradients, strict=True)])
        return torch.isfinite(flat).all()

    def average(self, x: Tensor) -> Tensor:
        """Mean of `x` over all processes."""
        if self.size > 1:
            x = x.clone()
            dist.all_reduce(x)
            x = x / self.size
        return x

    def any(self, flag: bool) -> bool:
        """True where any process says so."""
        if self.size == 1:
            return flag
        votes = torch.tensor(float(flag), device=self.device)
        dist.all_reduce(votes)
        return bool(votes > 0)

    def wait(self) -> None:
        """Until all processes are here."""
        if self.size > 1:
            dist.barrier()


def join(device: str | None = None) -> World:
    """The world that torchrun describes in the environment, or a single process. Call `leave` at the end."""
    size, rank = int(os.environ.get("WORLD_SIZE", "1")), int(os.environ.get("RANK", "0"))
    wanted = pick_device(device)
    if size == 1:
        return World(wanted)
    if wanted.type == "cuda":
        wanted = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
        torch.cuda.set_device(wanted)
    dist.init_process_group("nccl" if wanted.type == "cuda" else "gloo", timeout=COLLECTIVE_TIMEOUT)
    return World(wanted, rank, size)


def leave(world: World) -> None:
    """Close what `join` opened."""
    if world.size > 1 and dist.is_initialized():
        dist.destroy_process_group()


def pick_device(name: str | None) -> torch.device:
    """The device called `name`, or the best there is; InputError for one that is not there."""
    if name is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise InputError(f"{name!r} is no device; try cpu, cuda or cuda:0.") from error
    if device.type == "cuda" and not torch.cuda.is_available():
        raise InputError("This machine has no CUDA GPU that PyTorch can use; try --device cpu.")
    return device
