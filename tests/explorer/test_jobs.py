"""Long work in a thread: progress, time left, cancelling, faults, and how many at a time."""

import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from explorer.jobs import Jobs
from explorer.turns import Overtaken
from stylegan.errors import InputError


@dataclass(frozen=True)
class Step:
    share: float


class Work:
    """A generator that takes a step when allowed, and notes whether it was closed."""

    def __init__(self, steps: int = 3) -> None:
        self.steps, self.allowed = steps, threading.Semaphore(0)
        self.closed = threading.Event()

    def __call__(self) -> Iterator[Step]:
        try:
            for i in range(1, self.steps + 1):
                assert self.allowed.acquire(timeout=10)
                yield Step(i / self.steps)
        finally:
            self.closed.set()

    def allow(self, steps: int) -> None:
        self.allowed.release(steps)


def until(condition) -> None:
    for _ in range(2000):
        if condition():
            return
        threading.Event().wait(0.002)
    raise AssertionError("it never came")


def test_a_job_tells_how_far_it_is():
    work = Work(4)
    job = Jobs().start(work)
    assert (job.status.state, job.status.record, job.status.share, job.status.left_sec) == ("running", None, 0, None)
    work.allow(1)
    until(lambda: job.status.record)
    status = job.status
    assert (status.state, status.share) == ("running", 0.25)
    assert status.left_sec == pytest.approx(3 * status.elapsed_sec)
    work.allow(3)
    status = job.wait(10)
    assert (status.state, status.record, status.share, status.left_sec, status.error) == ("done", Step(1.0), 1, 0, "")


def test_cancelling_ends_it_after_the_record_it_is_at():
    work = Work()
    job = Jobs().start(work)
    job.cancel()
    work.allow(3)
    assert job.wait(10).state == "cancelled"
    assert work.closed.is_set()
    assert job.status.record == Step(1 / 3)


@pytest.mark.parametrize(
    ("error", "state", "says"),
    [
        (InputError("The seed is odd."), "failed", "The seed is odd."),
        (Overtaken(), "cancelled", ""),
        (ZeroDivisionError("x"), "failed", "a fault in the program (ZeroDivisionError)."),
    ],
)
def test_errors(error, state, says, caplog):
    def work() -> Iterator[Step]:
        yield Step(0.5)
        raise error

    with caplog.at_level(logging.ERROR):
        status = Jobs().start(work).wait(10)
    assert status.state == state
    assert status.error.endswith(says)
    assert bool(caplog.records) == isinstance(error, ZeroDivisionError)


def test_only_so_many_at_a_time():
    jobs, works = Jobs(max_running=2), [Work(), Work(), Work()]
    running = [jobs.start(work) for work in works[:2]]
    with pytest.raises(InputError, match="2 pieces of work are running"):
        jobs.start(works[2])
    works[0].allow(3)
    assert running[0].wait(10).state == "done"
    until(lambda: len(jobs._running) == 1)
    last = jobs.start(works[2])
    for work in works[1:]:
        work.allow(3)
    assert last.wait(10).state == running[1].wait(10).state == "done"
    until(lambda: not jobs._running)


def test_a_new_job_of_the_same_owner_ends_the_older():
    jobs, old_work, new_work = Jobs(max_running=1), Work(), Work()
    old = jobs.start(old_work, "me")
    new = jobs.start(new_work, "me")
    old_work.allow(1)
    assert old.wait(10).state == "cancelled"
    assert new.status.state == "running"
    jobs.cancel("someone else")
    jobs.cancel("me")
    new_work.allow(1)
    assert new.wait(10).state == "cancelled"
    until(lambda: not jobs._running)
