"""Principal components of W and singular vectors of the style layers, against other ways to the same numbers."""

import numpy as np
import pytest
import torch

from stylegan.directions import principal_components, style_vectors
from stylegan.errors import InputError
from stylegan.latents import bands
from stylegan.networks import Generator


@pytest.fixture
def w():
    rng = np.random.RandomState(0)
    rotation = np.linalg.qr(rng.randn(16, 16))[0]
    return torch.from_numpy((rng.randn(3000, 16) * np.linspace(3, 0.2, 16)) @ rotation + 5).float()


@pytest.fixture
def G(tiny_config):
    return Generator(tiny_config, seed=3).eval()


def test_principal_components_are_those_of_a_singular_value_decomposition(w):
    found = principal_components(w, 6)
    x = w.double().numpy() - w.double().numpy().mean(axis=0)
    _, values, rows = np.linalg.svd(x, full_matrices=False)
    for i, direction in enumerate(found):
        assert abs(direction.vector.numpy() @ rows[i]) == pytest.approx(1, abs=1e-5)
        assert direction.sigma == pytest.approx(values[i] / len(w) ** 0.5, rel=1e-4)
        assert direction.facts.share == pytest.approx(values[i] ** 2 / (values**2).sum(), rel=1e-4)
        assert (direction.name, direction.method, direction.layers) == (f"PC {i + 1}", "pca", None)
        assert direction.offset == pytest.approx(float(w.mean(dim=0).double() @ direction.vector.double()), rel=1e-4)
    gram = torch.stack([d.vector for d in found]) @ torch.stack([d.vector for d in found]).T
    torch.testing.assert_close(gram, torch.eye(6), atol=1e-5, rtol=0)


def test_the_sign_is_always_the_same(w):
    a, b = principal_components(w, 4), principal_components(w.flip(0), 4)
    for one, other in zip(a, b, strict=True):
        torch.testing.assert_close(one.vector, other.vector, atol=1e-4, rtol=0)
        assert one.vector[one.vector.abs().argmax()] > 0


def test_a_band_is_remembered_and_named(w, G):
    middle = bands(G.config.num_ws)["middle"]
    (direction,) = principal_components(w, 1, middle, "middle")
    assert (direction.name, direction.layers) == ("PC 1, middle", tuple(middle))
    (direction,) = style_vectors(G, w, 1, middle, "middle")
    assert (direction.name, direction.layers, direction.method) == ("SeFa 1, middle", tuple(middle), "sefa")


def test_singular_vectors_change_the_styles_most(w, G):
    layers = [1, 2]
    found = style_vectors(G, w, 16, layers)

    def change(n):
        w0 = torch.zeros(1, 16)
        moved = [G.synth.layers[i].style(w0 + n) - G.synth.layers[i].style(w0) for i in layers]
        return float(torch.cat(moved, dim=1).norm().detach())

    changes = [change(d.vector) for d in found]
    assert changes == sorted(changes, reverse=True)
    rng = torch.Generator().manual_seed(0)
    others = torch.nn.functional.normalize(torch.randn(200, 16, generator=rng), dim=1)
    assert max(change(n) for n in others) < changes[0]
    shares = [d.facts.share for d in found]
    assert sum(shares) == pytest.approx(1, abs=1e-5)
    assert np.array(changes) ** 2 / sum(np.array(changes) ** 2) == pytest.approx(shares, abs=1e-5)


def test_all_layers_are_the_default(w, G):
    (all_layers,) = style_vectors(G, w, 1)
    assert all_layers.layers == tuple(range(G.config.num_ws))
    named = style_vectors(G, w, 1, range(G.config.num_ws))[0]
    assert torch.equal(all_layers.vector, named.vector)


def test_what_cannot_be_is_refused(w, G, tiny_config):
    for count in (0, 17, 65, True):
        with pytest.raises(InputError, match="number of directions"):
            principal_components(w, count)
    with pytest.raises(InputError, match="at least two"):
        principal_components(w[:1], 1)
    with pytest.raises(InputError, match="do not vary"):
        principal_components(torch.ones(10, 4), 1)
    for layers in ([6], [-1], []):
        with pytest.raises(InputError, match="style layers"):
            style_vectors(G, w, 1, layers)
