"""Long work behind a component: started, asked for and cancelled as a browser does."""

import threading
from dataclasses import dataclass

import pytest

from explorer.jobs import Jobs
from explorer.ui import figures
from explorer.ui.figures import Work
from explorer.values import RecipeError


@dataclass(frozen=True)
class Step:
    done: int
    share: float


@pytest.fixture
def gate():
    gate = threading.Semaphore(0)
    yield gate
    gate.release(1000)


@pytest.fixture
def work(gate):
    """Four steps, each after `gate` lets it through."""

    def make(data, visitor):
        if data.get("bad"):
            raise RecipeError("This is bad.")
        for done in range(1, 5):
            gate.acquire()
            yield Step(done, done / 4)

    return Work(Jobs(max_running=2), "steps", make, lambda step: {"done": step.done})


@pytest.fixture
def ask(work):
    start, poll, cancel = work.functions()

    def ask(name, visitor="a", **data):
        return {"start": start, "poll": poll, "cancel": cancel}[name]({"visitor": visitor, **data})

    return ask


def ended(work, owner="a/steps"):
    work._running[owner].wait(10)


def test_from_start_to_end(work, ask, gate):
    assert ask("start") == {}
    assert ask("poll")["state"] == "running"
    gate.release(4)
    ended(work)
    told = ask("poll")
    assert (told["state"], told["share"], told["record"]) == ("done", 1.0, {"done": 4})


def test_cancelling_keeps_what_there_is(work, ask, gate):
    ask("start")
    ask("cancel")
    gate.release(1)
    ended(work)
    told = ask("poll")
    assert (told["state"], told["record"]) == ("cancelled", {"done": 1})


def test_visitors_have_their_own(work, ask, gate):
    ask("start")
    ask("start", visitor="b")
    assert "2 pieces of work" in ask("start", visitor="c")["error"]
    ask("cancel", visitor="b")
    gate.release(100)
    ended(work)
    ended(work, "b/steps")
    assert (ask("poll")["state"], ask("poll", visitor="b")["state"]) == ("done", "cancelled")
    assert ask("poll", visitor="nobody")["state"] == "cancelled"


def test_mistakes_are_told(work, ask):
    ask("start", bad=True)
    ended(work)
    told = ask("poll")
    assert (told["state"], told["error"]) == ("failed", "This is bad.")
    assert "error" in ask("start", visitor=3)
    assert "error" in ask("poll", visitor="x" * 1000)


def test_who_has_left_costs_nothing(work, ask, gate, monkeypatch):
    now = 1000.0
    monkeypatch.setattr(figures.time, "monotonic", lambda: now)
    ask("start")
    now += figures.LEASE_SEC + 1
    gate.release(4)
    ended(work)
    assert work._running["a/steps"].status.record == Step(1, 0.25)
    now += figures.LEASE_SEC
    ask("start", visitor="b")
    assert set(work._running) == {"b/steps"}
