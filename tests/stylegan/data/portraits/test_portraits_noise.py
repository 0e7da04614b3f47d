"""Hashed draws: known values, uniformity, independence of streams, and noise that interpolates its lattice."""

import torch

from stylegan.data.portraits.noise import (
    TABLE_SIZE,
    hash_ids,
    hash_with,
    noise_table,
    normal,
    uniform,
    value_noise,
)


def reference_mix(x: int) -> int:
    for _ in range(2):
        x = ((x ^ (x >> 16)) * 0x45D9F3B) & 0xFFFFFFFF
    return x ^ (x >> 16)


def reference_hash(h: int, key: int) -> int:
    for part in (key & 0xFFFFFFFF, (key >> 32) & 0xFFFFFFFF):
        h = reference_mix((h + 0x9E3779B9 + part) & 0xFFFFFFFF)
    return h


def test_hash_equals_whole_number_arithmetic() -> None:
    keys = [0, 1, 2**31, 2**32 - 1, 2**32, 2**62 + 12345]
    for h in (0, 77, 2**32 - 1):
        got = hash_with(torch.tensor([h] * len(keys)), torch.tensor(keys))
        assert got.tolist() == [reference_hash(h, key) for key in keys]


def test_uniform_draws_are_uniform_and_uncorrelated() -> None:
    u = uniform(hash_ids(0, torch.arange(20_000), 1), 6)
    assert float(u.min()) > 0.0
    assert float(u.max()) < 1.0
    counts = torch.histc(u[:, 0], bins=20, min=0.0, max=1.0)
    assert float(((counts - 1000) ** 2 / 1000).sum()) < 43.8  # chi-square, 19 degrees of freedom, p = 0.001
    off = torch.corrcoef(u.T) - torch.eye(6)
    assert off.abs().max() < 0.03
    neighbours = torch.corrcoef(torch.stack((u[:-1, 0], u[1:, 0])))
    assert abs(float(neighbours[0, 1])) < 0.03


def test_normal_has_the_moments_of_a_normal() -> None:
    g = normal(uniform(hash_ids(5, torch.arange(40_000), 2), 1))[:, 0]
    assert abs(float(g.mean())) < 0.02
    assert abs(float(g.std()) - 1.0) < 0.02
    assert abs(float((g**4).mean()) - 3.0) < 0.15


def test_streams_are_independent() -> None:
    index = torch.arange(5000)
    one, other = (uniform(hash_ids(0, index, stream), 1)[:, 0] for stream in (1, 2))
    assert abs(float(torch.corrcoef(torch.stack((one, other)))[0, 1])) < 0.05


def test_noise_passes_through_its_lattice_and_is_smooth_between() -> None:
    table = noise_table(hash_ids(0, torch.arange(2), 3))
    x, y = torch.tensor([[3.0, 10.0]] * 2), torch.tensor([[7.0, 62.0]] * 2)
    at_lattice = value_noise(table, x, y)
    assert torch.allclose(at_lattice[1, :, 1], table[1, :, 62, 10], atol=1e-4)
    middle = value_noise(table, x + 0.5, y)
    expected = 0.5 * (table[0, :, 7, 3] + table[0, :, 7, 4])
    assert torch.allclose(middle[0, :, 0], expected, atol=1e-4)


def test_noise_repeats_with_the_table() -> None:
    table = noise_table(hash_ids(0, torch.arange(1), 3))
    x, y = torch.tensor([[2.3, 63.5]]), torch.tensor([[1.0, 4.7]])
    assert torch.allclose(value_noise(table, x, y), value_noise(table, x - TABLE_SIZE, y + 2 * TABLE_SIZE), atol=1e-4)
    assert not torch.allclose(value_noise(table, x, y), value_noise(table, x + 1.0, y), atol=0.1)
    just_before, just_after = (value_noise(table, x.new_full((1, 1), at), y[:, :1]) for at in (-1e-3, 1e-3))
    assert torch.allclose(just_before, just_after, atol=1e-3)
