"""Losses and penalties against closed forms and against gradients taken by brute force."""

import math

import pytest
import torch

from stylegan import ops
from stylegan.config import DiscriminatorConfig
from stylegan.networks import Discriminator
from stylegan.training import losses


def _rng(seed=0):
    return torch.Generator().manual_seed(seed)


def test_losses_of_known_scores():
    zero = torch.zeros(4, 1)
    assert losses.generator_logistic(zero).item() == pytest.approx(math.log(2))
    assert losses.discriminator_logistic(zero, zero).item() == pytest.approx(2 * math.log(2))
    real, fake = torch.tensor([[3.0], [1.0]]), torch.tensor([[-1.0], [5.0]])
    wanted = math.log1p(math.exp(-3)) / 2 + math.log1p(math.exp(-1)) / 2
    wanted += math.log1p(math.exp(-1)) / 2 + math.log1p(math.exp(5)) / 2
    assert losses.discriminator_logistic(real, fake).item() == pytest.approx(wanted, rel=1e-6)
    assert losses.generator_wgan(fake).item() == -2
    assert losses.discriminator_wgan(real, fake, 0.1).item() == pytest.approx(2 - 2 + 0.1 * 5)


def test_logistic_losses_survive_extreme_scores():
    huge = torch.full((2, 1), 1e4)
    assert losses.generator_logistic(-huge).item() == pytest.approx(1e4)
    assert losses.discriminator_logistic(huge, -huge).item() == 0


@pytest.mark.parametrize("lod", [0.0, 1.0, 1.75, 3.2])
def test_penalties_of_a_linear_discriminator(lod):
    """D(x) = w·x has the gradient w everywhere: R1 = γ/2·‖w‖², the gradient penalty (‖w‖ − 1)²."""
    weight = torch.randn(3, 8, 8, generator=_rng(), dtype=torch.float64).requires_grad_()
    images = torch.randn(5, 3, 8, 8, generator=_rng(1), dtype=torch.float64).requires_grad_()
    squared = float(weight.detach().square().sum()) / 4 ** int(lod)

    def scores():
        return (images * weight).sum(dim=(1, 2, 3))[:, None]

    r1 = losses.r1_penalty(scores(), images, lod, gamma=10.0)
    assert r1.item() == pytest.approx(5 * squared)
    (slope,) = torch.autograd.grad(r1, weight)
    torch.testing.assert_close(slope, 10 * weight.detach() / 4 ** int(lod))  # it can be differentiated again
    penalty = losses.gradient_penalty(scores(), images, lod, weight=10.0)
    assert penalty.item() == pytest.approx(10 * (squared**0.5 - 1) ** 2)


@pytest.mark.parametrize("lod", [0.5, 1.0, 2.4])
def test_squared_gradient_is_that_of_the_repeated_picture(lod):
    """By brute force: the gradient with respect to the picture repeated to full resolution (FACTS §6)."""
    config = DiscriminatorConfig(resolution=32, fmap_base=64, fmap_max=8)
    D, whole = Discriminator(config).double(), 2 ** int(lod)
    small = torch.randn(4, 3, 32 // whole, 32 // whole, generator=_rng(), dtype=torch.float64)
    large = ops.upsample(small, whole).requires_grad_()
    (gradient,) = torch.autograd.grad(D(large, lod=lod).sum(), large)
    small.requires_grad_()
    found = losses.squared_gradient(D(small, lod=lod), small, lod)
    torch.testing.assert_close(found.detach(), gradient.square().sum(dim=(1, 2, 3)))


def test_the_penalty_has_a_gradient_in_every_layer_in_use():
    config = DiscriminatorConfig(resolution=8, fmap_base=32, fmap_max=4)
    D = Discriminator(config).double()
    images = torch.randn(4, 3, 8, 8, generator=_rng(), dtype=torch.float64).requires_grad_()
    losses.r1_penalty(D(images), images, 0.0, 1.0).backward()
    weights = {name: p.grad for name, p in D.named_parameters() if name.endswith("weight")}
    assert {name for name, grad in weights.items() if grad is None} == {"from_rgb.0.conv.weight"}
