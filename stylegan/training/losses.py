"""Losses and penalties on scores `[N, 1]` and images, as means over the batch (FACTS §6)."""

import torch
import torch.nn.functional as F
from torch import Tensor


def generator_logistic(fake: Tensor) -> Tensor:
    """Non-saturating logistic loss: mean softplus(−D(G(z))) (Goodfellow et al. 2014)."""
    return F.softplus(-fake).mean()


def discriminator_logistic(real: Tensor, fake: Tensor) -> Tensor:
    """mean softplus(D(G(z))) + mean softplus(−D(x))."""
    return F.softplus(fake).mean() + F.softplus(-real).mean()


def generator_wgan(fake: Tensor) -> Tensor:
    """−mean D(G(z))."""
    return -fake.mean()


def discriminator_wgan(real: Tensor, fake: Tensor, drift_weight: float = 0.001) -> Tensor:
    """mean D(G(z)) − mean D(x) + ε·mean D(x)² (Karras et al. 2018, appendix A.1)."""
    return fake.mean() - real.mean() + drift_weight * real.square().mean()


def squared_gradient(scores: Tensor, images: Tensor, lod: float) -> Tensor:
    """‖∂D/∂x‖² of each sample, `[N]`, differentiable again, as if the pictures had been repeated to full resolution.

    The official code takes gradients with respect to the full-size picture, which repeats every pixel of the small one
    that is looked at 4^⌊lod⌋ times; each copy then carries 4^−⌊lod⌋ of the gradient, so the squared norm is the small
    picture's divided by 4^⌊lod⌋ (FACTS §6). `images` are small ones here, at the size R / 2^⌊lod⌋.
    """
    (gradient,) = torch.autograd.grad(scores.sum(), images, create_graph=True)
    return gradient.square().sum(dim=(1, 2, 3)) / 4.0 ** int(lod)


def r1_penalty(real_scores: Tensor, reals: Tensor, lod: float, gamma: float) -> Tensor:
    """γ/2 · mean ‖∂D/∂x‖² on real pictures (Mescheder et al. 2018, equation 9)."""
    return gamma / 2 * squared_gradient(real_scores, reals, lod).mean()


def gradient_penalty(scores: Tensor, images: Tensor, lod: float, weight: float) -> Tensor:
    """weight · mean (‖∂D/∂x‖ − 1)² on mixtures of real and generated pictures (Gulrajani et al. 2017, equation 3)."""
    norm = squared_gradient(scores, images, lod).sqrt()
    return weight * (norm - 1).square().mean()
