"""The state of a run and one iteration of it: discriminator step, average, generator step, in the official order.

Everything that decides the next iteration is in the networks, the optimisers and four numbers; all draws are functions
of the seed and the iteration. So a stored state resumes exactly.
"""

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from stylegan.networks import Discriminator, Generator
from stylegan.training import ema
from stylegan.training.config import TrainConfig
from stylegan.training.draws import Draws, draw, keyed_rng
from stylegan.training.forward import DiscriminatorLoss, Forward, prepare_reals
from stylegan.training.schedule import Phase
from stylegan.training.world import World

ADAM_EPS = 1e-8


@dataclass(frozen=True)
class IterationStats:
    """Means over one iteration and this process, 0-d tensors on the device: reading them waits for it."""

    generator_loss: Tensor
    discriminator: DiscriminatorLoss
    regularized: bool  # whether this iteration had a penalty
    skipped: Tensor  # steps left out because a gradient was not finite: 0, 1 or 2


class Adam:
    """Adam with β₁ = 0 in TensorFlow's form: ε is added to the root of the uncorrected second moment (FACTS §7)."""

    def __init__(self, network: torch.nn.Module, config: TrainConfig, device: torch.device) -> None:
        self.parameters = list(network.parameters())
        self.beta2 = config.adam_beta2
        self.steps = 0  # since the last reset
        fused = device.type in ("cpu", "cuda")
        self.optimizer = torch.optim.Adam(self.parameters, betas=(0.0, self.beta2), eps=ADAM_EPS, fused=fused)
        self.scaler = torch.amp.GradScaler(device.type, enabled=config.precision == "fp16")

    def reset(self) -> None:
        """Forget the moments."""
        self.optimizer.state.clear()
        self.steps = 0

    def set_rate(self, learning_rate: float) -> None:
        """Learning rate of the next steps."""
        self.optimizer.param_groups[0]["lr"] = learning_rate

    def step(self, world: World) -> Tensor:
        """Average the gradients over the processes and step; 1.0 where one was not finite and the step was left out."""
        if self.scaler.is_enabled():
            self.scaler.unscale_(self.optimizer)
        finite = bool(world.average_gradients(self.parameters))
        if finite:
            self.steps += 1
            # PyTorch adds ε to the corrected root: dividing ε by the correction gives TensorFlow's form.
            self.optimizer.param_groups[0]["eps"] = ADAM_EPS / math.sqrt(1 - self.beta2**self.steps)
            self.optimizer.step()
        if self.scaler.is_enabled():
            self.scaler.update()
        self.optimizer.zero_grad(set_to_none=True)
        return torch.tensor(0.0 if finite else 1.0)


class Trainer:
    """Generator, discriminator, averaged generator, their optimisers, and how far they have come."""

    def __init__(self, config: TrainConfig, world: World, compile_synthesis: bool = False) -> None:
        self.config, self.world = config, world
        self.G = Generator(config.generator, config.seed).to(world.device).train()
        self.D = Discriminator(config.discriminator, config.seed + 1).to(world.device).train()
        self.Gs = copy.deepcopy(self.G).eval().requires_grad_(False)
        self.forward = Forward(config, self.G, self.D, world, compile_synthesis)
        self.g_adam, self.d_adam = (Adam(network, config, world.device) for network in (self.G, self.D))
        self.nimg = 0  # pictures shown so far
        self.iterations = 0
        self.last_lod: float | None = None

    def enter(self, phase: Phase) -> None:
        """Begin to train in `phase`: set the rates; reset the optimisers where the layers in use change."""
        lod, last = phase.lod, self.last_lod
        if last is None or (math.floor(lod), math.ceil(lod)) != (math.floor(last), math.ceil(last)):
            self.g_adam.reset()
            self.d_adam.reset()
        self.g_adam.set_rate(phase.learning_rate)
        self.d_adam.set_rate(phase.learning_rate)
        self.G.lod = self.D.lod = self.Gs.lod = self.last_lod = lod

    def iteration(self, reals: Tensor, labels: Tensor, phase: Phase) -> IterationStats:
        """One iteration with this process's share of the minibatch.

        Args:
            reals: uint8 `[n, 3, r, r]`, r the phase's resolution, n this process's share of its minibatch.
            labels: float32 `[n, label_dim]`; they serve for the generated pictures too, as draws from the data's.
            phase: the one that was entered.
        """
        config, device = self.config, self.world.device
        images, labels = prepare_reals(reals.to(device), phase.lod), labels.to(device)
        regularize = config.loss == "wgan-gp" or self.iterations % config.r1_interval == 0
        interval = config.r1_interval if config.loss == "logistic" else 1
        mixing = self._mixing(phase) if config.loss == "wgan-gp" else None

        def discriminator_part(rows: slice, draws: Draws) -> tuple[Tensor, list[Tensor]]:
            part = None if mixing is None else mixing[rows]
            found = self.forward.discriminator_loss(images[rows], labels[rows], draws, phase.lod, part, regularize)
            return found.loss + interval * found.penalty, list(found)

        def generator_part(rows: slice, draws: Draws) -> tuple[Tensor, list[Tensor]]:
            loss = self.forward.generator_loss(labels[rows], draws, phase.lod)
            return loss, [loss]

        d_means = self._accumulate("D", phase, len(images), self.d_adam, discriminator_part)
        skipped = self.d_adam.step(self.world)
        beta = ema.ema_beta(phase.minibatch, self.nimg, config.ema_kimg, config.ema_rampup)
        ema.update(self.Gs, self.G, beta)  # before the generator's step, as in the official code
        self.nimg += phase.minibatch

        self.D.requires_grad_(False)  # its gradients are not wanted here
        (g_loss,) = self._accumulate("G", phase, len(images), self.g_adam, generator_part)
        self.D.requires_grad_(True)
        skipped = skipped + self.g_adam.step(self.world)
        self.iterations += 1
        return IterationStats(g_loss, DiscriminatorLoss(*d_means), regularize, skipped)

    def _accumulate(
        self,
        purpose: str,
        phase: Phase,
        count: int,
        adam: Adam,
        part: Callable[[slice, Draws], tuple[Tensor, list[Tensor]]],
    ) -> list[Tensor]:
        """Gradients of the mean loss over `count` samples, `microbatch` at a time; the means of what `part` reports."""
        start, stop = self.world.share(phase.minibatch)
        rng = keyed_rng(self.world.device, self.config.seed, purpose, self.iterations)
        draws = draw(self.config.generator, phase.minibatch, phase.lod, rng).rows(start, stop)
        step = min(self.config.microbatch or count, count)
        means: list[Tensor] = []
        for first in range(0, count, step):
            rows = slice(first, min(first + step, count))
            loss, reports = part(rows, draws.rows(rows.start, rows.stop))
            weight = (rows.stop - rows.start) / count
            torch.autograd.backward(adam.scaler.scale(loss * weight))
            reports = [report.detach() * weight for report in reports]
            means = [a + b for a, b in zip(means, reports, strict=True)] if means else reports
        return means

    def _mixing(self, phase: Phase) -> Tensor:
        start, stop = self.world.share(phase.minibatch)
        rng = keyed_rng(self.world.device, self.config.seed, "mixing", self.iterations)
        return torch.rand(phase.minibatch, 1, 1, 1, generator=rng, device=self.world.device)[start:stop]

    def init_from(self, G: Generator, D: Discriminator) -> None:
        """Begin from trained networks, also of a lower resolution: layers that they lack keep their fresh weights."""
        for ours, theirs in ((self.G, G), (self.D, D)):
            adopt(ours, theirs.state_dict())
        self.Gs.load_state_dict(self.G.state_dict())


def adopt(network: torch.nn.Module, state: dict[str, Any]) -> list[str]:
    """Copy what fits from `state`, whose layers carry the same names; returns the names that were left as they are."""
    own = network.state_dict()
    fitting = {name: tensor for name, tensor in state.items() if name in own and own[name].shape == tensor.shape}
    network.load_state_dict(fitting, strict=False)
    return sorted(set(own) - set(fitting))
