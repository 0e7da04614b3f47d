"""Pixel norm, AdaIN, minibatch std: fast against obvious, gradients, hard cases, the official numbers."""

import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck

from stylegan import ops
from stylegan.ops import bands, reference

FORMATS = [torch.contiguous_format, torch.channels_last]
DTYPES = [torch.float32, torch.float64]
SIZES = [(1, 3, 4, 4), (2, 5, 7, 9), (3, 1, 2, 1), (4, 4, 1, 6), (1, 2, 33, 5)]


def draw(*shape, dtype=torch.float32, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)


def same(fast, slow):
    tolerance = 1e-11 if slow.dtype == torch.float64 else 1e-5
    torch.testing.assert_close(fast, slow, atol=tolerance, rtol=tolerance)


@pytest.fixture(params=FORMATS, ids=["nchw", "channels_last"])
def memory_format(request):
    return request.param


@pytest.fixture(params=["adain", "adain_"])
def adain(request):
    """Both forms; the one that overwrites gets a copy."""
    if request.param == "adain":
        return ops.adain
    return lambda x, scale, shift: ops.adain_(x.clone(), scale, shift)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("shape", SIZES, ids=str)
class TestFastEqualsReference:
    def test_adain(self, shape, dtype, memory_format, adain):
        x = (draw(*shape, dtype=dtype) * 3 + 1).contiguous(memory_format=memory_format)
        scale, shift = draw(*shape[:2], dtype=dtype, seed=1), draw(*shape[:2], dtype=dtype, seed=2)
        before = x.clone()
        same(adain(x, scale, shift), reference.adain(x, scale, shift))
        assert torch.equal(x, before)

    def test_instance_norm(self, shape, dtype, memory_format):
        x = draw(*shape, dtype=dtype).contiguous(memory_format=memory_format)
        same(ops.instance_norm(x), reference.instance_norm(x))

    def test_pixel_norm(self, shape, dtype, memory_format):
        x = draw(*shape, dtype=dtype).contiguous(memory_format=memory_format)
        same(ops.pixel_norm(x), reference.pixel_norm(x))
        same(ops.pixel_norm(x[:, :, 0, 0]), reference.pixel_norm(x[:, :, 0, 0]))


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize(
    ("n", "group", "features"), [(1, 4, 1), (2, 4, 1), (3, 4, 2), (4, 4, 3), (8, 4, 1), (8, 2, 6), (6, 3, 2), (5, 1, 1)]
)
def test_minibatch_std(n, group, features, dtype, memory_format):
    x = draw(n, 6, 3, 5, dtype=dtype).contiguous(memory_format=memory_format)
    out = ops.minibatch_std(x, group, features)
    assert out.shape == (n, 6 + features, 3, 5)
    assert torch.equal(out[:, :6], x)
    same(out, reference.minibatch_std(x, group, features))


def test_minibatch_std_of_one_picture_is_the_root_of_epsilon():
    assert torch.allclose(ops.minibatch_std(draw(1, 4, 2, 2))[:, 4], torch.tensor(1e-4))


class TestGradients:
    def test_adain(self, memory_format, adain):
        x = draw(2, 3, 4, 3, dtype=torch.float64).contiguous(memory_format=memory_format).requires_grad_()
        scale, shift = (draw(2, 3, dtype=torch.float64, seed=i).requires_grad_() for i in (1, 2))
        assert gradcheck(adain, (x, scale, shift))
        assert gradgradcheck(adain, (x, scale, shift))

    @pytest.mark.parametrize("trained", ["scale", "shift"])
    def test_of_the_style_alone(self, trained):
        """As when a latent is fitted to a picture: x itself may not need one."""
        styles = {"scale": draw(2, 3, dtype=torch.float64), "shift": draw(2, 3, dtype=torch.float64, seed=1)}
        styles[trained].requires_grad_()
        x = draw(2, 3, 4, 3, dtype=torch.float64)
        assert gradcheck(lambda style: ops.adain_(x.clone(), **{**styles, trained: style}), styles[trained])

    def test_minibatch_std(self, memory_format):
        x = draw(4, 4, 2, 3, dtype=torch.float64).contiguous(memory_format=memory_format).requires_grad_()
        assert gradcheck(lambda x: ops.minibatch_std(x, 2, 2), x)
        assert gradgradcheck(lambda x: ops.minibatch_std(x, 2, 2), x)

    def test_pixel_norm(self):
        x = draw(2, 3, 2, 2, dtype=torch.float64).requires_grad_()
        assert gradcheck(ops.pixel_norm, x)
        assert gradgradcheck(ops.pixel_norm, x)


class TestHardCases:
    def test_constant_maps_become_the_shift(self, adain):
        """The variance is 0: epsilon alone stands in the root, and nothing may blow up."""
        x = torch.full((2, 3, 8, 8), 7.25)
        scale, shift = torch.full((2, 3), 5.0), draw(2, 3)
        torch.testing.assert_close(adain(x, scale, shift), shift[:, :, None, None].expand_as(x))

    def test_small_variation_on_a_large_mean_is_not_lost(self, adain):
        x = 100 + draw(1, 2, 64, 64) * 0.01
        exact = reference.instance_norm(x.double())
        out = adain(x, torch.ones(1, 2), torch.zeros(1, 2))
        torch.testing.assert_close(out.double(), exact, atol=2e-3, rtol=0)

    def test_statistics_of_many_pixels_are_exact(self, adain):
        """Summing a million pixels one after the other in float32 would be off by 1e-4."""
        x = (draw(1, 2, 1024, 1024) + 1).contiguous(memory_format=torch.channels_last)
        x[:, :, :512] *= 3
        exact = reference.instance_norm(x.double())
        out = adain(x, torch.ones(1, 2), torch.zeros(1, 2))
        torch.testing.assert_close(out.double(), exact, atol=5e-6, rtol=0)

    @pytest.mark.parametrize("band_bytes", [1, 500, 3000])
    def test_bands_change_nothing(self, monkeypatch, memory_format, band_bytes):
        x = draw(2, 3, 13, 7).contiguous(memory_format=memory_format)
        scale, shift = draw(2, 3, seed=1), draw(2, 3, seed=2)
        monkeypatch.setattr(bands, "WHOLE_BYTES", 0)
        monkeypatch.setattr(bands, "BAND_BYTES", band_bytes)
        same(ops.adain_(x.clone(), scale, shift), reference.adain(x, scale, shift))

    @pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=str)
    def test_low_precision_computes_in_float32(self, dtype, adain):
        x, scale, shift = (draw(*s, seed=i).to(dtype) for i, s in enumerate([(2, 3, 16, 16), (2, 3), (2, 3)]))
        out = adain(x, scale, shift)
        assert out.dtype == dtype
        torch.testing.assert_close(out, reference.adain(x.float(), scale.float(), shift.float()).to(dtype))

    def test_the_style_comes_to_the_dtype_of_the_features(self, adain):
        x, scale, shift = draw(1, 3, 4, 4), draw(1, 3).bfloat16(), draw(1, 3, seed=1).bfloat16()
        out = adain(x, scale, shift)
        assert out.dtype == torch.float32
        same(out, reference.adain(x, scale.float(), shift.float()))

    def test_adain_reuses_memory_only_where_nothing_is_recorded(self):
        x, style = draw(1, 2, 4, 4), (torch.ones(1, 2), torch.zeros(1, 2))
        assert ops.adain_(x, *style).data_ptr() == x.data_ptr()
        x = draw(1, 2, 4, 4).requires_grad_()
        assert ops.adain_(x, *style).data_ptr() != x.data_ptr()
        with torch.no_grad():
            kept = x.detach().clone()
            ops.adain(x, *style)
        assert torch.equal(x, kept)

    def test_no_pictures(self):
        assert ops.adain_(torch.empty(0, 2, 4, 4), torch.empty(0, 2), torch.empty(0, 2)).shape == (0, 2, 4, 4)


class TestOfficial:
    TOL = {"atol": 3e-6, "rtol": 1e-5}  # noqa: RUF012 - a constant

    @pytest.mark.parametrize("name", ["pixel_norm", "instance_norm", "mbstd_g4", "mbstd_g4_f2", "mbstd_g8"])
    def test_normalisations(self, golden, name, memory_format):
        functions = {
            "pixel_norm": ops.pixel_norm,
            "instance_norm": ops.instance_norm,
            "mbstd_g4": lambda x: ops.minibatch_std(x, 4),
            "mbstd_g4_f2": lambda x: ops.minibatch_std(x, 4, 2),
            "mbstd_g8": lambda x: ops.minibatch_std(x, 8),
        }
        data = golden("sg1_misc")
        x = data["prim/x"].contiguous(memory_format=memory_format)
        torch.testing.assert_close(functions[name](x), data[f"prim/{name}"], **self.TOL)
