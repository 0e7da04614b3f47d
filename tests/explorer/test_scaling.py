"""Pictures at other sizes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from recipe_strategies import steady

from explorer.scaling import check_size, resized
from stylegan.errors import InputError


@pytest.fixture
def picture() -> np.ndarray:
    return np.random.RandomState(0).randint(0, 256, (16, 16, 3)).astype(np.uint8)


@steady
@given(st.integers(1, 100), st.booleans())
def test_any_size(size, smooth):
    flat = np.full((16, 16, 3), (1, 100, 255), np.uint8)
    scaled = resized(flat, size, smooth)
    assert scaled.shape == (size, size, 3)
    assert scaled.dtype == np.uint8
    assert (scaled == flat[0, 0]).all()


@pytest.mark.parametrize("factor", [1, 2, 5])
def test_whole_factors_repeat_pixels(picture, factor):
    np.testing.assert_array_equal(resized(picture, 16 * factor), picture.repeat(factor, 0).repeat(factor, 1))


def test_smooth_is_bicubic_up_and_lanczos_down(picture):
    image = Image.fromarray(picture)
    np.testing.assert_array_equal(resized(picture, 64, True), image.resize((64, 64), Image.Resampling.BICUBIC))
    np.testing.assert_array_equal(resized(picture, 5, True), image.resize((5, 5), Image.Resampling.LANCZOS))


def test_down_is_box_means(picture):
    means = picture.reshape(4, 4, 4, 4, 3).mean((1, 3))
    assert np.abs(resized(picture, 4) - means).max() <= 1


@pytest.mark.parametrize("size", [0, -1, 4097, 1e3, True, "64", None, float("nan")])
def test_impossible_sizes(size):
    with pytest.raises(InputError, match="from 1 to 4096"):
        check_size(size)
