"""The state of a run and one iteration of it: discriminator step, average, generator step, in the official order.

Everything that decides the next iteration is in the networks, the optimisers and a few numbers; all draws are functions
of the seed and the iteration. So a stored state resumes exactly.
"""

import copy
import math
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor

from stylegan.errors import InputError
from stylegan.networks import Discriminator, Generator
from stylegan.training import ema
from stylegan.training.adam import Adam
from stylegan.training.config import TrainConfig
from stylegan.training.draws import Draws, draw, keyed_rng
from stylegan.training.forward import DiscriminatorLoss, Forward, GeneratorLoss, prepare_reals
from stylegan.training.graphs import Graphs
from stylegan.training.parallel import ParallelLoss
from stylegan.training.schedule import Phase
from stylegan.training.world import World, told

Part = Callable[[Sequence[Tensor], Draws, bool], tuple[Tensor, tuple[Tensor, ...]]]
# rows of the inputs, their draws, whether they are the last → loss to differentiate, what to report


@dataclass(frozen=True)
class IterationStats:
    """Means over one iteration and this process, as tensors on the device: reading them waits for it."""

    generator: GeneratorLoss
    discriminator: DiscriminatorLoss
    regularized: bool  # whether this iteration had a penalty
    skipped: int | Tensor  # steps left out because a gradient was not finite: 0, 1 or 2


class Trainer:
    """Generator, discriminator, averaged generator, their optimisers, and how far they have come."""

    def __init__(self, config: TrainConfig, world: World, compiles: bool = False) -> None:
        config.check_shares(world.size)
        self.config, self.world = config, world
        self.G = Generator(config.generator, config.seed).to(world.device).train()
        self.D = Discriminator(config.discriminator, config.seed + 1).to(world.device).train()
        self.Gs = copy.deepcopy(self.G).eval().requires_grad_(False)
        self.forward = Forward(config, self.G, self.D, world.device, compiles)
        self.g_adam, self.d_adam = (
            Adam(list(network.parameters()), config.adam_beta2, config.precision, factors)
            for network, factors in ((self.G, _factors(self.G, config)), (self.D, None))
        )
        # Through `self`, so that another Forward can take the place of this one.
        self._g_loss = ParallelLoss(self.G, lambda *part: self.forward.generator_loss(*part), world)
        self._d_loss = ParallelLoss(self.D, lambda *part: self.forward.discriminator_loss(*part), world)
        self.graphs: Graphs | None = None  # what records and replays the gradients, if anything does
        self.nimg = 0  # pictures shown so far
        self.iterations = 0
        self.last_lod: float | None = None

    def begin_from(self, G: Generator, D: Discriminator) -> None:
        """Take over trained networks, also of another resolution: layers that they lack keep their fresh weights.

        Raises:
            InputError: layers that both have differ in shape.
        """
        adopt(self.G, G)
        adopt(self.D, D)
        self.Gs.load_state_dict(self.G.state_dict())

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
        regularized = config.loss == "wgan-gp" or self.iterations % config.r1_interval == 0
        d_loss = self._discriminator_step(images, labels, phase, regularized)
        d_stepped = self.d_adam.step()
        beta = ema.ema_beta(phase.minibatch, self.nimg, config.ema_kimg, config.ema_rampup)
        ema.update(self.Gs, self.G, beta)  # before the generator's step, as in the official code
        self.nimg += phase.minibatch
        g_loss = self._generator_step(labels, phase)
        g_stepped = self.g_adam.step()
        self.iterations += 1
        return IterationStats(g_loss, d_loss, regularized, skipped=2 - d_stepped - g_stepped)

    def _discriminator_step(self, images: Tensor, labels: Tensor, phase: Phase, regularized: bool) -> DiscriminatorLoss:
        mixing = self._mixing(phase) if self.config.loss == "wgan-gp" else None
        interval = self.config.r1_interval if self.config.loss == "logistic" else 1

        def part(inputs: Sequence[Tensor], draws: Draws, last: bool) -> tuple[Tensor, tuple[Tensor, ...]]:
            images, labels, *mixing = inputs
            of = (images, labels, draws, phase.lod, mixing[0] if mixing else None, regularized)
            found = DiscriminatorLoss(*self._d_loss(*of, averages=last))
            return found.loss + interval * found.penalty, found

        inputs = [images, labels] if mixing is None else [images, labels, mixing]
        found = DiscriminatorLoss(*self._accumulate("D", phase, self.D, self.d_adam, inputs, part, regularized))
        self._track(found.w_mean)
        return found

    def _generator_step(self, labels: Tensor, phase: Phase) -> GeneratorLoss:
        def part(inputs: Sequence[Tensor], draws: Draws, last: bool) -> tuple[Tensor, tuple[Tensor, ...]]:
            found = GeneratorLoss(*self._g_loss(*inputs, draws, phase.lod, averages=last))
            return found.loss, found

        self.D.requires_grad_(False)  # its gradients are not wanted here
        found = GeneratorLoss(*self._accumulate("G", phase, self.G, self.g_adam, [labels], part))
        self.D.requires_grad_(True)
        self._track(found.w_mean)
        return found

    def _accumulate(
        self,
        purpose: str,
        phase: Phase,
        network: Generator | Discriminator,
        adam: Adam,
        inputs: Sequence[Tensor],
        part: Part,
        *kind: object,
    ) -> list[Tensor]:
        """Gradients of the mean loss over all processes' shares, each `microbatch` at a time; means of this one's
        reports. `kind`: what else changes the loss from step to step.
        """
        start, stop = self.world.share(phase.minibatch)
        count = stop - start
        key = (self.config.seed, purpose, self.iterations)
        draws = draw(self.config.generator, phase.minibatch, phase.lod, self.world.device, *key).rows(start, stop)
        means: list[Tensor] = []
        for first in range(0, count, self.config.microbatch or count):
            rows = slice(first, min(first + (self.config.microbatch or count), count))
            weight = (rows.stop - rows.start) / count

            def gradients(
                inputs: Sequence[Tensor], draws: Draws, weight: float = weight, last: bool = rows.stop == count
            ) -> list[Tensor]:
                loss, reports = part(inputs, draws, last)
                self._backward(adam, loss * weight)
                return [report.detach() * weight for report in reports]

            some, some_draws = [tensor[rows] for tensor in inputs], draws.rows(rows.start, rows.stop)
            if self.graphs is None:
                weighted = gradients(some, some_draws)
            else:
                weighted = self.graphs.run((purpose, *kind), phase.lod, network, gradients, some, some_draws)
            means = [a + b for a, b in zip(means, weighted, strict=True)] if means else weighted
        return means

    def _backward(self, adam: Adam, loss: Tensor) -> None:
        with told() if self.world.size > 1 else nullcontext():
            adam.backward(loss)

    def _track(self, w_mean: Tensor) -> None:
        self.world.average_([w_mean])
        self.forward.track(w_mean)

    def _mixing(self, phase: Phase) -> Tensor:
        """WGAN-GP: how far each mixture is from real to generated, `[n, 1, 1, 1]`."""
        start, stop = self.world.share(phase.minibatch)
        rng = keyed_rng(self.world.device, self.config.seed, "mixtures", self.iterations)
        return torch.rand(phase.minibatch, 1, 1, 1, generator=rng, device=self.world.device)[start:stop]


def _factors(G: Generator, config: TrainConfig) -> list[float]:
    """Of the learning rate, for each parameter of the generator."""
    return [config.noise_rate if name.endswith(".noise_strength") else 1.0 for name, _ in G.named_parameters()]


def adopt(network: Generator | Discriminator, source: Generator | Discriminator) -> None:
    """Copy into `network` the layers that `source` has too: they carry the same names, from the coarsest up.

    Raises:
        InputError: they differ in shape.
    """
    own = network.state_dict()
    common = {name: tensor for name, tensor in source.state_dict().items() if name in own}
    for name, tensor in common.items():
        theirs, ours = list(tensor.shape), list(own[name].shape)
        if theirs != ours:
            raise InputError(f"The model to begin from has other layers: its {name} is {theirs}, this run's {ours}.")
    network.load_state_dict(common, strict=False)
