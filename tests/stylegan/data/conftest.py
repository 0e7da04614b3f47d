"""Small picture files of every kind, made on the spot."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image


def noise(width: int, height: int, seed: int = 0, channels: int = 3) -> np.ndarray:
    shape = (height, width, channels) if channels > 1 else (height, width)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def file_bytes(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


@pytest.fixture
def encode() -> Callable[..., bytes]:
    """An image, or an array, as the bytes of a file."""

    def make(picture: Any, kind: str = "PNG", **options: Any) -> bytes:
        image = Image.fromarray(picture) if isinstance(picture, np.ndarray) else picture
        return file_bytes(image, kind, **options)

    return make


@pytest.fixture
def photos(tmp_path: Path) -> Callable[..., Path]:
    """Write a folder of noise pictures, one per name, each different; `sizes` are used in turn."""

    def make(*names: str, sizes: tuple[tuple[int, int], ...] = ((20, 16),), folder: str = "photos") -> Path:
        root = tmp_path / folder
        for i, name in enumerate(names):
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(file_bytes(Image.fromarray(noise(*sizes[i % len(sizes)], seed=i))))
        return root

    return make


@pytest.fixture
def zipped(tmp_path: Path) -> Callable[..., Path]:
    """Write a zip with the given members, a dict or a list of (name, bytes)."""

    def make(members: Any, name: str = "photos.zip", compression: int = zipfile.ZIP_STORED) -> Path:
        path = tmp_path / name
        with zipfile.ZipFile(path, "w", compression) as archive:
            for member, data in dict(members).items() if isinstance(members, dict) else members:
                archive.writestr(member, data)
        return path

    return make
