import contextlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stylegan.data.pyramid import Pyramid, PyramidWriter, box_levels, pyramid_bytes, sides
from stylegan.errors import DataError


def pictures(n, side, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (n, side, side, 3), dtype=np.uint8)


def write(folder, *parts):
    with contextlib.closing(PyramidWriter(folder, parts[0].shape[1])) as writer:
        for part in parts:
            writer.append(part)
        writer.finish()
    return writer.count


def test_sides():
    assert sides(64) == [64, 32, 16, 8, 4]
    assert sides(4) == [4]
    assert pyramid_bytes(8, 10) == 10 * 3 * (64 + 16)


@given(st.integers(2, 6), st.integers(0, 1000))
def test_levels_are_means_that_are_rounded_once(log_side, seed):
    x = pictures(2, 2**log_side, seed)
    for side, level in box_levels(x).items():
        k = x.shape[1] // side
        means = x.astype(np.float64).reshape(2, side, k, side, k, 3).mean(axis=(2, 4))
        np.testing.assert_array_equal(level, np.rint(means).astype(np.uint8))


def test_levels_are_exact_at_the_largest_size():
    x = np.full((1, 1024, 1024, 3), 255, dtype=np.uint8)
    x[0, 0, 0] = 0  # 1 of 65536 under each value of the 4² level: 254.996
    levels = box_levels(x)
    assert (levels[4] == 255).all()
    assert levels[512][0, 0, 0].tolist() == [191] * 3  # rint(191.25)


def test_halves_round_to_even():
    x = np.zeros((1, 8, 8, 3), dtype=np.uint8)
    x[0, 0, 0], x[0, 0, 2] = 2, 6  # means 0.5 and 1.5
    assert box_levels(x)[4][0, 0, :2, 0].tolist() == [0, 2]


def test_files_are_plain_npy(tmp_path):
    x = pictures(5, 16)
    assert write(tmp_path, x[:2], x[2:]) == 5
    assert sorted(path.name for path in tmp_path.iterdir()) == ["r02.npy", "r03.npy", "r04.npy"]
    for side, level in box_levels(x).items():
        np.testing.assert_array_equal(np.load(tmp_path / f"r{side.bit_length() - 1:02}.npy"), level)


def test_reading_by_number(tmp_path):
    x = pictures(5, 16)
    write(tmp_path, x)
    pyramid = Pyramid(tmp_path, 16, 5)
    wanted = np.array([4, 0, 0, 2])
    for side, level in box_levels(x).items():
        np.testing.assert_array_equal(pyramid.read(wanted, side), level[wanted])
    assert pyramid.read(np.array([], dtype=np.int64), 4).shape == (0, 4, 4, 3)


def test_writing_goes_on_after_the_last_complete_picture(tmp_path):
    x = pictures(6, 8)
    with contextlib.closing(PyramidWriter(tmp_path, 8)) as writer:
        writer.append(x[:4])
    with open(tmp_path / "r03.npy", "r+b") as file:  # as if killed while the fourth was being written
        file.truncate(128 + 3 * 192 + 50)
    with contextlib.closing(PyramidWriter(tmp_path, 8)) as writer:
        assert writer.count == 3
    write(tmp_path, x[3:])
    np.testing.assert_array_equal(Pyramid(tmp_path, 8, 6).read(np.arange(6), 8), x)
    np.testing.assert_array_equal(Pyramid(tmp_path, 8, 6).read(np.arange(6), 4), box_levels(x)[4])


@pytest.mark.parametrize("damage", ["remove", "empty", "short", "long", "header"])
def test_damage_is_seen_when_opened(tmp_path, damage):
    write(tmp_path, pictures(3, 8))
    path = tmp_path / "r02.npy"
    data = path.read_bytes()
    changed = {"empty": b"", "short": data[:-1], "long": data + b"\0", "header": b"\x93NUMPY\x02" + data[7:]}
    path.unlink() if damage == "remove" else path.write_bytes(changed[damage])
    with pytest.raises(DataError, match=r"r02\.npy is missing or damaged"):
        Pyramid(tmp_path, 8, 3)


def test_a_file_cut_short_while_in_use_is_an_error_and_not_a_crash(tmp_path):
    write(tmp_path, pictures(300, 8))
    pyramid = Pyramid(tmp_path, 8, 300)
    with open(tmp_path / "r03.npy", "r+b") as file:
        file.truncate(1000)
    with pytest.raises(DataError, match=r"r03\.npy is missing or damaged: start again"):
        pyramid.read(np.array([299]), 8)
    assert pyramid.read(np.array([299]), 4).shape == (1, 4, 4, 3)
