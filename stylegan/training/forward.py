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

AUTOCAST = {"bf16": torch.bfloat16, "fp16": torch.float16}


class GeneratorLoss(NamedTuple):
    """Means over the batch: `loss` 0-d, `w_mean [w_dim]`."""

    loss: Tensor
    w_mean: Tensor


class DiscriminatorLoss(NamedTuple):
    """Means over the batch, 0-d, but for `w_mean [w_dim]`; `penalty` is not yet times the interval of lazy R1."""

    loss: Tensor
    penalty: Tensor
    real_score: Tensor
    fake_score: Tensor
    w_mean: Tensor


class Forward:
    """The networks in training mode, as functions of one batch."""

    def __init__(
        self, config: TrainConfig, G: Generator, D: Discriminator, device: torch.device, compiles: bool = False
    ) -> None:
        self.config, self.G, self.D, self.device = config, G, D, device
        self.compiles = compiles
        self._compiled: tuple[Any, Any] | None = None  # both networks

    def generate(self, draws: Draws, labels: Tensor, lod: float) -> tuple[Tensor, Tensor]:
        """Pictures `[n, 3, r, r]` as training makes them, with mixed styles, and the batch mean of their first w
        `[w_dim]`, which `track` takes.
        """
        G = self.G
        w = G.mapping(draws.z, self._labels(labels))
        w_mean = w[:, 0].detach().mean(dim=0)
        if draws.z2 is not None:
            w2 = G.mapping(draws.z2, self._labels(labels))
            first = torch.arange(w.shape[1], device=w.device) < draws.cutoff
            w = torch.where(first[:, None], w, w2)
        with self._autocast():
            images: Tensor = self._networks(lod)[0](w, draws.noise, lod, full_size=False)
        return images.to(draws.z.dtype), w_mean

    @torch.no_grad()
    def track(self, w_mean: Tensor) -> None:
        """w̄ ← β·w̄ + (1 − β)·(mean over a batch), once for each batch of either player (FACTS §3)."""
        self.G.w_mean.copy_(torch.lerp(w_mean, self.G.w_mean, self.config.generator.w_mean_beta))

    def scores(self, images: Tensor, labels: Tensor, lod: float, penalised: bool = False) -> Tensor:
        """The discriminator's, `[n, 1]`, in the pictures' dtype.

        `penalised` ones will be differentiated by the pictures: float16 has no range for those gradients.
        """
        exact = penalised and self.config.precision == "fp16"
        # R1 differentiates the discriminator twice, which compiled code cannot do.
        D = self.D if penalised else self._networks(lod)[1]
        with nullcontext() if exact else self._autocast(), ops.penalised() if penalised else nullcontext():
            scores: Tensor = D(images, self._labels(labels), lod)
        return scores.to(images.dtype)

    def generator_loss(self, labels: Tensor, draws: Draws, lod: float) -> GeneratorLoss:
        """What the generator minimises."""
        images, w_mean = self.generate(draws, labels, lod)
        fake = self.scores(images, labels, lod)
        loss = losses.generator_logistic(fake) if self.config.loss == "logistic" else losses.generator_wgan(fake)
        return GeneratorLoss(loss, w_mean)

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
            fakes, w_mean = self.generate(draws, labels, lod)
        r1 = regularize and config.loss == "logistic"
        reals = reals.detach().requires_grad_(r1)
        real, fake = self.scores(reals, labels, lod, penalised=r1), self.scores(fakes, labels, lod)
        if config.loss == "logistic":
            loss = losses.discriminator_logistic(real, fake)
        else:
            loss = losses.discriminator_wgan(real, fake, config.drift_weight)
        penalty = torch.zeros_like(loss)
        if r1:
            penalty = losses.r1_penalty(real, reals, lod, config.r1_gamma)
        elif regularize:
            assert mixing is not None
            mixed = torch.lerp(reals, fakes, mixing).requires_grad_()
            mixed_scores = self.scores(mixed, labels, lod, penalised=True)
            penalty = losses.gradient_penalty(mixed_scores, mixed, lod, config.gp_weight)
        return DiscriminatorLoss(loss, penalty, real.mean(), fake.mean(), w_mean)

    def _networks(self, lod: float) -> tuple[Any, Any]:
        """The synthesis network and the discriminator, at full resolution compiled where that was asked for: each lod
        is other code, and compiling it takes longer than the smaller resolutions are trained.
        """
        if not self.compiles or lod > 0:
            return self.G.synth, self.D
        if self._compiled is None:
            self._compiled = torch.compile(self.G.synth, dynamic=False), torch.compile(self.D, dynamic=False)
        return self._compiled

    def _labels(self, labels: Tensor) -> Tensor | None:
        return labels if self.config.generator.label_dim else None

    def _autocast(self) -> AbstractContextManager[Any]:
        dtype = AUTOCAST.get(self.config.precision)
        return nullcontext() if dtype is None else torch.autocast(self.device.type, dtype)


def prepare_reals(reals: Tensor, lod: float) -> Tensor:
    """uint8 `[n, 3, r, r]` → float32 in [−1, 1], blended with the share f of the coarser picture at lod = k + f."""
    images = from_uint8(reals.permute(0, 2, 3, 1))
    fade = lod - int(lod)
    return torch.lerp(images, ops.upsample(ops.downsample(images)), fade) if fade else images
