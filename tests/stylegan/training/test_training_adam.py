"""The optimiser: TensorFlow's formula, steps left out, its state, the float16 loss scale."""

import math

import pytest
import torch

from stylegan.training.adam import Adam, LossScale, all_finite


def _adam(values, precision="fp32", beta2=0.9):
    parameter = torch.nn.Parameter(torch.tensor(values))
    adam = Adam([parameter], beta2, precision)
    adam.set_rate(0.1)
    return parameter, adam


def test_steps_follow_the_formula():
    """v ← β₂·v + (1 − β₂)·g², p ← p − lr·√(1 − β₂ᵗ)·g / (√v + ε)."""
    parameter, adam = _adam([1.0, 2.0, 3.0])
    p, v = [1.0, 2.0, 3.0], [0.0, 0.0, 0.0]
    for t in range(1, 6):
        gradient = [0.3 * t, -1e-9, 2.0 - t]
        parameter.grad = torch.tensor(gradient)
        assert adam.step()
        assert parameter.grad is None
        for i, g in enumerate(gradient):
            v[i] = 0.9 * v[i] + 0.1 * g * g
            p[i] -= 0.1 * math.sqrt(1 - 0.9**t) * g / (math.sqrt(v[i]) + 1e-8)
    assert parameter.tolist() == pytest.approx(p, rel=1e-5)


def test_each_parameter_has_its_share_of_the_rate():
    slow, fast = (torch.nn.Parameter(torch.tensor([1.0, -2.0])) for _ in range(2))
    adam = Adam([slow, fast], 0.9, factors=[0.05, 1.0])
    alone, adam_alone = _adam([1.0, -2.0])
    adam.set_rate(0.1)
    for t in range(3):
        for parameter in (slow, fast, alone):
            parameter.grad = torch.tensor([0.5, -1.0 - t])
        adam.step()
        adam_alone.step()
    assert torch.equal(fast, alone)  # the factor of one parameter is nothing to another
    start = torch.tensor([1.0, -2.0])
    torch.testing.assert_close(slow - start, 0.05 * (fast - start), rtol=1e-4, atol=1e-6)
    assert sorted(adam.second_moments()) == [0, 1]  # by index, whatever the group


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_a_step_with_a_gradient_that_is_not_finite_is_left_out(bad):
    parameter, adam = _adam([1.0, 2.0])
    parameter.grad = torch.tensor([0.5, bad])
    assert not adam.step()
    assert parameter.tolist() == [1.0, 2.0]
    assert parameter.grad is None
    assert adam.steps == 0


def test_a_device_that_decides_for_itself_steps_alike():
    """As on a GPU, whose answer nothing waits for."""
    (there, waiting), (here, free) = _adam([1.0, 2.0]), _adam([1.0, 2.0])
    free.waits = False
    for gradient in ([0.5, 1.0], [0.1, float("nan")], [float("inf"), 0.0], [2.0, -0.3]):
        for parameter, adam in ((there, waiting), (here, free)):
            parameter.grad = torch.tensor(gradient)
            assert float(adam.step()) == all(map(math.isfinite, gradient))
            assert parameter.grad is None
    assert there.tolist() == pytest.approx(here.tolist(), rel=1e-6)
    torch.testing.assert_close(waiting.second_moments(), free.second_moments())
    assert waiting.steps == free.steps == 2
    free.reset()
    assert free.steps == 0


def test_restored_moments_go_on_bit_for_bit():
    rng = torch.Generator().manual_seed(0)
    gradients = [torch.randn(4, generator=rng) for _ in range(6)]
    (straight, one), (stopped, two) = _adam([1.0] * 4), _adam([1.0] * 4)
    for i, gradient in enumerate(gradients):
        if i == 3:
            stopped_at = torch.nn.Parameter(stopped.detach().clone())
            again = Adam([stopped_at], 0.9)
            again.set_rate(0.1)
            again.restore(two.steps, {k: v.clone() for k, v in two.second_moments().items()})
            stopped, two = stopped_at, again
        for parameter, adam in ((straight, one), (stopped, two)):
            parameter.grad = gradient.clone()
            adam.step()
    assert torch.equal(straight, stopped)


def test_reset_forgets():
    parameter, adam = _adam([1.0])
    parameter.grad = torch.tensor([5.0])
    adam.step()
    adam.reset()
    assert adam.second_moments() == {}
    before = parameter.item()
    parameter.grad = torch.tensor([1e-3])
    adam.step()
    assert before - parameter.item() == pytest.approx(0.1, rel=1e-4)  # the first step has the size of the rate


def test_loss_scale_cancels_out_and_adapts():
    plain, scaled = _adam([1.0, 2.0]), _adam([1.0, 2.0], "fp16")
    for parameter, adam in (plain, scaled):
        adam.backward((parameter * torch.tensor([0.5, -3.0])).sum())
        assert adam.step()
    torch.testing.assert_close(plain[0], scaled[0])
    scale = scaled[1].scale
    assert scale.value == LossScale.FIRST
    for _ in range(LossScale.PATIENCE - 1):
        scale.update(True)
    assert scale.value == 2 * LossScale.FIRST
    scaled[0].grad = torch.tensor([1.0, float("inf")])
    assert not scaled[1].step()
    assert scale.value == LossScale.FIRST
    assert scale.good_steps == 0
    for _ in range(100):
        scale.update(False)
    assert scale.value == 1.0


def test_scale_of_other_precisions_is_one_for_ever():
    scale = LossScale.of("bf16")
    scale.update(False)
    assert scale == LossScale(1.0, adapts=False, good_steps=0)


def test_all_finite():
    assert all_finite([])
    assert all_finite([torch.ones(3), torch.zeros(2, 2)])
    assert not all_finite([torch.ones(3), torch.tensor([1.0, float("nan")])])
