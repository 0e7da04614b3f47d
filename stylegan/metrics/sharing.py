"""Processes that share the work of one measurement (torchrun), or one alone: the same code and numbers for both."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
import torch.distributed as dist

from stylegan.errors import InputError

Rows = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Share:
    """Which of how many processes this is. With more than one, torch.distributed has been initialised."""

    rank: int = 0
    size: int = 1
    device: str = "cpu"  # where collectives want their tensors

    def agree(self, numbers: Sequence[int]) -> list[int]:
        """The union over all processes, sorted."""
        if self.size == 1:
            return list(numbers)
        found: list[list[int] | None] = [None] * self.size
        dist.all_gather_object(found, list(numbers))
        return sorted({number for part in found for number in part or ()})

    def gather(self, rows: Rows | None, width: int) -> list[Rows]:
        """What all processes bring, in the order of their ranks; those that bring None come last and are left out."""
        if self.size == 1:
            return [] if rows is None else [rows]
        mine = np.zeros((0, width), np.float32) if rows is None else rows
        counts = [torch.zeros(1, dtype=torch.int64, device=self.device) for _ in range(self.size)]
        dist.all_gather(counts, torch.tensor([len(mine)], dtype=torch.int64, device=self.device))
        most = max(int(count) for count in counts)
        padded = torch.zeros(most, width, device=self.device)
        padded[: len(mine)] = torch.from_numpy(mine).to(self.device)
        found = [torch.empty_like(padded) for _ in range(self.size)]
        dist.all_gather(found, padded)
        return [part[: int(n)].cpu().numpy() for part, n in zip(found, counts, strict=True) if int(n)]

    @contextmanager
    def all_or_none(self) -> Iterator[None]:
        """For what each process does by itself: where it fails in one it fails in all, and none waits for another.

        Raises:
            InputError: it failed in another process.
        """
        failed: Exception | None = None
        try:
            yield
        except Exception as error:  # raised below, when all know
            failed = error
        if self.size > 1:
            vote = torch.tensor([0.0 if failed is None else 1.0], device=self.device)
            dist.all_reduce(vote)
            if failed is None and vote.item() > 0:
                raise InputError("Another process could not go on measuring: its own message says why.")
        if failed is not None:
            raise failed

    def wait(self) -> None:
        """Until all processes are here."""
        if self.size > 1:
            dist.barrier()
