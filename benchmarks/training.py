"""How fast training goes at each resolution, against a straightforward step, in one run on one machine.

    python benchmarks/training.py [--resolutions 8,…,128] [--preset small] [--threads 1] [--precision bf16] [--json F]

One iteration is a discriminator step with R1 (in each step, as in the paper), a generator step, both of Adam and the
average. The straightforward one does the same with the operations as the paper's sentences say them, which is how most
ports have them: NCHW, nearest up-sampling and a 3×3 convolution, a 3×3 convolution and average pooling, one pass over
the features for every step of a layer. Both have the same weights, pictures and draws; their gradients are compared
first. They take turns, and medians are compared; the ratio of CPU times is the steadier one on a busy machine. The
share is that of the machine's own peak in multiplying matrices, for the operations that each side asks for; on the CPU
both are counted by processor time.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.synthesis import numbers, seconds
from stylegan.networks import Discriminator, Generator
from stylegan.networks.layers import EqualizedWeight
from stylegan.training import TrainConfig, Trainer, World, preset
from stylegan.training.draws import Draws, draw
from stylegan.training.forward import Forward
from stylegan.training.schedule import Phase

BAR = 1.5
SECONDS_PER_CASE = 20.0
MIN_ROUNDS, MAX_ROUNDS = 3, 30


class StraightforwardForward(Forward):
    """The same functions of the same parameters, one obvious operation after the other, at lod 0."""

    def generate(self, draws: Draws, labels: Tensor, lod: float) -> tuple[Tensor, Tensor]:
        w = self.G.mapping(draws.z)
        mean = w[:, 0].detach().mean(dim=0)
        if draws.z2 is not None:
            w = torch.cat([w[:, : draws.cutoff], self.G.mapping(draws.z2)[:, draws.cutoff :]], dim=1)
        with self._autocast():
            images = synthesis(self.G, w, draws.noise)
        return images.to(draws.z.dtype), mean

    def scores(self, images: Tensor, labels: Tensor, lod: float, penalised: bool = False) -> Tensor:
        with self._autocast():
            scores = discriminator(self.D, images)
        return scores.to(images.dtype)


def synthesis(G: Generator, w: Tensor, noise: list[Tensor | None]) -> Tensor:
    """w `[N, L, w_dim]` → pictures `[N, 3, R, R]`."""
    x = cast(Tensor, G.synth.const).expand(len(w), -1, -1, -1)
    for i, layer in enumerate(cast(Any, G.synth.layers)):
        if i:
            if i % 2 == 0:
                x = F.interpolate(x, scale_factor=2.0, mode="nearest")
            x = F.conv2d(x, scaled(layer.conv), padding=1)
            if i % 2 == 0:
                x = blur(x)
        x = x + noise[i] * layer.noise_strength.view(1, -1, 1, 1)
        x = F.leaky_relu(x + layer.bias.view(1, -1, 1, 1), 0.2)
        x = x.float() - x.float().mean(dim=(2, 3), keepdim=True)
        x = x * torch.rsqrt(x.square().mean(dim=(2, 3), keepdim=True) + 1e-8)
        style = layer.style(w[:, i]).view(len(w), 2, -1, 1, 1)
        x = x * (style[:, 0] + 1) + style[:, 1]
    last = cast(Any, G.synth.to_rgb)[-1]
    return F.conv2d(x, scaled(last.conv)) + last.bias.view(1, -1, 1, 1)


def discriminator(D: Discriminator, images: Tensor) -> Tensor:
    """Pictures `[N, 3, R, R]` → scores `[N, 1]`."""
    first = cast(Any, D.from_rgb)[-1]
    x = F.leaky_relu(F.conv2d(images, scaled(first.conv)) + first.bias.view(1, -1, 1, 1), 0.2)
    for block in reversed(list(cast(Any, D.blocks))):
        x = F.leaky_relu(F.conv2d(x, scaled(block.conv0), padding=1) + block.bias0.view(1, -1, 1, 1), 0.2)
        x = F.avg_pool2d(F.conv2d(blur(x), scaled(block.conv1), padding=1), 2)
        x = F.leaky_relu(x + block.bias1.view(1, -1, 1, 1), 0.2)
    groups = x.reshape(4, -1, 1, *x.shape[1:])
    std = (groups - groups.mean(dim=0)).square().mean(dim=0).add(1e-8).sqrt().mean(dim=(2, 3, 4))
    x = torch.cat([x, std[:, :, None, None].repeat(4, 1, *x.shape[2:])], dim=1)
    x = F.leaky_relu(F.conv2d(x, scaled(D.conv), padding=1) + D.bias.view(1, -1, 1, 1), 0.2)
    return D.dense1(F.leaky_relu(D.dense0(x.flatten(1)), 0.2))  # type: ignore[no-any-return]


def scaled(layer: EqualizedWeight) -> Tensor:
    return layer.weight * layer.scale


def blur(x: Tensor) -> Tensor:
    taps = torch.tensor([1.0, 2.0, 1.0], dtype=x.dtype, device=x.device)
    return F.conv2d(x, (taps[:, None] * taps / 16).expand(x.shape[1], 1, 3, 3), padding=1, groups=x.shape[1])


def make(config: TrainConfig, device: torch.device, straightforward: bool) -> Trainer:
    """A trainer of either kind, with the same weights."""
    trainer = Trainer(config, World(device))
    if straightforward:
        trainer.forward = StraightforwardForward(config, trainer.G, trainer.D, device)
    return trainer


def matmul_peak(device: torch.device) -> float:
    """Most float32 operations a second (on the CPU: a processor second) in a large matrix product, as such or as the
    1×1 convolution that it is, which is much faster where the BLAS does not know the processor.
    """
    size, clock = (1024, 1) if device.type == "cpu" else (8192, 0)
    a, b = torch.randn(2, size, size, device=device)
    features = torch.randn(16, 512, 16, 16, device=device).contiguous(memory_format=torch.channels_last)
    kernel = torch.randn(512, 512, 1, 1, device=device)
    forms: list[tuple[float, Callable[[], Tensor]]] = [
        (2.0 * size**3, lambda: a @ b),
        (2.0 * 512 * features.numel(), lambda: F.conv2d(features, kernel)),
    ]
    return max(count / seconds(form, device)[clock] for count, form in forms for _ in range(10))


class OperationCounter(TorchDispatchMode):
    """Multiplications and additions of all convolutions and matrix products while it is entered."""

    total = 0

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = function(*args, **(kwargs or {}))
        count = flop_registry.get(function._overloadpacket)
        if count is not None:
            self.total += count(*args, **(kwargs or {}), out_val=out)
        return out


def gradients(trainer: Trainer, reals: Tensor) -> tuple[dict[str, Tensor], int]:
    """Gradients of both players' losses on one batch, and the operations that they took."""
    config, device = trainer.config, reals.device
    labels = reals.new_zeros(len(reals), 0)
    with OperationCounter() as counter:
        draws = draw(config.generator, len(reals), 0.0, device, "benchmark")
        found = trainer.forward.discriminator_loss(reals, labels, draws, 0.0, None)
        (found.loss + found.penalty).backward()
        ours = {f"D.{name}": p.grad for name, p in trainer.D.named_parameters() if p.grad is not None}
        trainer.D.zero_grad(set_to_none=True)
        trainer.D.requires_grad_(False)
        trainer.forward.generator_loss(labels, draws, 0.0).loss.backward()
        trainer.D.requires_grad_(True)
    ours |= {f"G.{name}": p.grad for name, p in trainer.G.named_parameters() if p.grad is not None}
    trainer.G.zero_grad(set_to_none=True)
    return ours, counter.total


def difference(a: dict[str, Tensor], b: dict[str, Tensor]) -> float:
    """Largest difference between two sets of gradients, relative to each tensor's largest (1e-3 of all at least)."""
    if a.keys() != b.keys():
        raise SystemExit(f"gradients of different parameters: {sorted(a.keys() ^ b.keys())}")
    floor = 1e-3 * max(float(tensor.abs().max()) for tensor in b.values())
    return max(float((a[name] - b[name]).abs().max() / b[name].abs().max().clamp(min=floor)) for name in a)


def compare(config: TrainConfig, minibatch: int, device: torch.device, peak: float) -> dict[str, Any]:
    """Both sides by turns at the config's full resolution."""
    resolution = config.generator.resolution
    phase = Phase(0.0, resolution, minibatch, config.learning_rate_base)
    rng = torch.Generator().manual_seed(1)
    pixels = torch.randint(0, 256, (minibatch, 3, resolution, resolution), dtype=torch.uint8, generator=rng).to(device)
    trainers = {side: make(config, device, side != "ours") for side in ("ours", "port")}
    reals = pixels.float() * (2 / 255) - 1
    (ours, our_operations), (theirs, their_operations) = (gradients(trainers[side], reals) for side in trainers)
    apart = difference(ours, theirs)
    if config.precision == "fp32" and not apart < 1e-3:
        raise SystemExit(f"the gradients differ by {apart:.1e} of their range at {resolution}²")
    operations = {"ours": our_operations, "port": their_operations}
    labels = torch.zeros(minibatch, 0)
    times: dict[str, list[tuple[float, float]]] = {"ours": [], "port": []}
    for trainer in trainers.values():
        trainer.enter(phase)
        trainer.iteration(pixels, labels, phase)  # warm up
    started = time.perf_counter()
    while len(times["port"]) < MIN_ROUNDS or (
        len(times["port"]) < MAX_ROUNDS and time.perf_counter() - started < SECONDS_PER_CASE
    ):
        for side, trainer in trainers.items():
            work: Callable[[], object] = lambda trainer=trainer: trainer.iteration(pixels, labels, phase)  # noqa: E731
            times[side].append(seconds(work, device))
    result: dict[str, Any] = {"device": device.type, "resolution": resolution, "minibatch": minibatch}
    result |= {"difference": apart, "peak_gflops": peak / 1e9, "rounds": len(times["port"])}
    for side, measured in times.items():
        wall, cpu = (statistics.median(column) for column in zip(*measured, strict=True))
        result |= {f"{side}_images_per_sec": minibatch / wall, f"{side}_images_per_cpu_sec": minibatch / cpu}
        result |= {f"{side}_gflop": operations[side] / minibatch / 1e9}
        result |= {f"{side}_share_of_peak": operations[side] / (cpu if device.type == "cpu" else wall) / peak}
    result["speedup"] = result["ours_images_per_sec"] / result["port_images_per_sec"]
    result["cpu_time_ratio"] = result["ours_images_per_cpu_sec"] / result["port_images_per_cpu_sec"]
    return result


def row(r: dict[str, Any]) -> str:
    sides = (
        f"{r[f'{side}_images_per_sec']:8.1f} ({r[f'{side}_share_of_peak']:4.0%}, {r[f'{side}_gflop']:6.2f})"
        for side in ("ours", "port")
    )
    ratios = f"{r['speedup']:6.2f}× {r['cpu_time_ratio']:10.2f}×"
    mark = "" if max(r["speedup"], r["cpu_time_ratio"]) >= BAR else "  below the bar"
    return f"{r['resolution']:4d}² {r['minibatch']:5d} {'   '.join(sides)} {ratios} {r['difference']:10.1e}{mark}"


def main() -> None:
    parser = argparse.ArgumentParser(description="Speed of training steps against straightforward ones.")
    parser.add_argument("--resolutions", type=numbers, default=[8, 16, 32, 64, 128], help="such as 8,16,32,64,128")
    parser.add_argument("--preset", default="small", help="small, or the paper's f with its 512 channels")
    parser.add_argument("--minibatch", type=int, help="the preset's own if left out")
    parser.add_argument("--precision", default="fp32", help="fp32, bf16 or fp16, of both sides")
    parser.add_argument("--threads", type=int, default=1, help="of the CPU")
    parser.add_argument("--json", type=Path, help="also write the numbers here")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    results: list[dict[str, Any]] = []
    for device in (torch.device(name) for name in ("cpu", "cuda") if name == "cpu" or torch.cuda.is_available()):
        print(f"{device.type}: images per second (share of the peak, GFLOP per image in brackets)")
        print("size batch                 ours               straightforward    faster  by CPU time  difference")
        peak = 0.0
        for resolution in options.resolutions:
            config = replace(preset(options.preset, resolution), r1_interval=1, precision=options.precision)
            peak = max(peak, matmul_peak(device))  # the best so far: other work on the machine only lowers it
            minibatch = options.minibatch or config.minibatch_at(resolution)
            results.append(compare(config, minibatch, device, peak))
            print(row(results[-1]), flush=True)
    if options.json:
        report = {"torch": torch.__version__, "threads": options.threads, "preset": options.preset, "results": results}
        options.json.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
