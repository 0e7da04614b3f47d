"""The plain values of `stylegan.data`: progress of long work, files that were skipped, what was found.

Long work (hashing, decoding, rendering) is a generator of `Progress` whose return value is the result: the caller owns
progress bars and cancelling, and `finish` is for callers that want neither.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

from stylegan.atomic import write_bytes

Result = TypeVar("Result")
Phase = Literal["hashing", "waiting", "building", "rendering"]


@dataclass(frozen=True)
class Progress:
    """`done` of `total` items of one phase; while waiting for another process both are 0."""

    phase: Phase
    done: int
    total: int


def finish(steps: Generator[Progress, None, Result]) -> Result:
    """Run `steps` to its end and return what it returns."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: Result = end.value
            return result


class Unreadable(Exception):
    """One file cannot be used; the message is the reason, in a few words that follow the file's name."""


@dataclass(frozen=True)
class Broken:
    """A file that was skipped, by its name in the folder or zip, and why."""

    name: str
    reason: str

    def __str__(self) -> str:
        return f"{shown(self.name)} ({self.reason})"


@dataclass(frozen=True)
class Report:
    """What a folder or zip turned out to hold. Sizes are (width, height) in pixels, after EXIF orientation.

    `smallest` and `largest` go by the shorter side, `enlarged` counts images whose shorter side is below the
    resolution, `distinct` counts different pictures after processing, `warnings` are sentences for people.
    """

    found: int
    images: int
    broken: tuple[Broken, ...]
    distinct: int
    smallest: tuple[int, int]
    largest: tuple[int, int]
    enlarged: int
    warnings: tuple[str, ...] = ()


def shown(name: str, most: int = 80) -> str:
    """`name` fit for a message: no control characters, no undecodable bytes, the end of a long one."""
    clean = "".join(letter if letter.isprintable() else "?" for letter in name)
    return clean if len(clean) <= most else "…" + clean[1 - most :]


def listed(items: Sequence[Broken], most: int = 3, where: Path | None = None) -> str:
    """The first few items by name, how many more there are, and the file that lists them all."""
    text = ", ".join(str(item) for item in items[:most])
    if len(items) <= most:
        return text
    return f"{text} and {len(items) - most} more" + (f" (all of them in {where})" if where else "")


def write_list(items: Sequence[Broken], path: Path) -> None:
    """All items into a text file, one a line: name, tab, reason."""
    write_bytes(path, "".join(f"{shown(item.name, 10_000)}\t{item.reason}\n" for item in items).encode())
