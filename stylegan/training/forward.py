"""Both players' losses on one batch (FACTS §3, §6): what the networks compute in training, without any optimiser.

Pictures are worked on at the size that the lod asks for, not repeated to full resolution; penalties account for it.
"""

from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple

import torch
from torch import Tensor

from stylegan import ops
from stylegan.images import from_uint8
from stylegan.networks import Discriminator, Generator
from stylegan.training import losses
from stylegan.training.config import TrainConfig
from stylegan.training.draws import Draws
from stylegan.training.world import World

AUTOCAST = {"bf16": torch.bfloat16, "fp16": torch.float16}


class DiscriminatorLoss(NamedTuple):
    """Means over the batch, 0-d; `penalty` is not yet times the interval of lazy regularisation."""

    loss: Tensor
    penalty: Tensor
    real_score: Tensor
    fake_score: Tensor


class Forward:
    """The networks in training mode, as functions of one batch."""

    def __init__(
        self, config: TrainConfig, G: Generator, D: Discriminator, world: World, compile_synthesis: bool = False
    ) -> None:
        self.config, self.G, self.D, self.world = config, G, D, world
        # Only the synthesis: R1 differentiates the discriminator twice, which compiled graphs do not support.
        self._synthesis: Any = torch.compile(G.synth) if compile_synthesis else G.synth

    def generate(self, draws: Draws, labels: Tensor, lod: float) -> Tensor:
        """Pictures `[n, 3, r, r]` as training makes them: mixed styles, fresh noise; w̄ is tracked on the way."""
        config, G = self.config.generator, self.G
        w = G.mapping(draws.z, self._labels(labels))
        with torch.no_grad():
            mean = self.world.average(w[:, 0].mean(dim=0))
            G.w_mean.copy_(torch.lerp(mean, G.w_mean, config.w_mean_beta))
        if draws.z2 is not None:
            w2 = G.mapping(draws.z2, self._labels(labels))
            w = torch.cat([w[:, : draws.cutoff], w2[:, draws.cutoff :]], dim=1)
        with self._autocast():
            images: Tensor = self._synthesis(w, draws.noise, lod, full_size=False)
        return images.to(draws.z.dtype)

    def scores(self, images: Tensor, labels: Tensor, lod: float) -> Tensor:
        """The discriminator's, `[n, 1]`, in the pictures' dtype."""
        with self._autocast():
            scores: Tensor = self.D(images, self._labels(labels), lod)
        return scores.to(images.dtype)

    def generator_loss(self, labels: Tensor, draws: Draws, lod: float) -> Tensor:
        """What the generator minimises, 0-d."""
        fake = self.scores(self.generate(draws, labels, lod), labels, lod)
        return losses.generator_logistic(fake) if self.config.loss == "logistic" else losses.generator_wgan(fake)

    def discriminator_loss(
        self, reals: Tensor, labels: Tensor, draws: Draws, lod: float, mixing: Tensor | None, regularize: bool = True
    ) -> DiscriminatorLoss:
        """What the discriminator minimises: loss + penalty.

        Args:
            reals: `[n, 3, r, r]` in [−1, 1], r = R / 2^⌊lod⌋.
            labels: of the real pictures and, as in the official code, of the generated ones.
            draws: of the generated pictures.
            lod: level of detail.
            mixing: `[n, 1, 1, 1]` in [0, 1], for WGAN-GP only: how far each mixture is from real to generated.
            regularize: False leaves the penalty out (0).
        """
        config = self.config
        with torch.no_grad():
            fakes = self.generate(draws, labels, lod)
        takes_gradient = regularize and config.loss == "logistic"
        reals = reals.detach().requires_grad_(takes_gradient)
        real, fake = self.scores(reals, labels, lod), self.scores(fakes, labels, lod)
        if config.loss == "logistic":
            loss = losses.discriminator_logistic(real, fake)
        else:
            loss = losses.discriminator_wgan(real, fake, config.drift_weight)
        penalty = torch.zeros_like(loss)
        if takes_gradient:
            penalty = losses.r1_penalty(real, reals, lod, config.r1_gamma)
        elif regularize:
            assert mixing is not None
            mixed = torch.lerp(reals, fakes, mixing).requires_grad_()
            penalty = losses.gradient_penalty(self.scores(mixed, labels, lod), mixed, lod, config.gp_weight)
        return DiscriminatorLoss(loss, penalty, real.mean(), fake.mean())

    def _labels(self, labels: Tensor) -> Tensor | None:
        return labels if self.config.generator.label_dim else None

    def _autocast(self) -> AbstractContextManager[Any]:
        dtype = AUTOCAST.get(self.config.precision)
        return nullcontext() if dtype is None else torch.autocast(self.world.device.type, dtype)


def prepare_reals(reals: Tensor, lod: float) -> Tensor:
    """uint8 `[n, 3, r, r]` → float32 in [−1, 1], blended with the share f of the coarser picture at lod = k + f."""
    images = from_uint8(reals.permute(0, 2, 3, 1))
    fade = lod - int(lod)
    return torch.lerp(images, ops.upsample(ops.downsample(images)), fade) if fade else images
