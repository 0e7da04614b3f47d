"""Several processes that train together (torchrun), or one alone: the same code for both. Gradients: `parallel`."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import Tensor

from stylegan.errors import InputError, RunError

COLLECTIVE_TIMEOUT = timedelta(minutes=30)  # one process may prepare data while the others wait
DEVICE_TYPES = ("cpu", "cuda", "mps", "xpu")


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
        """First and behind-last sample of this process in a minibatch, which `TrainConfig.check_shares` has checked."""
        part = minibatch // self.size
        return self.rank * part, (self.rank + 1) * part

    def average_(self, tensors: Sequence[Tensor]) -> None:
        """Replace each tensor by its mean over all processes, which all bring the same shapes."""
        if self.size == 1 or not tensors:
            return
        flat = torch.cat([t.reshape(-1) for t in tensors])
        with told():
            dist.all_reduce(flat)
        flat /= self.size
        parts = torch.split(flat, [t.numel() for t in tensors])
        torch._foreach_copy_(list(tensors), [part.view_as(t) for part, t in zip(parts, tensors, strict=True)])

    def agree(self, *flags: bool) -> tuple[bool, ...]:
        """Each flag, true where any process says so: the same answer in all of them."""
        if self.size == 1:
            return flags
        votes = torch.tensor(flags, dtype=torch.float32, device=self.device)
        with told():
            dist.all_reduce(votes)
        return tuple(vote > 0 for vote in votes.tolist())

    def same(self, number: int) -> bool:
        """Whether all processes bring the same number."""
        if self.size == 1:
            return True
        numbers = torch.tensor([number, -number], dtype=torch.int64, device=self.device)
        with told():
            dist.all_reduce(numbers, dist.ReduceOp.MAX)
        high, low = numbers.tolist()
        return bool(high == -low)

    def wait(self) -> None:
        """Until all processes are here."""
        if self.size > 1:
            with told():
                dist.barrier()


def join(device: str | None = None) -> World:
    """The world that torchrun describes in the environment, or a single process. Call `leave` at the end.

    Raises:
        InputError: a device that is not there, or more processes than GPUs.
        RunError: the others cannot be reached.
    """
    size, rank = int(os.environ.get("WORLD_SIZE", "1")), int(os.environ.get("RANK", "0"))
    wanted = pick_device(device)
    if size == 1:
        return World(wanted)
    if wanted.type == "cuda":
        local, found = int(os.environ.get("LOCAL_RANK", "0")), torch.cuda.device_count()
        if local >= found:
            raise InputError(f"There are {found} GPUs here and at least {local + 1} processes: start one for each GPU.")
        wanted = torch.device("cuda", local)
        torch.cuda.set_device(wanted)
    with told():
        backend, own = ("nccl", wanted) if wanted.type == "cuda" else ("gloo", None)
        dist.init_process_group(backend, timeout=COLLECTIVE_TIMEOUT, device_id=own)
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
        if device.type not in DEVICE_TYPES:
            raise RuntimeError(f"not one of {DEVICE_TYPES}")
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise InputError(
            f"There is no device {name!r} here that PyTorch can use; --device cpu always works."
        ) from error
    return device


@contextmanager
def told() -> Iterator[None]:
    """A collective that breaks off, as one sentence: it does when another process has ended."""
    try:
        yield
    except torch.OutOfMemoryError:
        raise
    except RuntimeError as error:
        raise RunError(
            "Another process of this run ended or cannot be reached: its own message says why. "
            "The run can be resumed from its last state."
        ) from error
