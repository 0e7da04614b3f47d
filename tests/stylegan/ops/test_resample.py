"""Blur, resampling and the convolutions fused with it: fast against obvious, gradients, bands, the official numbers."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch.autograd import gradcheck, gradgradcheck

from stylegan import ops
from stylegan.ops import bands, reference
from stylegan.ops.resample import upsample_conv_blur, upsample_kernel

FORMATS = [torch.contiguous_format, torch.channels_last]
DTYPES = [torch.float32, torch.float64]
SIZES = [(1, 3, 4, 4), (2, 5, 7, 9), (3, 1, 1, 1), (2, 4, 1, 6), (1, 2, 12, 5)]


def draw(*shape, dtype=torch.float32, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)


def same(fast, slow):
    tolerance = 1e-12 if slow.dtype == torch.float64 else 2e-6
    torch.testing.assert_close(fast, slow, atol=tolerance * max(1, slow.abs().max().item()), rtol=0)


@pytest.fixture(params=FORMATS, ids=["nchw", "channels_last"])
def memory_format(request):
    return request.param


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("shape", SIZES, ids=str)
class TestFastEqualsReference:
    @pytest.mark.parametrize("taps", [(1, 2, 1), (1,), (1, 4, 6, 4, 1), (0.5, -1, 3), (2, 0, 0)], ids=str)
    def test_blur(self, shape, dtype, memory_format, taps):
        x = draw(*shape, dtype=dtype).contiguous(memory_format=memory_format)
        bias = draw(shape[1], dtype=dtype, seed=1)
        same(ops.blur(x, taps), reference.blur(x, taps))
        same(ops.blur(x, taps, bias), reference.blur(x, taps) + bias[:, None, None])

    @pytest.mark.parametrize("factor", [1, 2, 3, 4])
    def test_upsample_and_downsample(self, shape, dtype, memory_format, factor):
        x = draw(*shape, dtype=dtype).contiguous(memory_format=memory_format)
        large = ops.upsample(x, factor)
        assert torch.equal(large, reference.upsample(x, factor))
        same(ops.downsample(large + 1, factor), reference.downsample(large + 1, factor))
        same(ops.downsample(large, factor), x)

    def test_upsample_conv(self, shape, dtype, memory_format):
        x = draw(*shape, dtype=dtype).contiguous(memory_format=memory_format)
        weight = draw(6, shape[1], 3, 3, dtype=dtype, seed=1)
        same(ops.upsample_conv(x, weight), reference.upsample_conv(x, weight))

    def test_conv_downsample(self, shape, dtype, memory_format):
        x = reference.upsample(draw(*shape, dtype=dtype)).contiguous(memory_format=memory_format)
        x = x + draw(*x.shape, dtype=dtype, seed=2)
        weight = draw(6, shape[1], 3, 3, dtype=dtype, seed=1)
        same(ops.conv_downsample(x, weight), reference.conv_downsample(x, weight))

    @pytest.mark.parametrize("taps", [(), (1, 2, 1), (1, 4, 6, 4, 1)], ids=str)
    def test_upsample_conv_blur(self, shape, dtype, memory_format, taps):
        x = draw(*shape, dtype=dtype).contiguous(memory_format=memory_format)
        weight, bias = draw(6, shape[1], 3, 3, dtype=dtype, seed=1), draw(6, dtype=dtype, seed=2)
        slow = reference.upsample_conv(x, weight)
        slow = (reference.blur(slow, taps) if taps else slow) + bias[:, None, None]
        same(upsample_conv_blur(x, upsample_kernel(weight), taps, bias), slow)


@pytest.mark.parametrize("taps", [(1, 2, 1), (1, 4, 6, 4, 1)], ids=str)
@pytest.mark.parametrize("height", [1, 2, 3, 8, 13])
@pytest.mark.parametrize("band_bytes", [1, 2000, 5000])
def test_bands_make_the_same_picture(monkeypatch, memory_format, taps, height, band_bytes):
    x = draw(2, 3, height, 5).contiguous(memory_format=memory_format)
    kernel, bias = upsample_kernel(draw(6, 3, 3, 3, seed=1)), draw(6, seed=2)
    whole = upsample_conv_blur(x, kernel, taps, bias)
    monkeypatch.setattr(bands, "WHOLE_BYTES", 0)
    monkeypatch.setattr(bands, "BAND_BYTES", band_bytes)
    same(upsample_conv_blur(x, kernel, taps, bias), whole)


def test_bands_are_for_large_pictures_on_the_cpu_only():
    cpu, elsewhere = torch.device("cpu"), torch.device("meta")
    assert bands.band_rows(1024, bands.WHOLE_BYTES, cpu) == 1024
    assert bands.band_rows(1024, 1 << 26, cpu) == 1024 * bands.BAND_BYTES >> 26
    assert bands.band_rows(2, 1 << 40, cpu) == 1
    assert bands.band_rows(1024, 1 << 26, elsewhere) == 1024


def test_gradients_pass_through_a_picture_large_enough_for_bands(monkeypatch):
    monkeypatch.setattr(bands, "WHOLE_BYTES", 0)
    monkeypatch.setattr(bands, "BAND_BYTES", 1)
    x = draw(1, 2, 3, 4, dtype=torch.float64).requires_grad_()
    kernel, bias = upsample_kernel(draw(2, 2, 3, 3, dtype=torch.float64)), draw(2, dtype=torch.float64)
    assert gradcheck(lambda x: upsample_conv_blur(x, kernel, (1, 2, 1), bias), x)


def twice_differentiable(function, *inputs):
    inputs = tuple(x.requires_grad_() for x in inputs)
    return gradcheck(function, inputs) and gradgradcheck(function, inputs)


@pytest.mark.parametrize("shape", [(2, 1, 2, 3), (1, 2, 3, 2)], ids=str)
def test_blur_twice_differentiable(shape, memory_format):
    x = draw(*shape, dtype=torch.float64).contiguous(memory_format=memory_format)
    assert twice_differentiable(lambda x, b: ops.blur(x, (1, 2, 1), b), x, draw(shape[1], dtype=torch.float64))


@pytest.mark.parametrize("function", [ops.upsample, ops.downsample], ids=["upsample", "downsample"])
def test_resampling_twice_differentiable(function):
    assert twice_differentiable(function, draw(1, 2, 2, 4, dtype=torch.float64))


@pytest.mark.parametrize("function", [ops.upsample_conv, ops.conv_downsample], ids=["up", "down"])
def test_fused_convolutions_twice_differentiable(function, memory_format):
    x = draw(1, 2, 2, 4, dtype=torch.float64).contiguous(memory_format=memory_format)
    assert twice_differentiable(function, x, draw(1, 2, 3, 3, dtype=torch.float64, seed=1))


def test_results_keep_channels_last():
    x, weight = draw(2, 4, 8, 8).contiguous(memory_format=torch.channels_last), draw(6, 4, 3, 3)
    bias = draw(6)
    results = [
        ops.blur(x),
        ops.upsample(x),
        ops.downsample(x),
        ops.upsample_conv(x, weight),
        ops.conv_downsample(x, weight),
        upsample_conv_blur(x, upsample_kernel(weight), (1, 2, 1), bias),
    ]
    assert all(r.is_contiguous(memory_format=torch.channels_last) for r in results)


class TestClosedForms:
    def test_blur_of_a_constant_darkens_the_border(self):
        out = ops.blur(torch.ones(1, 1, 4, 4))
        assert torch.equal(out[0, 0, 1:-1, 1:-1], torch.ones(2, 2))
        assert torch.allclose(out[0, 0, 0], torch.tensor([0.5625, 0.75, 0.75, 0.5625]))

    def test_blur_of_a_point_is_its_kernel(self):
        point = torch.zeros(1, 1, 5, 5)
        point[0, 0, 2, 2] = 16
        expected = torch.tensor([[1.0, 2, 1], [2, 4, 2], [1, 2, 1]])
        assert torch.equal(ops.blur(point)[0, 0, 1:4, 1:4], expected)

    def test_fused_convolutions_cost_four_ninths(self):
        """One 4×4 kernel at the small size: 16 multiplications for 4 pixels, not 36."""
        assert upsample_kernel(draw(6, 4, 3, 3)).shape == (4, 6, 4, 4)

    def test_down_is_the_adjoint_of_up(self):
        """⟨up(x), y⟩ = 4·⟨x, down(y)⟩ with the kernel turned and its axes swapped."""
        x, y = draw(1, 2, 4, 4, dtype=torch.float64), draw(1, 3, 8, 8, dtype=torch.float64, seed=1)
        weight = draw(3, 2, 3, 3, dtype=torch.float64, seed=2)
        left = (ops.upsample_conv(x, weight) * y).sum()
        right = 4 * (x * ops.conv_downsample(y, weight.transpose(0, 1).flip(2, 3))).sum()
        torch.testing.assert_close(left, right)


class TestOfficial:
    """`prim/*` of sg1_misc: what the official functions made of the same input."""

    TOL = {"atol": 3e-6, "rtol": 1e-5}  # noqa: RUF012 - a constant

    @pytest.fixture
    def prim(self, golden):
        data = golden("sg1_misc")
        return lambda key: data[f"prim/{key}"]

    @pytest.mark.parametrize("name", ["blur", "up", "up4", "down", "down4"])
    def test_resampling(self, prim, name, memory_format):
        functions = {
            "blur": ops.blur,
            "up": ops.upsample,
            "up4": lambda x: ops.upsample(x, 4),
            "down": ops.downsample,
            "down4": lambda x: ops.downsample(x, 4),
        }
        x = prim("x").contiguous(memory_format=memory_format)
        torch.testing.assert_close(functions[name](x), prim(name), **self.TOL)

    def test_convolutions(self, prim, memory_format):
        x = prim("x").contiguous(memory_format=memory_format)
        weight = prim("w").permute(3, 2, 0, 1) * (math.sqrt(2) / math.sqrt(9 * x.shape[1]))
        down = ops.conv_downsample(x, weight)
        torch.testing.assert_close(ops.upsample_conv(x, weight), prim("upconv_unfused"), **self.TOL)
        torch.testing.assert_close(ops.upsample_conv(x, weight.flip(2, 3)), prim("upconv_fused"), **self.TOL)
        torch.testing.assert_close(down, prim("downconv_unfused"), **self.TOL)
        torch.testing.assert_close(down, prim("downconv_fused"), **self.TOL)
        assert (ops.upsample_conv(x, weight) - prim("upconv_fused")).abs().max() > 0.1  # they are not the same

    def test_leaky_relu(self, prim):
        torch.testing.assert_close(F.leaky_relu(prim("x"), 0.2), prim("lrelu"), **self.TOL)
