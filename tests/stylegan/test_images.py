"""Float to uint8 and back, and grids."""

import numpy as np
import pytest
import torch

from stylegan import from_uint8, grid, to_uint8
from stylegan.errors import InputError


class TestToUint8:
    def test_the_official_conversion(self, golden):
        data = golden("sg1_misc")
        x = data["to_uint8/in"]
        out = to_uint8(x.expand(1, 3, 7, 7))
        assert out.shape == (1, 7, 7, 3)
        assert torch.equal(out.permute(0, 3, 1, 2)[:, :1], data["to_uint8/out"])

    def test_the_official_conversion_of_means(self, golden):
        data = golden("sg1_misc")
        x = torch.nn.functional.avg_pool2d(data["to_uint8_shrink2/in"], 2)
        assert (to_uint8(x).int() - data["to_uint8_shrink2/out"].int()).abs().max() <= 1

    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            (-1, 0),
            (1, 255),
            (0, 128),
            (-9, 0),
            (9, 255),
            (-0.999, 0),
            (-0.997, 0),
            (-0.996, 1),
            (0.0078, 128),
            (0.0079, 129),
        ],
    )
    def test_values(self, value, expected):
        assert to_uint8(torch.full((1, 3, 1, 1), float(value))).tolist() == [[[[expected] * 3]]]

    def test_values_that_are_not_finite(self):
        x = torch.tensor([float("nan"), float("inf"), -float("inf")]).reshape(1, 3, 1, 1)
        assert to_uint8(x).flatten().tolist() == [0, 255, 0]

    @pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
    @pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
    def test_dtypes_and_layouts(self, dtype, memory_format):
        x = torch.linspace(-1, 1, 48).reshape(2, 3, 2, 4).to(dtype).contiguous(memory_format=memory_format)
        before = x.clone()
        out = to_uint8(x)
        assert out.dtype == torch.uint8
        assert out.is_contiguous()
        assert torch.equal(out, to_uint8(x.float().contiguous()))
        assert torch.equal(x, before)

    def test_of_what_needs_gradients(self):
        assert not to_uint8(torch.zeros(1, 3, 2, 2, requires_grad=True)).requires_grad

    @pytest.mark.parametrize("x", [torch.zeros(3, 4, 4), torch.zeros(1, 3, 4, 4).int(), np.zeros((1, 3, 4, 4)), None])
    def test_refusals(self, x):
        with pytest.raises(InputError, match=r"to_uint8 takes a float tensor \[N, C, H, W\], not"):
            to_uint8(x)


class TestFromUint8:
    def test_the_training_convention(self):
        u = torch.arange(256, dtype=torch.uint8).reshape(1, 16, 16, 1)
        x = from_uint8(u)
        assert x.shape == (1, 1, 16, 16)
        torch.testing.assert_close(x.flatten(), torch.linspace(-1, 1, 256), atol=1e-6, rtol=0)

    def test_there_and_back(self):
        """The two official conversions are no inverses (offsets 128 and 127.5), but off by 1 at most."""
        u = torch.arange(256, dtype=torch.uint8).reshape(1, 16, 16, 1).expand(1, 16, 16, 3)
        assert (to_uint8(from_uint8(u)).int() - u.int()).abs().max() <= 1

    def test_real_images_of_the_official_training(self, golden):
        """process_reals at lod 0 is the conversion and nothing else."""
        data = golden("sg1_misc")
        u = data["process_reals/in_uint8"].permute(0, 2, 3, 1)
        torch.testing.assert_close(from_uint8(u), data["process_reals/lod0"], atol=1e-6, rtol=0)

    @pytest.mark.parametrize("u", [torch.zeros(1, 2, 2, 3), torch.zeros(2, 2, 3, dtype=torch.uint8), None, [[0]]])
    def test_refusals(self, u):
        with pytest.raises(InputError, match=r"from_uint8 takes a uint8 tensor \[N, H, W, C\], not"):
            from_uint8(u)


class TestGrid:
    @pytest.fixture
    def pictures(self):
        return torch.arange(5 * 2 * 3 * 3, dtype=torch.uint8).reshape(5, 2, 3, 3)

    def test_row_by_row(self, pictures):
        canvas = grid(pictures, columns=2, pad_px=1, background=7)
        assert canvas.shape == (3 * 2 + 2, 2 * 3 + 1, 3)
        assert canvas.dtype == np.uint8
        for i in range(5):
            y, x = i // 2 * 3, i % 2 * 4
            assert np.array_equal(canvas[y : y + 2, x : x + 3], pictures[i].numpy())
        assert (canvas[6:, 4:] == 7).all()
        assert (canvas[2] == 7).all()
        assert (canvas[:, 3] == 7).all()

    @pytest.mark.parametrize(
        ("count", "rows", "columns"), [(1, 1, 1), (2, 1, 2), (3, 2, 2), (4, 2, 2), (5, 2, 3), (9, 3, 3)]
    )
    def test_squarely(self, count, rows, columns):
        assert grid(torch.zeros(count, 2, 3, 3, dtype=torch.uint8)).shape == (rows * 2, columns * 3, 3)

    @pytest.mark.parametrize(
        "pictures",
        [
            torch.zeros(0, 2, 2, 3, dtype=torch.uint8),
            torch.zeros(1, 2, 2, 3),
            torch.zeros(2, 2, 3, dtype=torch.uint8),
            [],
        ],
    )
    def test_refuses_pictures(self, pictures):
        with pytest.raises(InputError, match="A grid takes at least one picture"):
            grid(pictures)

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            *(("columns", value) for value in (0, -1, 1.5, True)),
            *(("pad_px", value) for value in (-1, 0.5)),
            *(("background", value) for value in (256, -1, "white")),
        ],
    )
    def test_refuses_options(self, pictures, name, value):
        with pytest.raises(InputError, match=f"{name} of a grid is a whole number"):
            grid(pictures, **{name: value})
