"""A bar on stderr for long work that is a generator of `Step`s."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from stylegan.directions import Step

T = TypeVar("T")


def shown(steps: "Iterator[Step[T]]") -> T:
    """Run `steps` behind a bar on stderr, where that is a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    from stylegan.directions import finish

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task("", total=1.0)

        def told() -> "Iterator[Step[T]]":
            for step in steps:
                bar.update(task, description=step.phase, completed=step.share)
                yield step

        return finish(told())
