"""The sheet that `python -m stylegan portraits` writes."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stylegan.cli.portraits import portraits as command
from stylegan.data.portraits import portraits
from stylegan.errors import InputError


def test_writes_a_sheet(tmp_path: Path) -> None:
    out = tmp_path / "sheet.png"
    command(count=5, size=16, out=out, seed=3, columns=3, device="cpu")
    with Image.open(out) as picture:
        pixels = np.asarray(picture)
    assert pixels.shape == (32, 48, 3)
    assert np.array_equal(pixels[16:, 16:32], portraits(3, [4], 16)[0][0].numpy())
    assert [file.name for file in tmp_path.iterdir()] == ["sheet.png"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"count": 0}, "--count"),
        ({"columns": 0}, "--columns"),
        ({"size": 2}, "resolution"),
        ({"size": 9000, "count": 4}, "wide or high"),
        ({"seed": -1}, "seed"),
        ({"device": "nowhere"}, "device"),
        ({"out": Path("missing/folder/a.png")}, "does not exist"),
        ({"out": Path("a.jpg")}, "PNG"),
    ],
)
def test_mistakes_are_named(change: dict[str, object], message: str, tmp_path: Path) -> None:
    good: dict[str, object] = {"count": 1, "size": 8, "out": tmp_path / "a.png", "seed": 0, "columns": None}
    with pytest.raises(InputError, match=message):
        command(**(good | {"device": "cpu"} | change))  # type: ignore[arg-type]  # the point of the test
