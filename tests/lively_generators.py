"""Generators in miniature whose every weight has a say, for the tests of the networks."""

import torch

import stylegan

TINY = {"resolution": 16, "fmap_base": 64, "fmap_max": 8, "z_dim": 16, "w_dim": 16, "mapping_fmaps": 16}


def lively(G):
    """Weights that a fresh network leaves at zero, drawn: noise, biases, the constant, w̄."""
    rng = torch.Generator().manual_seed(9)
    with torch.no_grad():
        for name, tensor in G.state_dict().items():
            if name.endswith(("bias", "noise_strength")) or name in ("w_mean", "synth.const"):
                tensor.add_(torch.randn(tensor.shape, generator=rng) * 0.5)
    return G.eval().requires_grad_(False)


def draw_w(G, count=3):
    z = stylegan.seeds_to_z(range(count), G.config.z_dim)
    w = G.mapping(z)
    return torch.lerp(w, w.flip(0), torch.linspace(0, 0.5, w.shape[1]).to(w)[:, None]).contiguous()  # layers differ
