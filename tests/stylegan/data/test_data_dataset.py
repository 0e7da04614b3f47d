import contextlib

import numpy as np
import pytest
import torch

from stylegan.data.dataset import Dataset, TrainingData
from stylegan.data.labels import Labels, read_labels
from stylegan.data.pyramid import Pyramid, PyramidWriter, box_levels
from stylegan.errors import DataError, InputError

N = 7


@pytest.fixture
def x():
    return np.random.default_rng(0).integers(0, 256, (N, 16, 16, 3), dtype=np.uint8)


@pytest.fixture
def data(tmp_path, x):
    with contextlib.closing(PyramidWriter(tmp_path, 16)) as writer:
        writer.append(x)
        writer.finish()
    labels = read_labels([f"{'ab'[i % 2]}/{i}.png" for i in range(N)], [], None)
    return Dataset(Pyramid(tmp_path, 16, N), labels, name="test", digest="d", seed=3)


def test_it_is_training_data(data):
    checked: TrainingData = data
    assert (checked.name, checked.resolution, checked.label_dim, checked.digest) == ("test", 16, 2, "d")
    assert len(data) == N
    assert data.class_names == ("a", "b")
    assert data.labels.dtype == torch.float32
    assert data.report is None


@pytest.mark.parametrize("resolution", [16, 8, 4])
def test_pictures_by_number(data, x, resolution):
    for indices in (np.array([6, 0, 0]), torch.tensor([6, 0, 0])):
        got = data.pictures(indices, resolution)
        assert got.dtype == torch.uint8
        np.testing.assert_array_equal(got.numpy(), box_levels(x)[resolution][[6, 0, 0]])


@pytest.mark.parametrize("max_gib", [None, 0.0, 1.0])
@pytest.mark.parametrize("mirror", [False, True])
def test_a_batch_is_what_order_coins_and_labels_say(data, x, mirror, max_gib):
    if max_gib is not None:
        data.to_memory("cpu", max_gib)
    order = data._order
    for resolution in (4, 16, 8):
        pictures, labels = data.batch(5, 40, resolution, mirror)
        expected = box_levels(x)[resolution][order.take(5, 40)]
        flips = order.mirrored(5, 40)
        if mirror:
            expected[flips] = expected[flips, :, ::-1]
            assert 0 < flips.sum() < 40
        np.testing.assert_array_equal(pictures.numpy(), expected.transpose(0, 3, 1, 2))
        assert pictures.is_contiguous()
        assert pictures.dtype == torch.uint8
        assert labels.shape == (40, 2)
        np.testing.assert_array_equal(labels.argmax(1).numpy(), order.take(5, 40) % 2)


def test_a_batch_equals_its_halves(data):
    whole, halves = data.batch(11, 8, 8, True), [data.batch(11, 4, 8, True), data.batch(15, 4, 8, True)]
    for i in (0, 1):
        assert torch.equal(whole[i], torch.cat([half[i] for half in halves]))


def test_the_level_in_use_is_kept_where_it_fits(data):
    data.to_memory("cpu", max_gib=N * 3 * 8 * 8 / 2**30)
    data.pictures([1], 8)
    assert data._resident.shape == (N, 8, 8, 3)
    data.pictures([1], 16)  # too large: read from the file, and what is kept stays
    assert data._resident.shape == (N, 8, 8, 3)
    data.pictures([1], 4)
    assert data._resident.shape == (N, 4, 4, 3)


def test_no_labels(data, tmp_path):
    bare = Dataset(Pyramid(tmp_path, 16, N), Labels.none(N), name="bare", digest="d", seed=3)
    assert bare.label_dim == 0
    assert bare.batch(0, 3, 4, False)[1].shape == (3, 0)
    assert torch.equal(bare.batch(0, 3, 4, True)[0], data.batch(0, 3, 4, True)[0])


def test_wrong_arguments(data):
    for resolution in (2, 12, 32):
        with pytest.raises(InputError, match=f"not {resolution}"):
            data.batch(0, 1, resolution, False)
    for index in (-1, N):
        with pytest.raises(InputError, match="0 to 6"):
            data.pictures([index], 4)


def test_a_file_cut_short_mid_run(data, tmp_path):
    data.batch(0, 4, 8, False)
    with open(tmp_path / "r03.npy", "r+b") as file:
        file.truncate(500)
    with pytest.raises(DataError, match="start again, and it is built anew"):
        data.batch(0, 4, 8, False)
