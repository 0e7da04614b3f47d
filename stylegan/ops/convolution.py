"""A convolution whose gradient by its input is cheap to differentiate, for gradient penalties (R1, WGAN-GP).

PyTorch takes the weight's part of a convolution's second derivative as one more convolution, with a kernel as large as
the picture and the batch in the place of the channels, for which libraries have no fast code. It is a weight gradient
like any other, and is taken as that here.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

_PENALISED = ContextVar("penalised", default=False)


@contextmanager
def penalised() -> Iterator[None]:
    """Inside, convolutions are made ready for a gradient penalty.

    A gradient of their results with create_graph=True must be one by the network's input: none is taken by weights
    then. Gradients without create_graph, such as those of the penalty itself, are complete.
    """
    token = _PENALISED.set(True)
    try:
        yield
    finally:
        _PENALISED.reset(token)


def conv2d(
    x: Tensor, weight: Tensor, bias: Tensor | None = None, stride: int = 1, padding: int = 0, groups: int = 1
) -> Tensor:
    """`[N, C, H, W]`, `weight [O, C / groups, k, k]` → `[N, O, H', W']`: F.conv2d, also under autocast."""
    if torch.compiler.is_compiling() or not _PENALISED.get():  # compiled code has no second derivatives anyway
        return F.conv2d(x, weight, bias, stride, padding, groups=groups)
    if torch.is_autocast_enabled(x.device.type):
        dtype = torch.get_autocast_dtype(x.device.type)
        x, weight, bias = x.to(dtype), weight.to(dtype), None if bias is None else bias.to(dtype)
    y: Tensor = _Convolution.apply(x, weight, bias, (stride, padding, groups))  # type: ignore[no-untyped-call]
    return y


Geometry = tuple[int, int, int]  # stride, padding, groups


def _forward(x: Tensor, weight: Tensor, bias: Tensor | None, geometry: Geometry) -> Tensor:
    stride, padding, groups = geometry
    return F.conv2d(x, weight, bias, stride, padding, groups=groups)


def _gradients(
    grad: Tensor, x: Tensor, weight: Tensor, geometry: Geometry, wanted: tuple[bool, bool, bool]
) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
    """Gradients by input, weight and bias, those that are `wanted`, given `grad` by the result."""
    stride, padding, groups = (2 * [value] for value in geometry)
    found: tuple[Tensor | None, Tensor | None, Tensor | None] = torch.ops.aten.convolution_backward(
        grad, x, weight, [len(weight)], stride, padding, [1, 1], False, [0, 0], groups[0], list(wanted)
    )
    return found


class _Convolution(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, geometry: Geometry) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.geometry = geometry
        return _forward(x, weight, bias, geometry)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        if not torch.is_grad_enabled():
            return (*_gradients(grad, x, weight, ctx.geometry, ctx.needs_input_grad[:3]), None)
        if not ctx.needs_input_grad[0]:
            return None, None, None, None
        return _InputGradient.apply(grad, weight, x, ctx.geometry), None, None, None  # type: ignore[no-untyped-call]


class _InputGradient(torch.autograd.Function):
    """Gradient by the input, bilinear in `grad` and `weight`; of `x` it takes the shape alone."""

    @staticmethod
    def forward(ctx: Any, grad: Tensor, weight: Tensor, x: Tensor, geometry: Geometry) -> Tensor:
        ctx.save_for_backward(grad, weight)
        ctx.geometry = geometry
        (by_x, _, _) = _gradients(grad, x, weight, geometry, (True, False, False))
        assert by_x is not None
        return by_x

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, second: Tensor) -> tuple[Tensor | None, ...]:
        grad, weight = ctx.saved_tensors
        by_grad = _forward(second, weight, None, ctx.geometry) if ctx.needs_input_grad[0] else None
        wants_weight = (False, ctx.needs_input_grad[1], False)
        by_weight = _gradients(grad, second, weight, ctx.geometry, wants_weight)[1] if wants_weight[1] else None
        return by_grad, by_weight, None, None
