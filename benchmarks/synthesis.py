"""How fast the synthesis network draws, against a straightforward port, in one run on one machine.

    python benchmarks/synthesis.py [--resolutions 64,256,1024] [--batches 1,8] [--threads 2] [--json FILE]

For each resolution and batch size, with the paper's widths, in inference mode, on the CPU and on CUDA where there is
one: milliseconds per image, and the share that this is of the machine's own peak in multiplying matrices. Both draw the
same pictures from the same weights, which is checked first; they take turns, and medians are compared, so that other
work on the machine weighs on both. The ratio of CPU times is the steadier one where there is much of it.
"""

import argparse
import itertools
import json
import math
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parents[1]))

from stylegan import Generator, GeneratorConfig

SECONDS_PER_CASE = 20.0
MIN_ROUNDS, MAX_ROUNDS = 3, 50


class StraightforwardPort:
    """w → pictures as every PyTorch StyleGAN has it: NCHW, and a pass over the features for each step of a layer."""

    def __init__(self, G: Generator) -> None:
        self.config = G.config
        self.weights = {name: tensor.contiguous() for name, tensor in G.synth.state_dict().items()}
        taps = torch.tensor([1.0, 2.0, 1.0], device=G.w_mean.device)
        self.blur = (taps[:, None] * taps[None, :] / 16)[None, None]

    def __call__(self, w: Tensor) -> Tensor:
        x = self.weights["const"].expand(len(w), -1, -1, -1)
        for i in range(self.config.num_layers):
            x = self._layer(i, x, w[:, i])
        last = f"to_rgb.{self.config.num_layers // 2 - 1}"
        return F.conv2d(x, self._scaled(f"{last}.conv.weight", 1.0), self.weights[f"{last}.bias"])

    def _layer(self, i: int, x: Tensor, w: Tensor) -> Tensor:
        own = {key.split(".", 2)[2]: value for key, value in self.weights.items() if key.startswith(f"layers.{i}.")}
        if i:
            x = self._convolve(i, x)
        x = x + own["noise"] * own["noise_strength"].view(1, -1, 1, 1)
        x = x + own["bias"].view(1, -1, 1, 1)
        x = F.leaky_relu(x, 0.2)
        x = F.instance_norm(x, eps=1e-8)
        style = F.linear(w, self._scaled(f"layers.{i}.style.weight", 1.0), own["style.bias"])
        scale, shift = style.view(len(w), 2, -1, 1, 1).unbind(1)
        x = x * (scale + 1)
        return x + shift

    def _convolve(self, i: int, x: Tensor) -> Tensor:
        weight = self._scaled(f"layers.{i}.conv.weight", math.sqrt(2))
        if i % 2:
            return F.conv2d(x, weight, padding=1)
        if 2 * x.shape[2] >= 128:  # the official fused path; our weights are stored for the other one
            kernel = F.pad(weight.flip(2, 3).transpose(0, 1), (1, 1, 1, 1))
            kernel = kernel[:, :, 1:, 1:] + kernel[:, :, :-1, 1:] + kernel[:, :, 1:, :-1] + kernel[:, :, :-1, :-1]
            x = F.conv_transpose2d(x, kernel, stride=2, padding=1)
        else:
            x = F.conv2d(F.interpolate(x, scale_factor=2.0, mode="nearest"), weight, padding=1)
        return F.conv2d(x, self.blur.expand(x.shape[1], 1, 3, 3), padding=1, groups=x.shape[1])

    def _scaled(self, name: str, gain: float) -> Tensor:
        weight = self.weights[name]
        scaled: Tensor = weight * (gain / math.sqrt(weight[0].numel()))
        return scaled


def make_generator(resolution: int, device: torch.device) -> Generator:
    """The paper's network with weights that exercise noise and biases; `to_rgb` and the styles are random anyway."""
    G = Generator(GeneratorConfig(resolution=resolution)).eval().requires_grad_(False)
    rng = torch.Generator().manual_seed(1)
    for name, tensor in G.synth.state_dict().items():
        if name.endswith((".bias", ".noise_strength")) or name == "const":
            tensor.add_(torch.randn(tensor.shape, generator=rng), alpha=0.3)
    return G.to(device)


def operations(config: GeneratorConfig) -> int:
    """Multiplications and additions of one picture in the cheapest form known: 4 taps where the size doubles."""
    total = 2 * config.layer_fmaps(config.num_layers - 1) * config.image_channels * config.resolution**2
    for i in range(config.num_layers):
        total += 2 * config.w_dim * 2 * config.layer_fmaps(i)
        if i:
            taps = 9 if i % 2 else 4
            total += 2 * taps * config.layer_fmaps(i - 1) * config.layer_fmaps(i) * config.layer_resolution(i) ** 2
    return total


def matmul_peak(device: torch.device) -> float:
    """Most float32 operations per second that a large matrix product reaches, by the BLAS or as a 1×1 convolution."""
    size = 2048 if device.type == "cpu" else 8192
    a, b = torch.randn(2, size, size, device=device)
    image = a.t().reshape(1, size, 64, size // 64).contiguous(memory_format=torch.channels_last)
    kernel = b.reshape(size, size, 1, 1).contiguous(memory_format=torch.channels_last)
    forms: list[Callable[[], Tensor]] = [lambda: a @ b, lambda: F.conv2d(image, kernel)]
    best = min(min(seconds(form, device)[0] for _ in range(6)) for form in forms)
    return 2.0 * size**3 / best


def seconds(function: Callable[[], object], device: torch.device) -> tuple[float, float]:
    """Wall-clock and CPU seconds of one call."""
    start, cpu_start = time.perf_counter(), time.process_time()
    function()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - start, time.process_time() - cpu_start


@torch.inference_mode()
def compare(resolution: int, batch: int, device: torch.device, peak: float) -> dict[str, Any]:
    """Ours and the port by turns on the same latents."""
    G = make_generator(resolution, device)
    port = StraightforwardPort(G)
    z = torch.randn(batch, G.config.z_dim, generator=torch.Generator().manual_seed(2)).to(device)
    w = G.mapping(z).contiguous()
    sides: dict[str, Callable[[], Tensor]] = {"ours": lambda: G.synthesis(w), "port": lambda: port(w)}
    same = sides["ours"](), sides["port"]()
    difference = float((same[0] - same[1]).abs().max() / same[1].abs().max())
    if not difference < 1e-3:
        raise SystemExit(f"the pictures differ by {difference:.1e} of their range at {resolution}², batch {batch}")
    del same
    times: dict[str, list[tuple[float, float]]] = {"ours": [], "port": []}
    started = time.perf_counter()
    while len(times["port"]) < MIN_ROUNDS or (
        len(times["port"]) < MAX_ROUNDS and time.perf_counter() - started < SECONDS_PER_CASE
    ):
        for side, draw in sides.items():
            times[side].append(seconds(draw, device))
    result: dict[str, Any] = {"device": device.type, "resolution": resolution, "batch": batch, "difference": difference}
    result["peak_gflops"] = peak / 1e9
    for side, measured in times.items():
        wall, cpu = (statistics.median(column) / batch for column in zip(*measured, strict=True))
        share = operations(G.config) / wall / peak
        result |= {f"{side}_ms": wall * 1e3, f"{side}_cpu_ms": cpu * 1e3, f"{side}_share_of_peak": share}
    result["speedup"] = result["port_ms"] / result["ours_ms"]
    result["cpu_time_ratio"] = result["port_cpu_ms"] / result["ours_cpu_ms"]
    return result | {"rounds": len(times["port"])}


def numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


def main() -> None:
    parser = argparse.ArgumentParser(description="Speed of the synthesis network against a straightforward port.")
    parser.add_argument("--resolutions", type=numbers, default=[64, 256, 1024], help="such as 64,256,1024")
    parser.add_argument("--batches", type=numbers, default=[1, 8], help="such as 1,8")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="of the CPU")
    parser.add_argument("--json", type=Path, help="also write the numbers here")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    results: list[dict[str, Any]] = []
    for device in (torch.device(name) for name in ("cpu", "cuda") if name == "cpu" or torch.cuda.is_available()):
        threads = f", {options.threads} threads" if device.type == "cpu" else ""
        print(f"{device.type}{threads}: milliseconds per image (share of the peak in brackets)")
        print("size  batch             ours             port   faster  by CPU time  difference  peak GFLOP/s")
        peak = 0.0
        for resolution, batch in itertools.product(options.resolutions, options.batches):
            peak = max(peak, matmul_peak(device))  # the best so far: other work on the machine only lowers it
            results.append(r := compare(resolution, batch, device, peak))
            ours, port = (f"{r[f'{side}_ms']:8.2f} ({r[f'{side}_share_of_peak']:4.0%})" for side in ("ours", "port"))
            ratios = f"{r['speedup']:7.2f}× {r['cpu_time_ratio']:11.2f}×"
            print(
                f"{resolution:4d}² {batch:5d} {ours:>16} {port:>16} {ratios} {r['difference']:11.1e} {peak / 1e9:13.0f}"
            )
    if options.json:
        report = {"torch": torch.__version__, "threads": options.threads, "results": results}
        options.json.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
