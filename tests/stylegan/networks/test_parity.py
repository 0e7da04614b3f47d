"""The networks against the official implementation's numbers (tests/golden)."""

import pytest
import recipe
import torch
from official_networks import recipe_discriminator, recipe_generator

FILES = ["sg1_tiny32", "sg1_tiny32_cond", "sg1_b_res128_outputs"]
W_TOL = {"atol": 6e-6, "rtol": 1e-5}
IMAGE_TOL = {"atol": 3e-4, "rtol": 0.0}
SCORE_TOL = {"atol": 3e-6, "rtol": 3e-6}


@pytest.fixture(scope="module", params=FILES)
def case(request, golden):
    data = golden(request.param)
    G = recipe_generator(data.meta["config"], data.meta["gs_seed"]).requires_grad_(False)
    D = recipe_discriminator(data.meta["config"], data.meta["d_seed"]).requires_grad_(False)
    n, config = 4, G.config
    z = torch.from_numpy(recipe.latents(n, config.z_dim))
    labels = torch.from_numpy(recipe.onehot(n, config.label_dim)) if config.label_dim else None
    return data, G, D, z, labels


def _images(G, w, data, key, **options):
    count = len(data[key])
    x = G.synthesis(w[:count], **options)
    torch.testing.assert_close(x, data[key], **IMAGE_TOL)


def test_w_and_truncation(case):
    data, G, _, z, labels = case
    w = G.mapping(z, labels)
    assert torch.equal(w[:, 0], w[:, -1])
    torch.testing.assert_close(w[:, 0], data["w"], **W_TOL)
    torch.testing.assert_close(G.truncate(w, 0.7, 8), data["w_psi0.7_cut8"], **W_TOL)
    torch.testing.assert_close(G.truncate(w, 0.5, 4), data["w_psi0.5_cut4"], **W_TOL)


@pytest.mark.parametrize("lod", [0.0, 0.5, 1.25, 2.0])
@pytest.mark.parametrize("case", FILES[:2], indirect=True)
def test_images_at_every_lod(case, lod):
    data, G, _, z, labels = case
    _images(G, G.mapping(z, labels), data, "img_psi1" if lod == 0 else f"img_lod{lod:g}", lod=lod)


@pytest.mark.parametrize("case", ["sg1_b_res128_outputs"], indirect=True)
def test_images_of_the_fused_path(case):
    data, G, _, z, labels = case
    w = G.mapping(z, labels)
    _images(G, w, data, "img_psi1")
    _images(G, w, data, "img_lod1.25", lod=1.25)


@pytest.mark.parametrize("case", FILES[:2], indirect=True)
def test_truncated_and_mixed_images(case):
    data, G, _, z, labels = case
    w = G.mapping(z, labels)
    _images(G, G.truncate(w, 0.7, 8), data, "img_psi0.7_cut8")
    mixed = torch.stack([torch.cat([w[0, :3], w[1, 3:]]), torch.cat([w[1, :3], w[0, 3:]])])
    _images(G, mixed, data, "img_mix_cut3")


@pytest.mark.parametrize("case", ["sg1_tiny32", "sg1_b_res128_outputs"], indirect=True)
def test_activations_of_each_layer(case):
    data, G, _, z, labels = case
    w = G.mapping(z, labels)[:2]
    for i, x in enumerate(G.synth.activations(w, G.noise_images("stored", 2))):
        if f"act{i:02d}" in data:
            torch.testing.assert_close(x, data[f"act{i:02d}"], **IMAGE_TOL)
        else:
            torch.testing.assert_close(x[:1, :4], data[f"act{i:02d}_ch4"], **IMAGE_TOL)
            torch.testing.assert_close(x.mean(dim=(2, 3)), data[f"act{i:02d}_chmean"], **IMAGE_TOL)
            torch.testing.assert_close(x.std(dim=(2, 3), correction=0), data[f"act{i:02d}_chstd"], **IMAGE_TOL)


def test_scores(case):
    data, G, D, z, labels = case
    images = torch.from_numpy(recipe.images(8, G.config.resolution))
    d_labels = torch.from_numpy(recipe.onehot(8, G.config.label_dim)) if G.config.label_dim else None
    for lod in (0.0, 0.5, 1.25, 2.0):
        scores = D(images[:4], None if d_labels is None else d_labels[:4], lod=lod)
        torch.testing.assert_close(scores, data[f"d_scores_lod{lod:g}"], **SCORE_TOL)
    for n in (1, 2, 3, 8):
        scores = D(images[:n], None if d_labels is None else d_labels[:n])
        torch.testing.assert_close(scores, data[f"d_scores_batch{n}"], **SCORE_TOL)
    scores = D(G.synthesis(G.mapping(z, labels)), labels)
    torch.testing.assert_close(scores, data["d_scores_of_img_psi1"], atol=1e-5, rtol=1e-4)
