"""From recipe to pixels: how long a new picture takes, and an edit that first matters at each layer.

    python benchmarks/engine.py [--resolutions 64,256,1024] [--model FILE] [--threads 1] [--rounds 9] [--json FILE]

64² has the widths of the app's own model, larger ones those of the paper; weights are random, which costs the same. An
edit at layer k is held against the network alone run from layer k to pixels, its input at hand. The two take turns, and
medians of processor time are compared, so that other work on the machine weighs on neither; the aim is a ratio of at
most 1.15. `fresh` is a picture of a new seed, `sheet` a contact sheet of 24 new seeds.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).parents[1]))

from explorer import edits, sheets
from explorer.engine import Engine
from explorer.library import Library
from explorer.painter import finest_resolution
from explorer.recipe import Recipe
from stylegan import Generator, GeneratorConfig, model_file, to_uint8

RATIO = 1.15
SMALL = {"z_dim": 128, "w_dim": 128, "mapping_fmaps": 128, "fmap_base": 2048, "fmap_max": 128}


@dataclass(frozen=True)
class Timing:
    """Medians of one case."""

    wall_ms: float
    cpu_ms: float


class Clock:
    """Collects times of named cases."""

    def __init__(self, device: str) -> None:
        self.times: dict[str, list[tuple[float, float]]] = {}
        self._cuda = device.startswith("cuda")

    def time(self, name: str, work: Callable[[], object]) -> None:
        self._sync()
        wall, cpu = time.perf_counter(), time.process_time()
        work()
        self._sync()
        self.times.setdefault(name, []).append((time.perf_counter() - wall, time.process_time() - cpu))

    def median(self, name: str) -> Timing:
        walls, cpus = zip(*self.times[name], strict=True)
        return Timing(1000 * statistics.median(walls), 1000 * statistics.median(cpus))

    def _sync(self) -> None:
        if self._cuda:
            torch.cuda.synchronize()


def write_model(folder: str, resolution: int) -> Path:
    """A file with random weights and noise that shows."""
    G = Generator(GeneratorConfig(resolution=resolution, **(SMALL if resolution <= 64 else {})))
    with torch.no_grad():
        for layer in G.synth.layers:
            layer.noise_strength.fill_(0.1)
    path = Path(folder, f"random{resolution}.safetensors")
    model_file.save(G.eval(), path)
    return path


@torch.no_grad()
def network_from(G: Generator, w: torch.Tensor, outputs: list[torch.Tensor], layer: int) -> object:
    """The layers from `layer` on, to pixels, and nothing else."""
    noise = G.noise_images("stored", 1)
    start = outputs[layer - 1] if layer else None
    *_, x = G.synth.activations(w[None], noise, layer, start, len(outputs) - 1)
    return to_uint8(G.synth.to_rgb[finest_resolution(G)](x)).cpu()


def measure(path: Path, rounds: int, device: str) -> dict[str, Any]:
    """All cases of one model."""
    engine = Engine(Library([path], device=device))
    G, clock = engine.library.generator(engine.library.default), Clock(device)
    recipe = Recipe(engine.library.default)
    w = engine.w(recipe)
    with torch.no_grad():
        outputs = list(G.synth.activations(w[None], G.noise_images("stored", 1), last=2 * finest_resolution(G) + 1))
    for warm in range(2):
        engine.render(edits.with_seed(recipe, 10**6 + warm))
    for i in range(rounds):
        fresh = edits.with_seed(recipe, 1 + i)
        clock.time("fresh", lambda fresh=fresh: engine.render(fresh))
        for layer in range(len(outputs)):
            recipe = edits.with_layer_psi(recipe, [layer], 0.5 + i / 100)
            if layer == 0:
                engine.render(edits.with_layer_psi(recipe, [0], -1.0))  # after `fresh`: the cache knows this picture
            clock.time(f"edit {layer}", lambda recipe=recipe: engine.render(recipe))
            clock.time(f"network {layer}", lambda layer=layer: network_from(G, w, outputs, layer))
    if G.config.resolution <= 256:
        for i in range(3):
            page = sheets.contact(recipe, range(100 + 24 * i, 124 + 24 * i), 6)
            clock.time("sheet", lambda page=page: engine.sheet(page.recipes, page.columns, 128))
    return {
        "resolution": G.config.resolution,
        "cache_mib": engine._outputs._cache.used_bytes / (1 << 20),
        "cases": {name: vars(clock.median(name)) for name in clock.times},
    }


def table(result: dict[str, Any]) -> str:
    """What was measured, for people."""
    cases = {name: Timing(**case) for name, case in result["cases"].items()}
    fresh = cases["fresh"]
    lines = [f"{result['resolution']}²: fresh {fresh.wall_ms:.1f} ms (processor {fresh.cpu_ms:.1f} ms)"]
    if "sheet" in cases:
        lines[0] += f", sheet of 24: {cases['sheet'].wall_ms:.0f} ms"
    lines[0] += f", cache {result['cache_mib']:.0f} MiB"
    lines.append("  layer   edit wall   edit cpu   network cpu   ratio   fresh/edit")
    for layer in range(sum(name.startswith("edit") for name in cases)):
        edit, alone = cases[f"edit {layer}"], cases[f"network {layer}"]
        ratio = edit.cpu_ms / alone.cpu_ms
        mark = "" if ratio <= RATIO else "  above the aim"
        speedup = fresh.cpu_ms / edit.cpu_ms
        row = f"{layer:7} {edit.wall_ms:11.2f} {edit.cpu_ms:10.2f} {alone.cpu_ms:13.2f}"
        lines.append(f"{row} {ratio:7.2f} {speedup:12.1f}{mark}")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--resolutions", default="64,256,1024")
    parser.add_argument("--model", type=Path, help="a model file in place of random weights")
    parser.add_argument("--threads", type=int, default=1, help="for models above 128²; smaller ones take one")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    results = []
    with tempfile.TemporaryDirectory() as folder:
        paths = [options.model] if options.model else []
        sizes = [] if options.model else [int(size) for size in options.resolutions.split(",")]
        for path in [*paths, *(write_model(folder, size) for size in sizes)]:
            results.append(measure(path, options.rounds, options.device))
            print(table(results[-1]), flush=True)
    if options.json:
        options.json.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
