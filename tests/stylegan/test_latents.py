"""Free functions on latents: closed forms, properties, the official slerp."""

import math

import pytest
import torch

from stylegan.errors import InputError
from stylegan.latents import bands, mix, slerp, truncate


def draw(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


class TestTruncate:
    def test_layers_and_ends(self):
        w, mean = draw(2, 6, 4), draw(4, seed=1)
        assert torch.equal(truncate(w, mean, 1, 6), w)
        assert torch.equal(truncate(w, mean, 0.5, 0), w)
        out = truncate(w, mean, -0.5, 2)
        torch.testing.assert_close(out[:, :2], mean - 0.5 * (w[:, :2] - mean))
        assert torch.equal(out[:, 2:], w[:, 2:])

    def test_twice_is_the_product(self):
        w, mean = draw(1, 3, 4), draw(4, seed=1)
        torch.testing.assert_close(truncate(truncate(w, mean, 0.5, 3), mean, 0.6, 3), truncate(w, mean, 0.3, 3))


class TestMix:
    def test_whole_layers(self):
        w, source = draw(2, 6, 4), draw(2, 6, 4, seed=1)
        out = mix(w, source, [0, 4])
        assert torch.equal(out[:, [0, 4]], source[:, [0, 4]])
        assert torch.equal(out[:, [1, 2, 3, 5]], w[:, [1, 2, 3, 5]])
        assert torch.equal(mix(w, source, []), w)
        assert torch.equal(mix(w, source, list(range(6))), source)

    def test_in_part_and_beyond(self):
        w, source = draw(2, 3, 4), draw(1, 3, 4, seed=1)  # one source for all
        for amount in (0.25, -1.0, 1.5):
            out = mix(w, source, [1], amount)
            torch.testing.assert_close(out[:, 1], w[:, 1] + amount * (source[:, 1] - w[:, 1]))
        assert torch.equal(mix(w, source, [1], 0), w)

    def test_arguments_stay_as_they_are(self):
        w, source = draw(1, 3, 4), draw(1, 3, 4, seed=1)
        kept = w.clone(), source.clone()
        mix(w, source, [0, 1], 0.5).zero_()
        assert torch.equal(w, kept[0])
        assert torch.equal(source, kept[1])

    @pytest.mark.parametrize("shape", [(2, 5, 4), (2, 6, 3), (3, 6, 4), (6, 4)])
    def test_refuses_shapes(self, shape):
        with pytest.raises(InputError, match=r"Both latents are \[N, L, w_dim\]"):
            mix(draw(2, 6, 4), draw(*shape), [0])

    @pytest.mark.parametrize("layer", [-1, 6, 0.0, True, "0", None])
    def test_refuses_layers(self, layer):
        with pytest.raises(InputError, match="Layers are from 0 to 5"):
            mix(draw(2, 6, 4), draw(2, 6, 4), [0, layer])

    @pytest.mark.parametrize("amount", [math.nan, math.inf, "1", None, True])
    def test_refuses_amounts(self, amount):
        with pytest.raises(InputError, match="amount is a finite number"):
            mix(draw(2, 6, 4), draw(2, 6, 4), [0], amount)


class TestSlerp:
    def test_the_official_one(self, golden):
        data = golden("sg1_misc")
        out = slerp(data["slerp/a"], data["slerp/b"], data["slerp/t"])
        torch.testing.assert_close(out, data["slerp/out"], atol=1e-6, rtol=1e-5)

    def test_ends_and_length(self):
        a, b = draw(5, 8), draw(5, 8, seed=1)
        unit = a / a.norm(dim=1, keepdim=True), b / b.norm(dim=1, keepdim=True)
        torch.testing.assert_close(slerp(a, b, 0.0), unit[0])
        torch.testing.assert_close(slerp(a, b, 1.0), unit[1])
        torch.testing.assert_close(slerp(a, b, 0.3).norm(dim=1), torch.ones(5, dtype=torch.float64))

    def test_angles_grow_evenly(self):
        a, b = draw(8), draw(8, seed=1)
        whole = torch.acos((slerp(a, b, 0.0) * slerp(a, b, 1.0)).sum())
        for t in (0.25, 0.5, 0.9):
            torch.testing.assert_close(torch.acos((slerp(a, b, 0.0) * slerp(a, b, t)).sum()), t * whole)

    def test_equal_ends_stay(self):
        a = draw(3, 8)
        torch.testing.assert_close(slerp(a, 2 * a, 0.5), a / a.norm(dim=1, keepdim=True), atol=1e-7, rtol=0)
        assert torch.isfinite(slerp(torch.zeros(8), torch.zeros(8), 0.5)).all()


@pytest.mark.parametrize(
    ("layers", "sizes"),
    [(18, (4, 4, 10)), (10, (4, 4, 2)), (8, (4, 4, 0)), (6, (4, 2, 0)), (4, (4, 0, 0)), (1, (1, 0, 0))],
)
def test_bands_are_resolutions(layers, sizes):
    found = bands(layers)
    assert list(found) == ["coarse", "middle", "fine"]
    assert tuple(map(len, found.values())) == sizes
    assert [i for band in found.values() for i in band] == list(range(layers))
