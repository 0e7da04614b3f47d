import numpy as np
import pytest

from stylegan.data import preview as module
from stylegan.data.decode import decode, to_square
from stylegan.data.preview import preview
from stylegan.errors import DataError


def test_a_look_into_a_folder(photos, tmp_path, monkeypatch):
    monkeypatch.setenv("STYLEGAN_CACHE", str(tmp_path / "cache"))
    root = photos("a/1.png", "a/2.png", "b/3.png", sizes=((20, 16), (40, 30)))
    (root / "b" / "broken.png").write_bytes(b"x")
    (root / "attributes.csv").write_text("file,x\na/1.png,1\na/2.png,2\nb/3.png,3\n")
    shown = preview(root, limit=2, resolution=16)
    assert (shown.found, shown.examined) == (4, 4)
    assert [item.name for item in shown.broken] == ["b/broken.png"]
    assert (shown.smallest, shown.largest) == ((20, 16), (40, 30))
    assert (shown.class_names, shown.class_counts) == (("a", "b"), (2, 1))
    assert shown.attribute_names == ("x",)
    expected = [to_square(decode((root / name).read_bytes()), 16) for name in ("a/1.png", "a/2.png")]
    np.testing.assert_array_equal(shown.pictures, np.stack(expected))
    assert not (tmp_path / "cache").exists()


def test_a_large_folder_is_sampled_evenly(photos, monkeypatch):
    monkeypatch.setattr(module, "EXAMINED", 4)
    shown = preview(photos(*(f"{i}.png" for i in range(9)), sizes=((16, 16),) * 8 + ((9, 9),)))
    assert (shown.found, shown.examined) == (9, 3)
    assert (shown.smallest, shown.largest) == ((16, 16), (16, 16))


def test_what_training_would_refuse_is_refused(photos):
    root = photos("good.png")
    for i in range(11):
        (root / f"{i}.png").write_bytes(b"x")
    with pytest.raises(DataError, match="at least 11 of 12"):
        preview(root)
    for i in range(10):
        (root / f"{i}.png").unlink()
    (root / "good.png").unlink()
    with pytest.raises(DataError, match=r"no image that can be read: 10\.png"):
        preview(root)
