import numpy as np
import pytest
import torch

from stylegan.data import rendered as module
from stylegan.data.dataset import TrainingData
from stylegan.data.portraits import attribute_matrix, attribute_names, sample_attributes
from stylegan.data.prepare import prepare
from stylegan.data.pyramid import box_levels
from stylegan.data.records import finish
from stylegan.data.rendered import PortraitsData, render, shrink
from stylegan.errors import InputError
from stylegan.images import to_uint8


@pytest.fixture(autouse=True)
def calls(monkeypatch, tmp_path):
    """A stand-in for the renderer, whose pictures depend on seed and index only; the indices that it was asked for."""
    monkeypatch.setenv("STYLEGAN_CACHE", str(tmp_path / "cache"))
    asked = []

    def portraits(seed, indices, resolution, device="cpu"):
        asked.extend(indices.tolist())
        ramp = torch.linspace(0, 50, 3 * resolution**2).reshape(3, resolution, resolution)
        return to_uint8(torch.sin(ramp + indices[:, None, None, None] + 100 * seed)), torch.empty(len(indices), 0)

    monkeypatch.setattr("stylegan.data.portraits.portraits", portraits, raising=False)
    monkeypatch.setattr(module, "_CPU_PIXELS", 4 * 16 * 16)
    return asked


def test_portraits_are_rendered_once(calls):
    data = finish(prepare("portraits", 16, count=10))
    assert calls == list(range(10))
    again = finish(prepare("portraits", 16, count=10, seed=9))
    assert len(calls) == 10
    x = render(0, range(10), 16, "cpu").numpy()
    for side, level in box_levels(x).items():
        np.testing.assert_array_equal(data.pictures(range(10), side).numpy(), level)
    checked: TrainingData = data
    assert (checked.name, checked.label_dim, checked.resolution, len(data)) == ("portraits", 0, 16, 10)
    assert data.digest == again.digest
    assert not torch.equal(data.batch(0, 10, 4, False)[0], again.batch(0, 10, 4, False)[0])  # another order


def test_attributes_are_those_of_the_heads():
    data = finish(prepare("portraits", 16, count=6))
    values = attribute_matrix(sample_attributes(module.HEADS_SEED, [4, 1]))
    assert data.attribute_names == attribute_names()
    assert torch.equal(data.attributes[[4, 1]], values)


def test_rendering_goes_on_where_it_was(calls):
    steps = prepare("portraits", 16, count=10)
    assert [next(steps).done for _ in range(3)] == [0, 4, 8]
    steps.close()
    data = finish(prepare("portraits", 16, count=10))
    assert calls == list(range(10))
    np.testing.assert_array_equal(data.pictures(range(10), 16).numpy(), render(0, range(10), 16, "cpu").numpy())


def test_an_endless_stream_renders_as_it_goes(calls):
    data = finish(prepare("portraits:endless", 16, seed=7))
    checked: TrainingData = data
    assert isinstance(data, PortraitsData)
    assert (checked.name, checked.label_dim, checked.resolution) == ("portraits:endless", 0, 16)
    x, labels = data.batch(10**6, 9, 8, False)
    assert calls == list(range(10**6, 10**6 + 9))
    expected = box_levels(render(7, range(10**6, 10**6 + 9), 16, "cpu").numpy())[8]
    np.testing.assert_array_equal(x.numpy(), expected.transpose(0, 3, 1, 2))
    assert x.is_contiguous()
    assert labels.shape == (9, 0)


def test_a_stretch_of_the_stream_equals_its_parts():
    data = PortraitsData(16, 3)
    whole = data.batch(4090, 12, 16, True)[0]  # across the end of a block of coins
    parts = torch.cat([data.batch(4090, 5, 16, True)[0], data.batch(4095, 7, 16, True)[0]])
    assert torch.equal(whole, parts)
    plain = data.batch(4090, 12, 16, False)[0]
    flipped = [torch.equal(a, b.flip(2)) for a, b in zip(whole, plain, strict=True)]
    assert flipped == data._coins.mirrored(4090, 12).tolist()
    assert 0 < sum(flipped) < 12


@pytest.mark.parametrize("resolution", [32, 16, 8, 4])
def test_shrinking_equals_the_pyramid(resolution):
    x = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
    np.testing.assert_array_equal(shrink(torch.from_numpy(x), resolution).numpy(), box_levels(x)[resolution])


def test_the_digest_follows_what_is_rendered():
    digests = [
        PortraitsData(16, 0).digest,
        PortraitsData(16, 1).digest,
        PortraitsData(8, 0).digest,
        finish(prepare("portraits", 16, count=3)).digest,
        finish(prepare("portraits", 16, count=4)).digest,
    ]
    assert len(set(digests)) == 5
    assert PortraitsData(16, 0).digest == digests[0]


def test_wrong_arguments():
    for spec, count, message in [
        ("portraits:live", None, "portraits or portraits:endless"),
        ("portraits:endless", 3, "has no count"),
        ("portraits", 0, "from 1 to"),
    ]:
        with pytest.raises(InputError, match=message):
            finish(prepare(spec, 16, count=count))
    with pytest.raises(InputError, match="not 32"):
        PortraitsData(16, 0).batch(0, 1, 32, False)
    with pytest.raises(InputError, match="position"):
        PortraitsData(16, 0).batch(0, 0, 16, False)
