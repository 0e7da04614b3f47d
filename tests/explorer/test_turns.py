"""The line before the device: one at a time, in turn, overtaken requests dropped. Threads wait on conditions only."""

import threading

import pytest

from explorer.turns import Overtaken, Turns


class Line:
    """Turns with a visitor inside who leaves when told, and others who queue up behind in a known order."""

    def __init__(self) -> None:
        self.turns = Turns()
        self.log: list[str] = []
        self.go = threading.Event()
        self.threads: list[threading.Thread] = []
        self.ask("first", "blocker", lambda: self.go.wait(10))
        self._until(lambda: "first" in self.log)

    def ask(self, name: str, visitor: str | None, work=lambda: None) -> None:
        def run() -> None:
            try:
                with self.turns.request(visitor) as request, request.turn():
                    self.log.append(name)
                    work()
            except Overtaken:
                self.log.append(f"{name} overtaken")

        self.threads.append(threading.Thread(target=run))
        self.threads[-1].start()

    def queue(self, name: str, visitor: str | None, waiting: int) -> None:
        """Ask, and return once `waiting` requests are in the line and this is one of them."""
        before = set(map(id, self.turns._line.values()))
        self.ask(name, visitor)
        self._until(
            lambda: len(self.turns._line) == waiting and set(map(id, self.turns._line.values())) - before,
        )

    def end(self) -> list[str]:
        self.go.set()
        for thread in self.threads:
            thread.join(10)
        return self.log

    def _until(self, condition) -> None:
        for _ in range(2000):
            if condition():
                return
            threading.Event().wait(0.002)
        raise AssertionError(f"it never came; so far {self.log}")


def test_first_come_first_served():
    line = Line()
    for i, name in enumerate("abc", 1):
        line.queue(name, name, i)
    assert line.end() == ["first", "a", "b", "c"]


def test_the_newest_request_of_a_visitor_takes_the_place_of_the_older_ones():
    line = Line()
    line.queue("a1", "A", 1)
    line.queue("b", "B", 2)
    line.queue("a2", "A", 2)
    line.queue("a3", "A", 2)
    log = line.end()
    assert [entry for entry in log if "overtaken" not in entry] == ["first", "a3", "b"]
    assert {entry for entry in log if "overtaken" in entry} == {"a1 overtaken", "a2 overtaken"}


def test_nameless_requests_never_overtake():
    line = Line()
    for i in range(1, 4):
        line.queue(str(i), None, i)
    assert line.end() == ["first", "1", "2", "3"]


def test_a_running_request_learns_that_it_was_overtaken():
    turns = Turns()
    with turns.request("A") as old, old.turn():
        old.check()
        with turns.request("B"):
            old.check()
        with turns.request("A") as new:
            with pytest.raises(Overtaken):
                old.check()
            new.check()
    with turns.request("A") as later, later.turn():
        later.check()


def test_the_device_is_free_again_after_an_error():
    turns = Turns()
    with pytest.raises(ZeroDivisionError), turns.request("A") as request, request.turn():
        raise ZeroDivisionError
    with turns.request("B") as request, request.turn():
        pass
    assert not turns._line
    assert not turns._newest


def test_long_work_gives_way_between_its_turns():
    line = Line()
    turns, entered = line.turns, []

    def cells() -> None:
        with turns.request("sheet") as request:
            for _ in range(3):
                with request.turn():
                    entered.append("cell")
                    if len(entered) == 1:
                        line.queue("other", "other", 1)

    line.go.set()
    line.threads[0].join(10)
    thread = threading.Thread(target=cells)
    thread.start()
    thread.join(10)
    line.end()
    assert line.log == ["first", "other"]
    assert len(entered) == 3
