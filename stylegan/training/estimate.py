"""What a run will take, before one commits to it: memory by counting, time from a few real steps."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch._subclasses import FakeTensorMode
from torch.autograd.graph import saved_tensors_hooks

from stylegan.config import GeneratorConfig
from stylegan.networks import Discriminator, Generator
from stylegan.training.config import TrainConfig
from stylegan.training.draws import Draws
from stylegan.training.forward import Forward
from stylegan.training.meter import COST_PER_DOUBLING, growing_sec
from stylegan.training.schedule import Phase
from stylegan.training.trainer import Trainer
from stylegan.training.world import World

PROGRAM_MIB = 350.0  # of a Python process with PyTorch
METRICS_TRIAL = 32  # samples that are measured to know how long all of them take
SLACK = 1.3  # what passes through and what lies between: measured on five runs from 16² to 128²


@dataclass(frozen=True)
class Speed:
    """Speed of training at one resolution; `measured` is False where it was inferred from a coarser one."""

    resolution: int
    images_per_sec: float
    measured: bool


def memory_mib(config: TrainConfig, processes: int = 1) -> float:
    """Memory that one process needs at the full resolution in float32, in MiB, to within some 20 %.

    Counted without doing the work: weights, averages, gradients, moments, and all that the larger of the two steps
    keeps for its backward pass.
    """
    count = min(config.minibatch_at(config.generator.resolution) // processes, config.microbatch or 1 << 20)
    with FakeTensorMode():
        G, D = Generator(config.generator, seed=None), Discriminator(config.discriminator, seed=None)
        kept = max(_kept_bytes(config, G, D, count, step) for step in ("G", "D"))
    g, d = (4 * sum(p.numel() for p in network.parameters()) for network in (G, D))
    fixed = 2 * g + d + 2 * (g + d) + max(g, d)  # G, D and the average; two moments each; gradients of one
    return PROGRAM_MIB + SLACK * (fixed + kept) / 2**20


def speeds(config: TrainConfig, device: torch.device, budget_sec: float = 60.0) -> Iterator[Speed]:
    """Measure the resolutions of the run on random pictures, from the coarsest; those for which `budget_sec` is too
    short are inferred.
    """
    began = time.monotonic()
    trainer = Trainer(config, World(device))
    last: Speed | None = None
    for lod in range(int(config.start_lod), -1, -1):
        resolution = config.generator.resolution >> lod
        phase = Phase(float(lod), resolution, _few(config, resolution), config.learning_rate_base)
        left = budget_sec - (time.monotonic() - began)
        if last is not None and (not last.measured or 3 * phase.minibatch / last.images_per_sec * 4 > left):
            last = Speed(resolution, last.images_per_sec / COST_PER_DOUBLING, measured=False)
        else:
            last = Speed(resolution, phase.minibatch / _iteration_sec(trainer, phase), measured=True)
        yield last


def total_sec(config: TrainConfig, found: list[Speed]) -> float:
    """Seconds of training that `config` takes at the speeds found for its resolutions."""
    per_image = {speed.resolution: 1 / speed.images_per_sec for speed in found}
    return growing_sec(config, 0, per_image)


def metrics_sec(config: TrainConfig, device: torch.device) -> float:
    """Seconds that measuring one snapshot takes, from a few samples of an untrained network.

    A path length takes two pictures for each sample and their distance: as much again, twice.
    """
    from stylegan.metrics.pictures import ModelPictures
    from stylegan.metrics.tools import open_extractor

    if not config.metrics:
        return 0.0
    extractor = open_extractor(config.metrics_extractor, device)
    G = Generator(config.generator, config.seed).to(device).eval().requires_grad_(False)
    pictures = ModelPictures(G, name="untrained")
    took = []
    for _ in range(2):  # the first one warms up
        began = time.monotonic()
        extractor.features(pictures.take(0, METRICS_TRIAL))
        took.append(time.monotonic() - began)
    times = 2 * ("ppl" in config.metrics) + (config.metrics != ("ppl",))
    return times * config.metrics_count * took[-1] / METRICS_TRIAL


def _few(config: TrainConfig, resolution: int) -> int:
    """Pictures enough to measure with: what is worked on at once."""
    return min(config.minibatch_at(resolution), config.microbatch or 1 << 20)


def _iteration_sec(trainer: Trainer, phase: Phase) -> float:
    """Mean time of an iteration, with its share of lazy regularisation."""
    config = trainer.config
    size = (phase.minibatch, config.generator.image_channels, phase.resolution, phase.resolution)
    reals = torch.zeros(size, dtype=torch.uint8)
    labels = torch.zeros(phase.minibatch, config.generator.label_dim)
    trainer.enter(phase)

    def sec(iteration: int) -> float:
        trainer.iterations = iteration
        began = time.monotonic()
        trainer.iteration(reals, labels, phase)
        if trainer.world.device.type == "cuda":
            torch.cuda.synchronize()
        return time.monotonic() - began

    sec(0)  # warm up
    penalised, interval = sec(0), config.r1_interval if config.loss == "logistic" else 1
    return penalised if interval == 1 else (penalised + (interval - 1) * sec(1)) / interval


def _kept_bytes(config: TrainConfig, G: Generator, D: Discriminator, count: int, step: str) -> int:
    """Bytes that one step on `count` pictures keeps for its backward pass; on tensors without content."""
    storages: dict[int, Tensor] = {}

    def keep(tensor: Tensor) -> Tensor:
        storages[tensor.untyped_storage()._cdata] = tensor  # held, so that no address is used twice
        return tensor

    whole = replace(config, precision="fp32")
    forward = Forward(whole, G.train(), D.train(), torch.device("cpu"))
    labels, draws = torch.zeros(count, config.generator.label_dim), _blank_draws(config.generator, count)
    with saved_tensors_hooks(keep, lambda tensor: tensor):
        if step == "G":
            forward.generator_loss(labels, draws, 0.0)
        else:
            side = config.generator.resolution
            reals = torch.zeros(count, config.generator.image_channels, side, side)
            forward.discriminator_loss(reals, labels, draws, 0.0, torch.zeros(count, 1, 1, 1))
    return sum(tensor.untyped_storage().nbytes() for tensor in storages.values())


def _blank_draws(config: GeneratorConfig, count: int) -> Draws:
    z = torch.zeros(count, config.z_dim)
    sizes = [config.layer_resolution(i) for i in range(config.num_layers)] if config.use_noise else []
    noise: list[Tensor | None] = [torch.zeros(count, 1, size, size) for size in sizes]
    return Draws(z, None, config.num_layers, noise or [None] * config.num_layers)


def parameter_counts(config: TrainConfig) -> tuple[int, int]:
    """Parameters of generator and discriminator."""
    with FakeTensorMode():
        G, D = Generator(config.generator, seed=None), Discriminator(config.discriminator, seed=None)
    return sum(p.numel() for p in G.parameters()), sum(p.numel() for p in D.parameters())
