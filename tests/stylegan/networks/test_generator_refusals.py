"""What the generator refuses, each with one sentence."""

import math

import numpy as np
import pytest
import torch

import stylegan
from stylegan import Generator
from stylegan.errors import InputError


def refused(match):
    return pytest.raises(InputError, match=match)


class TestRefusals:
    @pytest.mark.parametrize(
        "z",
        [
            torch.zeros(2, 15),
            torch.zeros(16),
            torch.zeros(1, 1, 16),
            torch.zeros(2, 16, dtype=torch.int64),
            [[0.0] * 16],
        ],
        ids=["width", "1d", "3d", "int", "list"],
    )
    def test_z(self, plain, z):
        with refused(r"z is a float tensor \[N, 16\]"):
            plain.mapping(z)

    @pytest.mark.parametrize(
        "w",
        [
            torch.zeros(2, 16),
            torch.zeros(2, 5, 16),
            torch.zeros(2, 6, 15),
            torch.zeros(2, 6, 16, dtype=torch.bool),
            None,
        ],
        ids=["2d", "layers", "width", "bool", "none"],
    )
    def test_w(self, plain, w):
        with refused(r"w is a float tensor \[N, 6, 16\]"):
            plain.synthesis(w)
        with refused(r"w is a float tensor \[N, 6, 16\]"):
            plain.truncate(w)

    def test_other_devices(self, plain):
        with refused("on cpu like the network, not on meta"):
            plain.mapping(torch.zeros(1, 16, device="meta"))
        with refused("on cpu like the network, not on meta"):
            plain.synthesis(torch.zeros(1, 6, 16, device="meta"))

    @pytest.mark.parametrize("psi", [math.nan, math.inf, -math.inf, "0.7", None, True, 10**400, 1j, torch.tensor(1.0)])
    def test_psi(self, plain, psi):
        with refused("psi is a finite number"):
            plain.truncate(torch.zeros(1, 6, 16), psi)

    @pytest.mark.parametrize("cutoff", [-1, 7, 2.0, "2", True, math.nan])
    def test_cutoff(self, plain, cutoff):
        with refused("cutoff is a number of layers from 0 to 6"):
            plain.truncate(torch.zeros(1, 6, 16), 0.5, cutoff)

    @pytest.mark.parametrize("lod", [-0.1, 2.01, 3, math.nan, math.inf, "0", None, True])
    def test_lod(self, plain, lod):
        with refused("lod is"):
            plain.synthesis(torch.zeros(1, 6, 16), lod=lod)

    @pytest.mark.parametrize("noise", ["", "Stored", None, 0, [], [None] * 5, [None] * 7, torch.zeros(6, 1, 4, 4), {}])
    def test_noise(self, G, noise):
        layers = G.config.num_layers
        with refused(f"noise is 'stored', 'random', 'none', or a list of {layers} tensors"):
            G.synthesis(torch.zeros(1, G.config.num_ws, G.config.w_dim), noise)

    @pytest.mark.parametrize(
        "image",
        [torch.zeros(1, 1, 4, 4), torch.zeros(3, 1, 8, 8), torch.zeros(2, 3, 8, 8), torch.zeros(8, 8), "none", 0.0],
        ids=["size", "batch", "channels", "2d", "text", "number"],
    )
    def test_noise_image(self, plain, image):
        with refused(r"noise of layer 2 is a float tensor \[1 or 2, 1, 8, 8\], or None"):
            plain.synthesis(torch.zeros(2, 6, 16), [None, None, image, None, None, None])

    @pytest.mark.parametrize("rng", [7, "seed", np.random.RandomState(0)])
    def test_rng(self, plain, rng):
        with refused("rng is a torch.Generator on cpu"):
            plain.synthesis(torch.zeros(1, 6, 16), "random", rng=rng)

    @pytest.mark.parametrize("seed", [-1, 2**32, 1.5, "0", True])
    def test_seed(self, plain, seed):
        with refused("A seed is a whole number"):
            Generator(plain.config, seed=seed)

    @pytest.mark.parametrize("config", [{"resolution": 16}, None, 16, stylegan.DiscriminatorConfig(resolution=16)])
    def test_config(self, config):
        with refused("made from a GeneratorConfig"):
            Generator(config)
