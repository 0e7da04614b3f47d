"""How fast films are made: frames per second from recipe to file, what batches and shared layers save, and memory.

    python benchmarks/film.py [--model FILE] [--rounds 3] [--memory] [--json FILE]

Films of the app's own model at its own size, as every format; the same larger, even to the eye, and as synchronous
grids; and of a model of 128² with random weights, which costs the same. Of each the best of a few rounds: frames per
second by the clock, and milliseconds of processor time per frame, ours and the encoder's, which other work on the
machine weighs on less. The aim is 25 frames per second at the model's own size.

`together` holds the frames of three films, drawn as films are, against a twin that draws each frame alone from nothing:
one whose every layer changes, and two that have their first layers in common from frame to frame.

`--memory` renders films of 200 and of 2,000 frames in processes of their own and compares the most memory they took.
"""

import argparse
import json
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).parents[1]))

from explorer import edits, film_path, film_render
from explorer.adapt import fresh
from explorer.engine import Engine
from explorer.film import Film, Key
from explorer.library import Library
from explorer.options import DEFAULT_MODEL
from explorer.recipe import Recipe
from stylegan import Generator, GeneratorConfig, model_file

AIM_FPS = 25.0
LONG, SHORT = 2000, 200  # frames
SEEDS = (3, 7, 11)


def clock() -> tuple[float, float, float]:
    """By the clock, of this process, and of those it has waited for: seconds."""
    own, others = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.perf_counter(), own.ru_utime + own.ru_stime, others.ru_utime + others.ru_stime


def timed(work: Callable[[], int]) -> dict[str, float]:
    """Rates of something that makes a number of frames."""
    before = clock()
    frames = work()
    wall_sec, own_sec, encoder_sec = (now - then for now, then in zip(clock(), before, strict=True))
    return {"fps": frames / wall_sec, "own_ms": 1000 * own_sec / frames, "encoder_ms": 1000 * encoder_sec / frames}


def best(work: Callable[[], int], rounds: int) -> dict[str, float]:
    """Of a few rounds each number's best: other work only ever adds."""
    times = [timed(work) for _ in range(rounds)]
    return {name: (max if name == "fps" else min)(one[name] for one in times) for name in times[0]}


def random_model(folder: Path) -> Path:
    """128², as wide as preset "small" makes it, with noise that shows."""
    G = Generator(
        GeneratorConfig(resolution=128, z_dim=128, w_dim=128, mapping_fmaps=128, fmap_base=1024, fmap_max=128)
    )
    with torch.no_grad():
        for layer in G.synth.layers:
            layer.noise_strength.fill_(0.1)
    path = folder / "random128.safetensors"
    model_file.save(G.eval(), path)
    return path


def loop(engine: Engine, **options: Any) -> Film:
    """From three seeds around to the first: 150 frames unless `options` say otherwise."""
    start = fresh(engine.library.card(engine.library.default))
    keys = tuple(Key(edits.with_seed(start, seed)) for seed in SEEDS)
    return Film(keys, end="loop", **{"step_sec": 2.0, "fps": 25, **options})


def end_to_end(engine: Engine, folder: Path, film: Film, suffix: str, rounds: int) -> dict[str, float]:
    """From recipes to a file."""

    def render() -> int:
        for _ in film_render.render(engine, film, folder / f"film{suffix}"):
            pass
        return film.frames

    return best(render, rounds)


def together(engine: Engine, rounds: int) -> dict[str, Any]:
    """Processor time per frame of films and of the twin."""
    plain = replace(loop(engine).keys[0].recipe, psi=1.0)
    layers = engine.library.card(plain.model).num_ws
    other = replace(plain, layer_psi=tuple((layer, 0.0) for layer in range(layers // 2, layers)))
    last = replace(plain, layer_psi=((layers - 1, 0.0), (layers - 2, 0.0)))
    found = {}
    for name, to in (("every layer", edits.with_seed(plain, 7)), ("the finer half", other), ("the last two", last)):
        film = Film((Key(plain), Key(to)), step_sec=4, fps=25, easing="linear")
        (way,) = film_path.ways(film, engine.library.card(plain.model))
        recipes = [way(place.share) for place in film_path.places(film)]
        batches, alone = [], []
        for _ in range(rounds):  # they take turns
            batches.append(timed(lambda recipes=recipes: sum(1 for _ in engine.film(iter(recipes)))))  # type: ignore[misc]
            alone.append(timed(lambda recipes=recipes: each_alone(engine, recipes)))  # type: ignore[misc]
        one, twin = (statistics.median(times["own_ms"] for times in many) for many in (batches, alone))
        found[name] = {"film_ms": one, "alone_ms": twin, "times": twin / one}
    return found


def each_alone(engine: Engine, recipes: list[Recipe]) -> int:
    """The slow twin: every frame from nothing."""
    for recipe in recipes:
        Engine(engine.library, cache_mib=0).render(recipe)
    return len(recipes)


def peak_mib(model: Path, frames: int, suffix: str) -> dict[str, float]:
    """The most memory that a process took for a film of so many frames, and the most that an encoder of its took."""
    command = [sys.executable, __file__, "--model", str(model), "--peak", str(frames), "--suffix", suffix]
    return dict(json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout))


def peak(model: Path, frames: int, suffix: str) -> dict[str, float]:
    """As `peak_mib`, in the process itself."""
    engine, ended = Engine(Library([model])), threading.Event()
    encoder_kib = [0]
    watch = threading.Thread(target=watch_children, args=(ended, encoder_kib))
    watch.start()
    with tempfile.TemporaryDirectory() as folder:
        film = loop(engine, step_sec=frames / 50 / len(SEEDS), fps=50, size=256, smooth=True)
        for _ in film_render.render(engine, film, Path(folder, f"film{suffix}")):
            pass
    ended.set()
    watch.join()
    own_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"frames": film.frames, "own_mib": own_kib / 1024, "encoder_mib": encoder_kib[0] / 1024}


def watch_children(ended: threading.Event, most_kib: list[int]) -> None:
    """Look at the most memory that each of our processes has had, until `ended`; Linux's rusage counts ours in."""
    while not ended.wait(0.05):
        for children in Path("/proc/self/task").glob("*/children"):
            for pid in children.read_text().split():
                with suppress(OSError):  # it has just ended
                    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
                    most_kib[0] = max(most_kib[0], int(found[1]) if found else 0)


def told(name: str, rates: dict[str, float], aim: bool) -> None:
    """One line for people."""
    verdict = ("" if rates["fps"] >= AIM_FPS else "  below the aim") if aim else ""
    cpu = f"{rates['own_ms']:6.1f} + {rates['encoder_ms']:4.1f} ms of processor"
    print(f"{name:34} {rates['fps']:6.1f} frames/s   {cpu}{verdict}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=DEFAULT_MODEL)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--peak", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--suffix", default=".mp4", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peak:
        print(json.dumps(peak(options.model, options.peak, options.suffix)))
        return
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        engine = Engine(Library([options.model]))
        px = engine.library.card(engine.library.default).resolution
        six, many = ({"seeds": tuple(range(tiles)), "step_sec": 6 / tiles} for tiles in (6, 24))
        cases: list[tuple[str, Engine, str, dict[str, Any]]] = [
            *((f"{px}² as {suffix}", engine, suffix, {}) for suffix in (".mp4", ".webp", ".gif", ".zip")),
            ("256² as .mp4", engine, ".mp4", {"size": 256, "smooth": True}),
            ("even to the eye", engine, ".mp4", {"easing": "even"}),
            (f"3 × 2 tiles of {px}²", engine, ".mp4", six),
            ("3 × 2 tiles of 128²", engine, ".mp4", {**six, "size": 128, "smooth": True}),
            (f"6 × 4 tiles of {px}²", engine, ".mp4", many),
            ("6 × 4 tiles of 128²", engine, ".mp4", {**many, "size": 128, "smooth": True}),
            ("random weights at 128²", Engine(Library([random_model(folder)])), ".mp4", {"step_sec": 1.0}),
        ]
        end_to_end(engine, folder, loop(engine, step_sec=0.5), ".mp4", 1)  # what only the first film waits for
        for case, which, suffix, given in cases:
            results[case] = end_to_end(which, folder, loop(which, **given), suffix, options.rounds)
            told(case, results[case], aim="²" in case and "tiles" not in case)
        results["together"] = together(engine, options.rounds)
        for case, times in results["together"].items():
            numbers = f"{times['film_ms']:5.1f} ms of processor a frame, alone {times['alone_ms']:5.1f} ms"
            print(f"changes in {case}: {numbers}: {times['times']:.1f} times", flush=True)
    if options.memory:
        for suffix in (".mp4", ".webp", ".gif", ".zip"):
            short, long = (peak_mib(options.model, frames, suffix) for frames in (SHORT, LONG))
            results[f"memory {suffix}"] = {"short": short, "long": long}
            more = {key: long[key] - short[key] for key in ("own_mib", "encoder_mib")}
            print(f"{suffix}: {LONG} frames take {long['own_mib']:.0f} + {long['encoder_mib']:.0f} MiB, "
                  f"{more['own_mib']:+.0f} and {more['encoder_mib']:+.0f} MiB against {SHORT}", flush=True)  # fmt: skip
    if options.json:
        options.json.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
