"""The convolution for gradient penalties: first and second derivatives against PyTorch's own and finite differences."""

import pytest
import torch
import torch.nn.functional as F

from stylegan.ops import conv2d, penalised

CASES = [(1, 1, 1), (1, 0, 1), (2, 1, 1), (1, 1, 4)]  # stride, padding, groups; the second with a 1×1 kernel


def _inputs(case, dtype=torch.float64, size=6):
    stride, padding, groups = case
    kernel = 4 if stride == 2 else 3 if padding else 1
    rng = torch.Generator().manual_seed(0)
    shapes = (2, 4, size, size), (4 if groups > 1 else 3, 4 // groups, kernel, kernel), (4 if groups > 1 else 3,)
    return [torch.randn(shape, generator=rng, dtype=dtype).requires_grad_() for shape in shapes]


def _penalty(convolve, x, weight, bias, case):
    """A penalty on the gradient by the input of a loss that is not linear, plus the loss itself."""
    score = convolve(x, weight, bias, *case).square()
    score = convolve(score, weight[:3, : score.shape[1], :1, :1], None, 1, 0, 1) if case[2] == 1 else score
    score = (score * torch.linspace(-1, 1, score.numel(), dtype=x.dtype).view_as(score)).sum()
    (gradient,) = torch.autograd.grad(score, x, create_graph=True)
    return gradient.square().sum() + score


def _plain(x, weight, bias, stride, padding, groups):
    return F.conv2d(x, weight, bias, stride, padding, groups=groups)


@pytest.mark.parametrize("case", CASES)
def test_penalties_have_the_gradients_of_pytorch_s_own(case):
    ours, theirs = _inputs(case), _inputs(case)
    with penalised():
        penalty = _penalty(conv2d, *ours, case)
    wanted = _penalty(_plain, *theirs, case)
    torch.testing.assert_close(penalty, wanted)
    penalty.backward()
    wanted.backward()
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a.grad, b.grad)


@pytest.mark.parametrize("case", CASES)
def test_derivatives_are_those_of_finite_differences(case):
    x, weight, bias = _inputs(case, size=4)

    def first(*inputs):
        with penalised():
            return conv2d(*inputs, *case)

    assert torch.autograd.gradcheck(first, (x, weight, bias))

    def by_input(x, weight):
        with penalised():
            y = conv2d(x, weight, None, *case)
        return torch.autograd.grad(y.pow(3).sum(), x, create_graph=True)[0]

    assert torch.autograd.gradcheck(by_input, (x, weight))


def test_only_what_is_wanted_gets_a_gradient():
    x, weight, bias = _inputs((1, 1, 1))
    with penalised():
        conv2d(x.detach(), weight, bias, 1, 1).sum().backward()
        assert x.grad is None
        assert weight.grad is not None
        y = conv2d(x, weight.detach(), None, 1, 1)
    y.square().sum().backward()
    assert x.grad is not None


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_autocast_casts_as_it_does_elsewhere(dtype):
    x, weight, bias = _inputs((1, 1, 1), torch.float32)
    with torch.autocast("cpu", dtype):
        plain = F.conv2d(x, weight, bias, padding=1)
        with penalised():
            ours = conv2d(x, weight, bias, padding=1)
    assert ours.dtype == plain.dtype == dtype
    torch.testing.assert_close(ours, plain)
    ours.float().sum().backward()
    assert x.grad.dtype == weight.grad.dtype == torch.float32


def test_elsewhere_it_is_pytorch_s_own():
    x, weight, bias = _inputs((1, 1, 1))
    assert type(conv2d(x, weight, bias, padding=1).grad_fn).__name__ == "ConvolutionBackward0"
    with penalised():
        assert type(conv2d(x, weight, bias, padding=1).grad_fn).__name__ == "_ConvolutionBackward"
    assert type(conv2d(x, weight, bias, padding=1).grad_fn).__name__ == "ConvolutionBackward0"
