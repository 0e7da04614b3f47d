import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stylegan.data.sampling import ShuffledIndices
from stylegan.errors import InputError


@given(st.integers(1, 40), st.integers(0, 2**32 - 1), st.integers(0, 10**12))
def test_each_epoch_shows_everything_once(n, seed, epoch):
    indices = ShuffledIndices(n, seed).take(epoch * n, n)
    assert indices.dtype == np.int64
    assert sorted(indices.tolist()) == list(range(n))


@given(st.integers(1, 12), st.integers(0, 100), st.lists(st.integers(1, 30), min_size=1, max_size=6))
def test_a_stream_does_not_depend_on_how_it_is_cut(n, start, counts):
    whole, pieces = ShuffledIndices(n, 5), ShuffledIndices(n, 5)
    starts = [start + sum(counts[:i]) for i in range(len(counts))]
    for read in ("take", "mirrored"):
        once = getattr(whole, read)(start, sum(counts))
        parts = [getattr(pieces, read)(place, count) for place, count in zip(starts, counts, strict=True)]
        np.testing.assert_array_equal(once, np.concatenate(parts))


def test_orders_differ_between_epochs_and_seeds():
    first = ShuffledIndices(1000, 1)
    assert not np.array_equal(first.take(0, 1000), first.take(1000, 1000))
    assert not np.array_equal(first.take(0, 1000), ShuffledIndices(1000, 2).take(0, 1000))
    np.testing.assert_array_equal(first.take(0, 1000), ShuffledIndices(1000, 1).take(0, 1000))


def test_coins_are_fair_and_independent_of_the_order():
    stream = ShuffledIndices(5000, 3)
    coins = stream.mirrored(0, 20_000)
    assert coins.dtype == np.bool_
    assert abs(coins.mean() - 0.5) < 0.015  # four standard deviations
    halves = coins[stream.take(0, 20_000) < 2500]
    assert abs(halves.mean() - 0.5) < 0.02
    assert abs(coins.reshape(4, 5000)[0].astype(float) @ coins.reshape(4, 5000)[1] / 5000 - 0.25) < 0.03


def test_wrong_arguments():
    with pytest.raises(InputError, match="at least one item"):
        ShuffledIndices(0, 1)
    with pytest.raises(InputError, match="seed"):
        ShuffledIndices(3, -1)
    for position, count in ((-1, 1), (0, 0)):
        with pytest.raises(InputError, match="position"):
            ShuffledIndices(3, 0).take(position, count)
