"""Properties of the generator."""

import copy
import math

import numpy as np
import pytest
import torch
from lively_generators import TINY, draw_w, lively

import stylegan
from stylegan import Generator, GeneratorConfig, generator_preset, ops
from stylegan.errors import InputError


class TestProperties:
    def test_shapes(self, G):
        w = draw_w(G)
        assert w.shape == (3, G.config.num_ws, G.config.w_dim)
        x = G.synthesis(w)
        assert x.shape == (3, G.config.image_channels, 16, 16)
        assert x.dtype == torch.float32
        assert torch.isfinite(x).all()
        assert x.std() > 0.01

    def test_batch_of_n_is_n_of_one(self, G):
        w = draw_w(G.double())
        each = G.noise_images("random", 3)
        for options in ({"noise": "stored"}, {"noise": "none"}, {"noise": each, "lod": 1.3}):
            batch = G.synthesis(w, **options)
            for i in range(3):
                one = {**options}
                if options["noise"] is each:
                    one["noise"] = [None if n is None else n[i : i + 1] for n in each]
                torch.testing.assert_close(G.synthesis(w[i : i + 1], **one)[0], batch[i], atol=1e-9, rtol=1e-9)
        z = stylegan.seeds_to_z([5, 6], G.config.z_dim)
        torch.testing.assert_close(G.mapping(z[:1])[0], G.mapping(z)[0], atol=1e-12, rtol=1e-12)

    def test_rendering_changes_nothing(self, G):
        state = copy.deepcopy(G.state_dict())
        attributes = {name: set(vars(module)) for name, module in G.named_modules()}
        rng = torch.get_rng_state()
        w = draw_w(G)
        w_before = w.clone()
        noise = G.noise_images("random", 3)
        noise_before = copy.deepcopy(noise)
        for mode in ("stored", "random", "none", noise):
            for grad in (torch.no_grad, torch.enable_grad, torch.inference_mode):
                with grad():
                    G.synthesis(G.truncate(w, 0.5, None), mode, lod=0.4)
        assert torch.equal(rng, torch.get_rng_state())
        assert torch.equal(w, w_before)
        assert all(a is b is None or torch.equal(a, b) for a, b in zip(noise, noise_before, strict=True))
        assert all(torch.equal(state[name], tensor) for name, tensor in G.state_dict().items())
        assert attributes == {name: set(vars(module)) for name, module in G.named_modules()}

    def test_same_call_same_bits(self, G):
        w = draw_w(G)
        assert torch.equal(draw_w(G), w)
        assert torch.equal(G.synthesis(w), G.synthesis(w))

    def test_prefix_resumption_is_the_full_pass_bit_for_bit(self, G):
        w, noise = draw_w(G), G.noise_images("stored", 3)
        full = [x.clone() for x in G.synth.activations(w, noise)]
        assert len(full) == G.config.num_layers
        for k in range(1, len(full)):
            kept = full[k - 1].clone()
            rest = list(G.synth.activations(w, noise, first=k, x=full[k - 1]))
            assert torch.equal(full[k - 1], kept)
            assert all(torch.equal(a, b) for a, b in zip(rest, full[k:], strict=True))
        assert torch.equal(G.synth.to_rgb[-1](full[-1]), G.synthesis(w))

    def test_activations_stay_as_they_were_yielded(self, G):
        w, noise = draw_w(G, 1), G.noise_images("stored", 1)
        copies = []
        live = []
        for x in G.synth.activations(w, noise):
            live.append(x)
            copies.append(x.clone())
        assert all(torch.equal(a, b) for a, b in zip(live, copies, strict=True))

    def test_with_and_without_gradients_agree(self, G):
        w = draw_w(G)
        recorded = G.synthesis(w.clone().requires_grad_())
        assert recorded.requires_grad
        torch.testing.assert_close(recorded.detach(), G.synthesis(w), atol=2e-5, rtol=1e-5)

    def test_training_and_eval_mode_agree(self, G):
        w = draw_w(G)
        evaluated = G.synthesis(w)
        assert torch.equal(G.train().synthesis(w), evaluated)

    def test_gradients_reach_every_parameter(self, G):
        G.requires_grad_(True)
        labels = G.one_hot([0, 1, 2]) if G.config.label_dim else None
        w = G.mapping(stylegan.seeds_to_z(range(3), G.config.z_dim), labels)
        pictures = G.synthesis(w) + G.synthesis(w, lod=0.5) + G.synthesis(w, lod=1.5)
        pictures.square().mean().backward()
        for name, parameter in G.named_parameters():
            assert parameter.grad is not None, name
            assert torch.isfinite(parameter.grad).all(), name

    def test_float64(self, G):
        w = draw_w(G)
        single = G.synthesis(w)
        double = G.double().synthesis(w)  # w comes to the network's dtype
        assert double.dtype == torch.float64
        torch.testing.assert_close(double.float(), single, atol=1e-4, rtol=1e-4)
        assert G.mapping(stylegan.seeds_to_z([0], G.config.z_dim)).dtype == torch.float64

    def test_autocast(self, G):
        """As in training in bfloat16: about the same picture, with and without gradients, from weights kept or not."""
        w = draw_w(G)
        exact = G.synthesis(w, lod=0.5)
        for mode in (False, True):
            for grad in (torch.no_grad, torch.enable_grad):
                with grad(), torch.autocast("cpu", torch.bfloat16):
                    x = G.train(mode).requires_grad_(mode).synthesis(w, lod=0.5)
                assert (x.float() - exact).abs().mean() < 0.05 * exact.abs().mean()

    def test_no_pictures(self, G):
        w = draw_w(G)[:0]
        assert G.synthesis(w).shape == (0, G.config.image_channels, 16, 16)

    def test_fresh_networks_differ_by_seed_only(self, G):
        a, b, c = (Generator(G.config, seed=s).state_dict() for s in (1, 1, 2))
        assert all(torch.equal(a[name], b[name]) for name in a)
        assert any(not torch.equal(a[name], c[name]) for name in a)
        assert not any(p.is_inference() for p in Generator(G.config).parameters())


class TestSizes:
    COUNTS = {"b": 23_079_115, "c": 30_400_651, "d": 26_214_539, "e": 26_219_627, "f": 26_219_627}  # noqa: RUF012

    @pytest.mark.parametrize("preset", "bcdef")
    def test_parameters_are_the_papers(self, preset):
        with torch.device("meta"):
            G = Generator(generator_preset(preset), seed=None)
        assert sum(p.numel() for p in G.parameters()) == self.COUNTS[preset]

    @pytest.mark.parametrize("resolution", [8, 16, 32, 64, 128])
    def test_every_resolution(self, resolution):
        config = GeneratorConfig(resolution=resolution, fmap_base=32, fmap_max=4, z_dim=4, w_dim=4, mapping_fmaps=4)
        G = Generator(config).eval()
        with torch.no_grad():
            w = G.mapping(stylegan.seeds_to_z([0], 4))
            assert w.shape[1] == config.num_layers == 2 * int(math.log2(resolution)) - 2
            assert G.synthesis(w).shape[2:] == (resolution, resolution)
            for lod in range(config.max_lod + 1):
                assert G.synthesis(w, lod=lod, full_size=False).shape[2:] == (resolution >> lod, resolution >> lod)

    def test_large_pictures_in_bands_are_the_same(self):
        """At 1024² the last layers go through in bands; with gradients they do not."""
        G = lively(Generator(GeneratorConfig(**{**TINY, "resolution": 1024, "fmap_base": 8192})))
        w = draw_w(G, 1)
        torch.testing.assert_close(
            G.synthesis(w), G.synthesis(w.clone().requires_grad_()).detach(), atol=1e-4, rtol=1e-4
        )


class TestLod:
    def test_zero_shares_and_whole_levels(self, G):
        w = draw_w(G)
        at = {lod: G.synthesis(w, lod=lod) for lod in (0.0, 1e-7, 0.5, 1.0, 1.25, 2.0)}
        assert all(x.shape == at[0.0].shape for x in at.values())
        torch.testing.assert_close(at[1e-7], at[0.0], atol=1e-5, rtol=0)
        blocks = at[2.0].unfold(2, 4, 4).unfold(3, 4, 4)
        assert torch.equal(blocks, blocks[..., :1, :1].expand_as(blocks))

    def test_the_blend_is_linear_between_levels(self, G):
        w = draw_w(G)
        for k in (0, 1):
            fine, coarse = (G.synthesis(w, lod=float(lod)) for lod in (k, k + 1))
            for f in (0.25, 0.8):
                torch.testing.assert_close(G.synthesis(w, lod=k + f), torch.lerp(fine, coarse, f), atol=1e-5, rtol=1e-5)

    def test_small_pictures_are_the_large_ones_unrepeated(self, G):
        w = draw_w(G)
        small = G.synthesis(w, lod=1.5, full_size=False)
        assert small.shape[2:] == (8, 8)
        assert torch.equal(ops.upsample(small, 2), G.synthesis(w, lod=1.5))

    def test_finer_layers_play_no_part(self, plain):
        w = draw_w(plain)
        before = plain.synthesis(w, lod=1.0)
        changed = w.clone()
        changed[:, 4:] = 0  # layers of 16²
        assert torch.equal(plain.synthesis(changed, lod=1.0), before)
        assert not torch.equal(plain.synthesis(changed, lod=0.99), plain.synthesis(w, lod=0.99))


class TestNoise:
    def test_kinds(self, plain):
        w = draw_w(plain)
        none, stored = plain.synthesis(w, "none"), plain.synthesis(w, "stored")
        assert not torch.equal(none, stored)
        assert torch.equal(plain.synthesis(w, [None] * 6), none)
        assert torch.equal(plain.synthesis(w, plain.noise_images("stored", 3)), stored)
        zeros = [torch.zeros(1, 1, s, s) for s in (4, 4, 8, 8, 16, 16)]
        torch.testing.assert_close(plain.synthesis(w, zeros), none, atol=1e-5, rtol=0)

    def test_random_comes_from_its_own_generator(self, plain):
        w = draw_w(plain)
        a, b, c = (plain.synthesis(w, "random", rng=torch.Generator().manual_seed(s)) for s in (1, 1, 2))
        assert torch.equal(a, b)
        assert not torch.equal(a, c)
        assert not torch.equal(plain.synthesis(w, "random"), plain.synthesis(w, "random"))
        images = plain.noise_images("random", 3, torch.Generator().manual_seed(1))
        assert [tuple(n.shape) for n in images] == [(3, 1, s, s) for s in (4, 4, 8, 8, 16, 16)]
        assert torch.equal(plain.synthesis(w, images), a)

    def test_strength_zero_ignores_noise(self, plain):
        for layer in plain.synth.layers:
            layer.noise_strength.zero_()
        w = draw_w(plain)
        torch.testing.assert_close(plain.synthesis(w, "random"), plain.synthesis(w, "none"))

    def test_one_noise_image_alone(self, plain):
        """Noise of layer k alters that layer and later ones only."""
        w = draw_w(plain, 1)
        still: list = [None] * 6
        noisy = [*still[:3], torch.ones(1, 1, 8, 8) * torch.arange(8.0), *still[4:]]
        a, b = (list(plain.synth.activations(w, n)) for n in (still, noisy))
        assert [torch.equal(x, y) for x, y in zip(a, b, strict=True)] == [True] * 3 + [False] * 3


class TestTruncation:
    def test_closed_forms(self, G):
        w, mean = draw_w(G), G.w_mean
        assert torch.equal(G.truncate(w, 1.0), w)
        assert torch.equal(G.truncate(w, 0.3, 0), w)
        torch.testing.assert_close(G.truncate(w, 0.0), mean.expand_as(w))
        torch.testing.assert_close(G.truncate(w, -1.0), 2 * mean - w)
        torch.testing.assert_close(G.truncate(w, 2.5), mean + 2.5 * (w - mean))
        cut = G.truncate(w, 0.7, 1)
        torch.testing.assert_close(cut[:, :1], mean + 0.7 * (w[:, :1] - mean))
        assert torch.equal(cut[:, 1:], w[:, 1:])

    def test_numpy_numbers_are_numbers(self, plain):
        w = draw_w(plain)
        assert torch.equal(plain.truncate(w, np.float32(0.5), np.int64(2)), plain.truncate(w, 0.5, 2))

    def test_forward_is_the_three_steps(self, plain):
        z = stylegan.seeds_to_z([3, 4], 16)
        steps = plain.synthesis(plain.truncate(plain.mapping(z), 0.6, 4))
        assert torch.equal(plain(z, psi=0.6, cutoff=4), steps)


class TestLabels:
    @pytest.fixture
    def conditional(self):
        return lively(Generator(GeneratorConfig(**TINY, mapping_layers=2, label_dim=3)))

    def test_none_is_zeros_and_classes_differ(self, conditional):
        z = stylegan.seeds_to_z([1, 1, 1], 16)
        assert torch.equal(conditional.mapping(z), conditional.mapping(z, torch.zeros(3, 3)))
        w = conditional.mapping(z, conditional.one_hot([0, 1, 2]))
        assert not torch.allclose(w[0], w[1])
        assert not torch.allclose(w[1], w[2])

    def test_one_hot(self, conditional, plain):
        assert torch.equal(conditional.one_hot([2, 0]), torch.tensor([[0.0, 0, 1], [1, 0, 0]]))
        assert conditional.one_hot([]).shape == (0, 3)
        for wrong in ([3], [-1], [True], [0.5], ["a"]):
            with pytest.raises(InputError, match="from 0 to 2"):
                conditional.one_hot(wrong)
        with pytest.raises(InputError, match="not known"):
            plain.one_hot([0])

    def test_refusals(self, conditional, plain):
        z = stylegan.seeds_to_z([1, 2], 16)
        for wrong in (
            torch.zeros(1, 3),
            torch.zeros(2, 4),
            torch.zeros(2),
            torch.zeros(2, 3, dtype=torch.int64),
            [1, 0],
        ):
            with pytest.raises(InputError, match="labels"):
                conditional.mapping(z, wrong)
        for wrong in (torch.zeros(2, 3), [1], 0):
            with pytest.raises(InputError, match="no classes"):
                plain.mapping(z, wrong)
        assert torch.equal(plain.mapping(z, torch.zeros(2, 0)), plain.mapping(z))
