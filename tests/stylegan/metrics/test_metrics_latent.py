"""Path length, separability and mixing against the official numbers and worlds in which they are known."""

import numpy as np
import pytest
import torch
from lively_generators import TINY, lively
from official_networks import recipe_generator

import stylegan
from stylegan.config import GeneratorConfig
from stylegan.directions.targets import Column
from stylegan.errors import InputError
from stylegan.images import to_uint8
from stylegan.metrics import path_length, separability
from stylegan.metrics.path_length import PathLength, distances
from stylegan.metrics.perceptual import Lite0Distance
from stylegan.metrics.pictures import ModelPictures, Sampling
from stylegan.networks import Generator


def result(steps):
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


class Squares:
    """The golden file's stand-in for LPIPS: mean square of differences / 255."""

    name = "squares"

    def distance(self, a, b):
        return (((a.double() - b.double()) / 255) ** 2).mean(dim=(1, 2, 3))


@pytest.mark.parametrize("space", ["z", "w"])
@pytest.mark.parametrize("reach", ["full", "end"])
def test_the_official_path_length(golden, space, reach):
    metrics = golden("sg1_metrics")
    config = metrics.meta["config"]
    G = recipe_generator(config, 11, zero_noise=True).requires_grad_(False)
    z, t = metrics["ppl/latents"], metrics["ppl/t"]
    t = t if reach == "full" else torch.zeros_like(t)
    kind = PathLength(space, reach, crop=True)
    found = distances(G, kind, z[0::2], z[1::2], t, Squares(), lambda w: G.synthesis(w, "none"))
    expected = metrics[f"ppl/{space}_{reach}_distances"].numpy()
    inside = metrics[f"ppl/{space}_{reach}_kept"].numpy()
    assert np.median(np.abs(found / expected - 1)) < 0.02  # float32 at ε = 1e-4
    assert np.array_equal(path_length.kept(expected.astype(np.float64)), inside)
    mean = expected[inside].astype(np.float64).mean()
    assert mean == pytest.approx(metrics.meta[f"ppl_{space}_{reach}"], rel=1e-6)
    assert found[path_length.kept(found)].mean() == pytest.approx(mean, rel=0.02)


def test_the_crop_is_the_face():
    x = torch.arange(16 * 16).reshape(1, 1, 16, 16).float()
    cropped = path_length._prepared(x, True) / 127.5 - 1
    assert torch.allclose(cropped, x[:, :, 6:14, 4:12])
    assert path_length._prepared(torch.zeros(1, 3, 1024, 1024), True).shape == (1, 3, 256, 256)
    assert path_length._prepared(torch.zeros(1, 3, 512, 512), False).shape == (1, 3, 256, 256)


@pytest.fixture(scope="module")
def G():
    return lively(Generator(GeneratorConfig(**TINY), seed=3))


def test_both_pictures_of_a_path_have_the_same_noise(G):
    """Else the difference would be noise / ε², some 1e8."""
    found = result(path_length.measured(ModelPictures(G), PathLength("w"), 20, Squares()))
    assert 0 < found.value < 1e5
    assert found.low <= found.value <= found.high


def test_path_lengths_do_not_hang_on_batches(G, monkeypatch):
    whole = result(path_length.measured(ModelPictures(G), PathLength("z"), 12, Squares()))
    monkeypatch.setattr(path_length, "_PAIRS_AT_ONCE", 5)
    assert result(path_length.measured(ModelPictures(G), PathLength("z"), 12, Squares())).value == pytest.approx(
        whole.value, rel=0.05
    )


@pytest.mark.parametrize("wrong", [{"space": "x"}, {"reach": "middle"}, {"epsilon": 0.0}])
def test_path_lengths_that_there_are_not(wrong):
    with pytest.raises(InputError):
        PathLength(**wrong)


def test_a_perceptual_distance_of_nothing_is_nothing():
    distance = Lite0Distance()
    a = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0)) * 255
    near, far = (a + amount * torch.randn(a.shape, generator=torch.Generator().manual_seed(1)) for amount in (2, 40))
    assert torch.equal(distance.distance(a, a), torch.zeros(2, dtype=torch.float64))
    assert bool((distance.distance(a, near) < distance.distance(a, far)).all())


def test_the_official_separability(golden):
    metrics = golden("sg1_metrics")
    logits = metrics["ls/logits"].numpy().astype(np.float64)
    columns = [Column(f"attribute {i}", "binary") for i in range(logits.shape[1])]
    for i, (space, latents) in enumerate((("_z", "ls/latents"), ("_w", "ls/dlatents_last"))):
        scores = 1 / (1 + np.exp(-2 * logits))
        found = result(separability.measured(metrics[latents].numpy(), columns, scores))
        bits = metrics["ls/cond_entropy"].numpy()[i::2]
        assert list(found.bits.values()) == pytest.approx(bits, abs=0.06)  # the SVM's order of samples is its own
        assert found.score == pytest.approx(metrics.meta["ls"][space], rel=0.05)


def test_a_quantity_is_parted_at_its_median():
    rng = np.random.RandomState(0)
    z = rng.randn(400, 5)
    scores = np.stack([3 + z[:, 0], rng.randn(400)], axis=1)
    found = result(separability.measured(z, [Column("told", "continuous"), Column("chance", "continuous")], scores))
    assert found.bits["told"] < 0.1
    assert found.bits["chance"] > 0.8
    with pytest.raises(InputError, match="at least 20"):
        result(separability.measured(z[:9], [Column("told", "continuous")], scores[:9]))


def test_samples_hang_on_their_number_alone(G):
    whole = ModelPictures(G).take(0, 40)
    assert torch.equal(ModelPictures(G).take(33, 3), whole[33:36])
    shifted = ModelPictures(G, Sampling(first_seed=1_000_010)).take(0, 5)
    assert torch.equal(shifted, whole[10:15])
    assert not torch.equal(whole[0], whole[1])


def test_sample_is_the_picture_of_its_seed(G):
    pictures = ModelPictures(G, Sampling(psi=0.6, cutoff=3, first_seed=7))
    w = G.truncate(G.mapping(stylegan.seeds_to_z([9], G.config.z_dim)), 0.6, 3)
    assert torch.equal(pictures.styles(range(2, 3)), w)
    noise = pictures._noise(range(2, 3))
    assert torch.equal(to_uint8(G.synthesis(w, noise)), pictures.take(2, 1))
    assert noise[-1].std() == pytest.approx(1, abs=0.3)


def test_mixed_latents(G):
    pictures = ModelPictures(G, Sampling(mixed=3))
    w = pictures.styles(range(50))
    sources = torch.stack([G.mapping(pictures.latents(range(50), k)) for k in range(3)])
    same = (sources == w[None]).all(dim=3)  # [3, 50, L]
    assert bool(same.any(dim=0).all())
    order = same.int().argmax(dim=0)
    assert bool((order.diff(dim=1) >= 0).all())  # stretches in order
    assert bool((order[:, 0] == 0).all())
    assert len(set(order.sum(dim=1).tolist())) > 3
    assert torch.equal(ModelPictures(G).styles(range(3)), G.mapping(ModelPictures(G).latents(range(3))))


def test_models_that_diverged(G):
    class Broken:
        config, digest, lod, w_mean = G.config, "ab", 0.0, G.w_mean
        mapping, noise_images, one_hot = G.mapping, G.noise_images, G.one_hot

        def synthesis(self, w, noise, lod):
            return torch.full((len(w), 3, 16, 16), float("nan"))

    with pytest.raises(InputError, match="diverged"):
        ModelPictures(Broken()).take(0, 2)
    with pytest.raises(InputError, match="diverged"):
        result(path_length.measured(ModelPictures(Broken()), PathLength(), 4, Squares()))


@pytest.mark.parametrize(
    "wrong", [{"psi": float("nan")}, {"cutoff": 99}, {"mixed": 0}, {"first_seed": -1}, {"label": 1}]
)
def test_samplings_that_cannot_be(G, wrong):
    with pytest.raises(InputError):
        ModelPictures(G, Sampling(**wrong))
