"""The kernels that inference keeps between calls follow the weights."""

import copy

import pytest
import torch
from lively_generators import draw_w

from stylegan import Generator
from stylegan.networks.layers import EqualizedWeight


class TestPreparedWeights:
    """The kernels that inference keeps between calls follow the weights."""

    @pytest.fixture
    def drawn(self, plain):
        self.w = draw_w(plain)
        self.before = plain.synthesis(self.w)
        return plain

    def fresh(self, G):
        """The picture as a network draws it that has kept nothing."""
        return copy.deepcopy(G).synthesis(self.w)

    def test_kept_in_eval_mode_only(self, drawn):
        weights = [m for m in drawn.synth.modules() if isinstance(m, EqualizedWeight)]
        used = [m for m in weights if m._prepared is not None]
        assert len(used) == 5 + 6 + 1  # convolutions, styles, the last ToRGB
        kernels = [m._prepared[2] for m in used]
        drawn.synthesis(self.w)
        assert all(m._prepared[2] is k for m, k in zip(used, kernels, strict=True))
        drawn.train()
        drawn.synthesis(self.w)
        assert all(m._prepared is None for m in weights)

    @pytest.mark.parametrize("index", range(1, 6))
    def test_a_change_in_place_is_seen(self, drawn, index):
        with torch.no_grad():
            drawn.synth.layers[index].conv.weight.mul_(torch.linspace(0.5, 1, 3))
        after = drawn.synthesis(self.w)
        assert not torch.equal(after, self.before)
        assert torch.equal(after, self.fresh(drawn))

    def test_loaded_weights_are_seen(self, drawn):
        other = Generator(drawn.config, seed=5)
        drawn.load_state_dict(other.state_dict())
        assert torch.equal(drawn.synthesis(self.w), other.eval().synthesis(self.w))

    def test_assigned_weights_are_seen(self, drawn):
        other = Generator(drawn.config, seed=5)
        drawn.load_state_dict(other.state_dict(), assign=True)
        assert torch.equal(drawn.synthesis(self.w), other.eval().synthesis(self.w))

    def test_other_dtypes_are_seen(self, drawn):
        assert drawn.double().synthesis(self.w).dtype == torch.float64
        torch.testing.assert_close(drawn.float().synthesis(self.w), self.before)

    def test_moving_averages_are_seen(self, drawn):
        other = list(Generator(drawn.config, seed=5).parameters())
        with torch.no_grad():
            torch._foreach_lerp_(list(drawn.parameters()), other, 0.5)
        after = drawn.synthesis(self.w)
        assert not torch.equal(after, self.before)
        assert torch.equal(after, self.fresh(drawn))

    def test_a_copy_starts_anew(self, drawn):
        """Its weights count their versions from 0: kept kernels could otherwise pass for current."""
        twin = copy.deepcopy(drawn)
        versions = [p._version for p in drawn.parameters()]
        with torch.no_grad():
            for parameter, version in zip(twin.parameters(), versions, strict=True):
                while parameter._version < version:
                    parameter.add_(0.1)
        other = Generator(drawn.config, seed=None)
        other.load_state_dict(twin.state_dict())
        assert torch.equal(twin.synthesis(self.w), other.eval().synthesis(self.w))

    def test_a_network_made_in_inference_mode(self, drawn):
        with torch.inference_mode():
            G = Generator(drawn.config)
            G.load_state_dict(drawn.state_dict())
            assert torch.equal(G.eval().synthesis(self.w), self.before)
            G.synth.layers[3].conv.weight.mul_(-1)
            assert not torch.equal(G.synthesis(self.w), self.before)
        G.requires_grad_(True)
        G.synthesis(self.w).mean().backward()

    def test_weights_that_count_nothing_are_not_kept(self, drawn):
        with torch.inference_mode():
            moved = copy.deepcopy(drawn).to(torch.float64).to(torch.float32)
            if not moved.synth.layers[3].conv.weight.is_inference():
                moved.synth.layers[3].conv.weight = torch.nn.Parameter(
                    moved.synth.layers[3].conv.weight.clone(), requires_grad=False
                )
            assert moved.synth.layers[3].conv.weight.is_inference()
            before = moved.synthesis(self.w)
            moved.synth.layers[3].conv.weight.mul_(-1)
            assert not torch.equal(moved.synthesis(self.w), before)
