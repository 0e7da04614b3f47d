"""A measurement as a process of its own, at the lowest priority, so that the page stays quick meanwhile.

    python -m explorer.measure_process < request

The request is one line of JSON, see `explorer.measuring`; answers are lines of JSON, each one of

    {"share": 0 … 1, "phase": words}   {"found": [measurements], "task": [model, metric]}
    {"speeds": {key: [units, seconds]}}   {"error": sentence}   {"end": true}

It ends when its input does, so that it never outlives the app. Features stay in the cache: whoever asks again goes on
from there.
"""

import _thread
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Protocol

from explorer.run_process import PRIORITY

Told = dict[str, Any]
GRACE_SEC = 5.0  # in which it ends by itself


def main() -> int:
    """Read a request, answer it."""
    with suppress(OSError, AttributeError):  # not on every system
        os.nice(PRIORITY)
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever libraries print is no answer
    request = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with, args=(sys.stdin.buffer,), daemon=True).start()
    try:
        for told in work(request):
            answers.write(json.dumps(told, allow_nan=False) + "\n")
            answers.flush()
    except (KeyboardInterrupt, BrokenPipeError):
        return 1
    return 0


def work(request: Mapping[str, Any]) -> Iterator[Told]:
    """Answers to a request, the last of which is the end or an error."""
    from stylegan.errors import StyleGANError  # loads PyTorch: seconds

    try:
        yield from _Bench(request).run()
        yield {"end": True}
    except (StyleGANError, OSError) as error:
        yield {"error": " ".join(str(error).split())}


def _end_with(stream: IO[bytes]) -> None:
    stream.read()
    _thread.interrupt_main()
    time.sleep(GRACE_SEC)
    os._exit(1)


class Clock:
    """Seconds and units of work by key."""

    def __init__(self) -> None:
        self.spent: dict[str, list[float]] = {}

    @contextmanager
    def timed(self, key: str, units: float) -> Iterator[None]:
        """Count what is done inside as so many units."""
        began = time.monotonic()
        yield
        self.add(key, units, time.monotonic() - began)

    def add(self, key: str, units: float, sec: float) -> None:
        """Count `units` more."""
        entry = self.spent.setdefault(key, [0.0, 0.0])
        entry[0] += units
        entry[1] += sec

    @property
    def total_sec(self) -> float:
        """Of all keys."""
        return sum(sec for _, sec in self.spent.values())


class _Timed:
    """An extractor, distance or scorer whose method `name` is timed, per picture of its first argument."""

    def __init__(self, inner: object, name: str, clock: Clock, key: str) -> None:
        method: Callable[..., Any] = getattr(inner, name)
        self._inner = inner

        def timed(first: Any, *rest: Any) -> Any:
            with clock.timed(key, len(first)):
                return method(first, *rest)

        setattr(self, name, timed)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class _Model(Protocol):
    """What is used of a generator."""

    synth: Any
    config: Any


class _Bench:
    """The models, pictures and tools of one request."""

    def __init__(self, request: Mapping[str, Any]) -> None:
        self._asked, self._clock = request, Clock()
        self._pictures: dict[int, Any] = {}  # by resolution
        self._keys: Mapping[str, str] = request["keys"]  # of speeds
        self._done, self._total = 0.0, request["total_sec"]

    def run(self) -> Iterator[Told]:
        """Task by task."""
        import stylegan
        from stylegan.metrics.store import sweep
        from stylegan.metrics.tools import open_extractor

        yield self._told("opening the networks", 0.0, 0.0)
        device = self._asked["device"]
        opened = open_extractor(self._asked["extractor"], device)
        extractor = _Timed(opened, "features", self._clock, self._keys["features"])
        number, G = None, None
        for task in self._asked["tasks"]:
            model = self._asked["models"][task["model"]]
            if number != task["model"]:
                number, G = task["model"], stylegan.load(model["path"], device)
                self._watch(G)
            yield from self._task(task, model, G, extractor)
            self._done += task["sec"]
        sweep()

    def _task(self, task: Mapping[str, Any], model: Mapping[str, Any], G: Any, extractor: Any) -> Iterator[Told]:
        from stylegan.metrics.measure import NEEDS_DATA, Plan, Tools, measure
        from stylegan.metrics.path_length import PathLength
        from stylegan.metrics.pictures import Sampling

        asked, metric = self._asked, task["metric"]
        kinds = [PathLength(space, reach, asked["crop"]) for space in ("z", "w") for reach in ("full", "end")]
        plan = Plan(
            (metric,), asked["count"], asked["data_count"],
            Sampling(asked["psi"], asked["cutoff"]), asked["seed"], tuple(kinds), cutoffs=tuple(asked["cutoffs"]),
        )  # fmt: skip
        pictures = None
        if metric in NEEDS_DATA:
            pictures = yield from self._opened(G.config.resolution)
        tools = Tools(extractor, self._distance, self._scorer(model))
        before, began = self._clock.total_sec, time.monotonic()
        for step in measure(G, pictures, plan, tools, name=model["name"], kimg=model["kimg"]):
            if step.result is None and step.phase:
                phase = _renamed(step.phase, model["name"], "" if pictures is None else pictures.name)
                yield self._told(f"{model['label']}: {phase}", step.share, task["sec"])
            elif step.result is not None:
                yield {"found": [item.to_json() for item in step.result], "task": [task["key"], metric]}
        rest = time.monotonic() - began - (self._clock.total_sec - before)
        if task["units"]:
            self._clock.add(metric, task["units"], rest)
        yield {"speeds": self._clock.spent}
        self._clock.spent = {}

    def _opened(self, resolution: int) -> Generator[Told, None, Any]:
        """The pictures to measure against, prepared where they are not yet."""
        from stylegan.metrics.pictures import open_pictures

        if resolution not in self._pictures:
            steps = open_pictures(self._asked["data"], resolution, device=self._asked["device"])
            began, made = time.monotonic(), 0
            while True:
                try:
                    step = next(steps)
                except StopIteration as end:
                    self._pictures[resolution] = end.value
                    break
                if step.phase in ("rendering", "building"):
                    made = max(made, step.total)
                share = step.done / step.total if step.total else 0.0
                yield self._told(f"{step.phase} pictures: {step.done} of {step.total}", share, self._asked["data_sec"])
            self._done += self._asked["data_sec"]
            if made:
                self._clock.add(self._keys["data"], made, time.monotonic() - began)
        return self._pictures[resolution]

    def _distance(self) -> Any:
        from stylegan.metrics.tools import open_distance

        opened = open_distance(self._asked["distance"], self._asked["device"])
        return _Timed(opened, "distance", self._clock, self._keys["distance"])

    def _scorer(self, model: Mapping[str, Any]) -> Any:
        from stylegan.directions.attribute_net import load_scorer

        if model["scorer"] is None:
            return None
        return _Timed(load_scorer(Path(model["scorer"]), self._asked["device"]), "score", self._clock, "scores")

    def _watch(self, G: _Model) -> None:
        """Time the pictures that a generator makes."""
        began: list[float] = []
        key = f"pictures {G.config.resolution}"

        def before(module: Any, given: Any) -> None:
            began.append(time.monotonic())

        def after(module: Any, given: Any, made: Any) -> None:
            self._clock.add(key, len(made), time.monotonic() - began.pop())

        G.synth.register_forward_pre_hook(before)
        G.synth.register_forward_hook(after)

    def _told(self, phase: str, share: float, sec: float) -> Told:
        return {"phase": phase, "share": (self._done + share * sec) / self._total}


def _renamed(phase: str, model: str, data: str) -> str:
    """`cats: 64 of 500 pictures` → `samples, 64 of 500 pictures`, and so for the data."""
    for name, word in ((model, "samples"), (data, "data")):
        if name and phase.startswith(f"{name}: "):
            return f"{word}, {phase.removeprefix(f'{name}: ')}"
    return phase


if __name__ == "__main__":
    sys.exit(main())
