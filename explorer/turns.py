"""Whose turn it is on the one device: one piece of work at a time, visitors in turn, overtaken requests dropped.

A request is a ticket. A newer request of the same visitor overtakes it: it never starts, or ends at its next `check`.
The newer one keeps the older one's place in the line, so that a hand that drags is neither ahead of others nor behind.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Overtaken(Exception):
    """A newer request of the same visitor has made this one pointless; nothing is wrong and nothing is to be shown."""


class Request:
    """One wish of one visitor, which may need the device several times; made by `Turns.request`."""

    def __init__(self, turns: "Turns", visitor: object) -> None:
        self._turns = turns
        self.visitor = visitor
        self.overtaken = False

    def check(self) -> None:
        """Raise Overtaken if a newer request has come; to be called between steps of the work."""
        if self.overtaken:
            raise Overtaken

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for the device, hold it, give it to the next in line. Overtaken: a newer request came while waiting."""
        self._turns._take(self)
        try:
            yield
        finally:
            self._turns._give()


class Turns:
    """The line before the device. Thread-safe."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._newest: dict[object, Request] = {}  # of each visitor who has a request
        self._line: dict[object, Request] = {}  # by visitor, first come first; a value may change, its place does not
        self._busy = False

    @contextmanager
    def request(self, visitor: str | None) -> Iterator[Request]:
        """A new request, overtaking those before it of the same `visitor`; None: a visitor of its own."""
        key: object = object() if visitor is None else visitor
        request = Request(self, key)
        with self._changed:
            if key in self._newest:
                self._newest[key].overtaken = True
            if key in self._line:
                self._line[key] = request
            self._newest[key] = request
            self._changed.notify_all()
        try:
            yield request
        finally:
            with self._changed:
                for table in (self._newest, self._line):
                    if table.get(key) is request:
                        del table[key]
                self._changed.notify_all()

    def _take(self, request: Request) -> None:
        with self._changed:
            request.check()
            self._line.setdefault(request.visitor, request)
            self._changed.wait_for(lambda: request.overtaken or (not self._busy and self._is_first(request)))
            request.check()
            del self._line[request.visitor]
            self._busy = True

    def _is_first(self, request: Request) -> bool:
        return next(iter(self._line.values())) is request

    def _give(self) -> None:
        with self._changed:
            self._busy = False
            self._changed.notify_all()
