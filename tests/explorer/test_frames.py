"""Pictures as data URIs: lossless where asked and small, JPEG elsewhere."""

import base64
import io

import numpy as np
from PIL import Image

from explorer import frames


def decoded(uri):
    head, _, data = uri.partition(",")
    image = Image.open(io.BytesIO(base64.b64decode(data)))
    return head, image.format, np.asarray(image)


def test_lossless_is_lossless():
    picture = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    head, kind, pixels = decoded(frames.data_uri(picture, lossless=True))
    assert (head, kind) == ("data:image/png;base64", "PNG")
    assert np.array_equal(pixels, picture)


def test_large_pictures_and_those_not_asked_for_are_jpeg_of_the_same_size_and_look():
    ramp = np.broadcast_to(np.arange(512, dtype=np.uint16)[:, None, None] // 2, (512, 512, 3)).astype(np.uint8)
    for picture, lossless in ((ramp, True), (ramp[:64, :64], False)):
        head, kind, pixels = decoded(frames.data_uri(picture, lossless))
        assert (head, kind) == ("data:image/jpeg;base64", "JPEG")
        assert pixels.shape == picture.shape
        assert abs(pixels.astype(int) - picture).max() < 8


def test_bytes_become_uris_unchanged():
    assert base64.b64decode(frames.png_uri(b"abc").partition(",")[2]) == b"abc"
    assert frames.jpeg_uri(b"").startswith("data:image/jpeg")
