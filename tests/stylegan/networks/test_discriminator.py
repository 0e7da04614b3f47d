"""Properties of the discriminator, and what it refuses."""

import copy
import math

import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck

from stylegan import Discriminator, DiscriminatorConfig, GeneratorConfig
from stylegan.errors import InputError

TINY = {"resolution": 16, "fmap_base": 64, "fmap_max": 8}
VARIANTS = {
    "plain": {},
    "labels": {"label_dim": 3},
    "extras": {"nonlinearity": "relu", "blur_filter": (), "image_channels": 1, "fmap_decay": 0.7, "mbstd_features": 2},
    "no_mbstd": {"mbstd_group_size": 0},
}


def lively(D):
    rng = torch.Generator().manual_seed(9)
    with torch.no_grad():
        for name, tensor in D.state_dict().items():
            if "bias" in name:
                tensor.add_(torch.randn(tensor.shape, generator=rng) * 0.5)
    return D.eval().requires_grad_(False)


@pytest.fixture(params=VARIANTS)
def D(request):
    return lively(Discriminator(DiscriminatorConfig(**TINY, **VARIANTS[request.param])))


@pytest.fixture
def plain():
    return lively(Discriminator(DiscriminatorConfig(**TINY)))


def draw(D, count=4, size=16, dtype=torch.float32):
    shape = (count, D.config.image_channels, size, size)
    return torch.randn(shape, generator=torch.Generator().manual_seed(3), dtype=torch.float64).to(dtype)


def some_labels(D, count=4, dtype=torch.float32):
    return torch.eye(3, dtype=dtype)[torch.arange(count) % 3] if D.config.label_dim else None


class TestProperties:
    @pytest.mark.parametrize("count", [1, 2, 3, 4, 8])
    def test_one_score_a_picture(self, D, count):
        scores = D(draw(D, count), some_labels(D, count))
        assert scores.shape == (count, 1)
        assert torch.isfinite(scores).all()
        assert count == 1 or scores.std() > 1e-4

    def test_without_minibatch_std_a_batch_is_its_pictures(self):
        D = lively(Discriminator(DiscriminatorConfig(**TINY, mbstd_group_size=1))).double()
        x = draw(D, 5, dtype=torch.float64)
        torch.testing.assert_close(D(x), torch.cat([D(one[None]) for one in x]), atol=1e-10, rtol=1e-10)

    def test_minibatch_std_groups_interleave(self, plain):
        """Eight pictures are two groups: {0, 2, 4, 6} and {1, 3, 5, 7}, each scored as if alone."""
        plain.double()
        x = draw(plain, 8, dtype=torch.float64)
        scores = plain(x)
        torch.testing.assert_close(scores[0::2], plain(x[0::2]), atol=1e-10, rtol=1e-10)
        torch.testing.assert_close(scores[1::2], plain(x[1::2]), atol=1e-10, rtol=1e-10)
        assert not torch.allclose(scores[:4], plain(x[:4]))

    def test_scoring_changes_nothing(self, D):
        state, rng = copy.deepcopy(D.state_dict()), torch.get_rng_state()
        x = draw(D)
        before = x.clone()
        for lod in (0.0, 0.5, 1.0):
            D(x, some_labels(D), lod=lod)
        assert torch.equal(x, before)
        assert torch.equal(rng, torch.get_rng_state())
        assert all(torch.equal(state[name], tensor) for name, tensor in D.state_dict().items())

    def test_memory_format_and_mode_play_no_part(self, D):
        x, labels = draw(D), some_labels(D)
        scores = D(x, labels)
        assert torch.equal(D(x.contiguous(memory_format=torch.channels_last), labels), scores)
        assert torch.equal(D.train()(x, labels), scores)

    def test_float64(self, D):
        labels = some_labels(D)
        single = D(draw(D), labels)
        double = D.double()(draw(D, dtype=torch.float64), labels)
        assert double.dtype == torch.float64
        torch.testing.assert_close(double.float(), single, atol=1e-5, rtol=1e-4)

    def test_autocast(self, D):
        x, labels = draw(D), some_labels(D)
        exact = D(x, labels, lod=0.5)
        with torch.autocast("cpu", torch.bfloat16):
            assert (D(x, labels, lod=0.5).float() - exact).abs().max() < 0.05 * exact.abs().max()

    def test_twice_differentiable(self, D):
        """R1 needs the gradient of the gradient."""
        D.double()
        labels = some_labels(D, 2, torch.float64)
        x = draw(D, 2, dtype=torch.float64).requires_grad_()
        assert gradcheck(lambda x: D(x, labels, lod=0.3), x, fast_mode=True)
        assert gradgradcheck(lambda x: D(x, labels, lod=0.3), x, fast_mode=True)

    def test_gradients_reach_every_parameter(self, D):
        D.requires_grad_(True)
        scores = sum(D(draw(D), some_labels(D), lod=lod) for lod in (0.0, 0.5, 1.5))
        scores.square().mean().backward()
        for name, parameter in D.named_parameters():
            assert parameter.grad is not None, name
            assert torch.isfinite(parameter.grad).all(), name

    def test_a_change_of_weights_is_seen(self, D):
        x, labels = draw(D), some_labels(D)
        before = D(x, labels)
        for parameter in D.blocks[1].parameters():
            parameter.mul_(-0.5)
        after = D(x, labels)
        assert not torch.equal(before, after)
        assert torch.equal(after, copy.deepcopy(D)(x, labels))


class TestSizes:
    def test_parameters_are_the_papers(self):
        with torch.device("meta"):
            D = Discriminator(DiscriminatorConfig(), seed=None)
        assert sum(p.numel() for p in D.parameters()) == 23_087_249

    @pytest.mark.parametrize("resolution", [8, 32, 64, 128])
    def test_every_resolution(self, resolution):
        D = Discriminator(DiscriminatorConfig(resolution=resolution, fmap_base=32, fmap_max=4))
        for lod in range(D.config.max_lod + 1):
            assert D(torch.zeros(1, 3, resolution, resolution), lod=lod).shape == (1, 1)

    def test_fresh_networks_differ_by_seed_only(self):
        config = DiscriminatorConfig(**TINY)
        a, b, c = (Discriminator(config, seed=s).state_dict() for s in (1, 1, 2))
        assert all(torch.equal(a[name], b[name]) for name in a)
        assert any(not torch.equal(a[name], c[name]) for name in a)


class TestLod:
    def test_small_pictures_are_repeated_ones(self, D):
        """At lod ≥ 1 it looks at R/2^⌊lod⌋, which may come at that size or repeated to R."""
        for lod, size in ((1.0, 8), (1.6, 8), (2.0, 4)):
            small = draw(D, size=size)
            large = small.repeat_interleave(16 // size, 2).repeat_interleave(16 // size, 3)
            torch.testing.assert_close(
                D(small, some_labels(D), lod=lod), D(large, some_labels(D), lod=lod), atol=1e-5, rtol=1e-5
            )

    def test_continuous_at_whole_levels(self, D):
        x, labels = draw(D), some_labels(D)
        for lod in (1.0, 2.0):
            torch.testing.assert_close(D(x, labels, lod=lod - 1e-6), D(x, labels, lod=lod), atol=1e-4, rtol=1e-3)
        torch.testing.assert_close(D(x, labels, lod=1e-6), D(x, labels), atol=1e-4, rtol=1e-3)

    def test_fine_detail_is_not_seen_at_coarse_levels(self, plain):
        x = draw(plain)
        detail = torch.tensor([[1.0, -1], [-1, 1]]).repeat(8, 8)  # 2×2 means are 0
        torch.testing.assert_close(plain(x + detail, lod=1.0), plain(x, lod=1.0), atol=1e-5, rtol=1e-5)
        assert not torch.allclose(plain(x + detail, lod=0.9), plain(x, lod=0.9), atol=1e-3)


def test_labels_pick_a_score():
    D = lively(Discriminator(DiscriminatorConfig(**TINY, label_dim=3)))
    x = draw(D)
    columns = torch.cat([D(x, torch.eye(3)[i].expand(4, 3)) for i in range(3)], dim=1)
    assert not torch.allclose(columns[:, 0], columns[:, 1])
    torch.testing.assert_close(D(x, torch.ones(4, 3)), columns.sum(1, keepdim=True))
    assert torch.equal(D(x), torch.zeros(4, 1))


class TestRefusals:
    @pytest.mark.parametrize(
        "x",
        [
            torch.zeros(2, 3, 8, 8),
            torch.zeros(2, 1, 16, 16),
            torch.zeros(3, 16, 16),
            torch.zeros(2, 3, 16, 8),
            torch.zeros(0, 3, 16, 16),
            torch.zeros(2, 3, 16, 16, dtype=torch.uint8),
            [[0.0]],
        ],
        ids=["size", "channels", "3d", "oblong", "empty", "uint8", "list"],
    )
    def test_pictures(self, plain, x):
        with pytest.raises(InputError, match=r"images is a float tensor \[N, 3, 16, 16\]"):
            plain(x)

    def test_small_pictures_of_another_level(self, plain):
        with pytest.raises(InputError, match=r"\[N, 3, 16, 16\] or \[N, 3, 8, 8\], not float32 \[1, 3, 4, 4\]"):
            plain(torch.zeros(1, 3, 4, 4), lod=1.5)

    def test_batches_that_do_not_group(self, plain):
        with pytest.raises(InputError, match="groups of 4 pictures: 6 is not a multiple"):
            plain(torch.zeros(6, 3, 16, 16))

    @pytest.mark.parametrize("lod", [-1, 2.5, math.nan, "1", None])
    def test_lod(self, plain, lod):
        with pytest.raises(InputError, match="lod is"):
            plain(torch.zeros(1, 3, 16, 16), lod=lod)

    def test_labels(self, plain):
        with pytest.raises(InputError, match="no classes"):
            plain(torch.zeros(1, 3, 16, 16), torch.zeros(1, 3))
        D = Discriminator(DiscriminatorConfig(**TINY, label_dim=3))
        for wrong in (torch.zeros(1, 2), torch.zeros(2, 3), torch.zeros(3), torch.zeros(1, 3).int(), [0]):
            with pytest.raises(InputError, match=r"labels is a float tensor \[1, 3\]"):
                D(torch.zeros(1, 3, 16, 16), wrong)

    @pytest.mark.parametrize("seed", [-1, 2**32, 0.5, "0"])
    def test_seed(self, plain, seed):
        with pytest.raises(InputError, match="A seed is a whole number"):
            Discriminator(plain.config, seed=seed)

    @pytest.mark.parametrize("config", [{}, None, GeneratorConfig(resolution=16)])
    def test_config(self, config):
        with pytest.raises(InputError, match="made from a DiscriminatorConfig"):
            Discriminator(config)
