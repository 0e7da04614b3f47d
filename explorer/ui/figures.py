"""What the tabs with figures share: a follower of the picture, and long work that a component starts and watches.

A job belongs to the component of one visitor: a newer one ends it, and so does not being asked for it any more.
"""

import math
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Generic, TypeVar

import gradio as gr

from explorer.jobs import Job, Jobs, Progress
from explorer.ui.bind import answering, visitor_of

LEASE_SEC = 15.0  # after this long without a question a job is not worth finishing

R = TypeVar("R", bound=Progress)


def follower(key: str = "() => window.explorer.present") -> gr.HTML:
    """A component that is not seen; its event `again` says that the picture rests, is another one, and is looked at.

    Args:
        key: JavaScript function: what has to be different from last time.
    """
    return gr.HTML(
        html_template="<div></div>",
        js_on_load=f"window.explorer.follow(element, () => trigger('again'), {key});",
        apply_default_css=False,
        elem_classes="follower",
    )


class Work(Generic[R]):
    """Work of one kind: the server functions `start`, `poll` and `cancel` of the component that shows it."""

    def __init__(
        self, jobs: Jobs, name: str, make: Callable[[Mapping[str, Any], str], Iterator[R]], show: Callable[[R], Any]
    ) -> None:
        """Work for `jobs`.

        Args:
            name: tells apart the works of one visitor.
            make: what to do for a request of a browser (to be checked) and the name that its pictures are asked under.
            show: a record as plain JSON.
        """
        self._jobs, self._name, self._make, self._show = jobs, name, make, show
        self._running: dict[str, Job[R]] = {}  # by owner, and a while longer
        self._asked_sec: dict[str, float] = {}  # when its owner last asked

    def functions(self) -> list[Callable[..., Any]]:
        """The server functions, for `gr.HTML`."""

        @answering
        def start(data: Mapping[str, Any]) -> dict[str, Any]:
            """{visitor, …} → {}: begin, in place of what runs."""
            owner = self._owner(data)
            self._forget()
            self._asked_sec[owner] = time.monotonic()
            self._running[owner] = self._jobs.start(lambda: self._leased(data, owner), owner)
            return {}

        @answering
        def poll(data: Mapping[str, Any]) -> dict[str, Any]:
            """{visitor} → {state, share, left_sec, record}."""
            owner = self._owner(data)
            if owner not in self._running:
                return {"state": "cancelled", "share": 0.0, "left_sec": None, "record": None}
            self._asked_sec[owner] = time.monotonic()
            status = self._running[owner].status
            record = None if status.record is None else self._show(status.record)
            told = {"state": status.state, "share": status.share, "left_sec": status.left_sec, "record": record}
            return {**told, "error": status.error} if status.error else told

        @answering
        def cancel(data: Mapping[str, Any]) -> dict[str, Any]:
            """{visitor} → {}: end what runs."""
            self._jobs.cancel(self._owner(data))
            return {}

        return [start, poll, cancel]

    def _owner(self, data: Mapping[str, Any]) -> str:
        return f"{visitor_of(data)}/{self._name}"

    def _leased(self, data: Mapping[str, Any], owner: str) -> Iterator[R]:
        """The work, until nobody asks for it any more."""
        for record in self._make(data, owner):
            yield record
            if self._silent_sec(owner) > LEASE_SEC:
                return

    def _forget(self) -> None:
        """Drop what nobody has asked for in a while: those who left."""
        for owner in list(self._asked_sec):
            if self._silent_sec(owner) > 2 * LEASE_SEC:
                self._asked_sec.pop(owner, None)
                self._running.pop(owner, None)

    def _silent_sec(self, owner: str) -> float:
        return time.monotonic() - self._asked_sec.get(owner, -math.inf)
