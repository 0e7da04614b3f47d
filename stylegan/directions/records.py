"""Long work of this package is a generator of `Step`s, the last of which carries the result.

The caller owns progress bars and cancels by asking for no more.
"""

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")
S = TypeVar("S")


@dataclass(frozen=True, eq=False)
class Step(Generic[T]):
    """How far long work has come: `share` from 0 to 1, what it is doing in a few words, and in the last the result."""

    phase: str
    share: float
    result: T | None = None


def finish(steps: Iterator[Step[T]]) -> T:
    """Run `steps` to its end and return the result."""
    result: T | None = None
    for step in steps:
        result = step.result
    assert result is not None, "the last step carries the result"
    return result


def part(steps: Iterator[Step[S]], low: float, high: float) -> Generator[Step[T], None, S]:
    """Pass `steps` on as the part of other work from `low` to `high`, and return its result."""
    result: S | None = None
    for step in steps:
        result = step.result
        yield Step(step.phase, low + (high - low) * step.share)
    assert result is not None, "the last step carries the result"
    return result
