"""Pictures on their way to a browser: uint8 arrays as JPEG or PNG bytes and data URIs."""

import base64
import io
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

Picture = npt.NDArray[np.uint8]  # [H, W, 3]

JPEG_QUALITY = 92
MAX_FILE_BYTES = 1 << 20
LOSSLESS_UP_TO_PX = 256  # beyond, a PNG takes longer to encode than the picture to make


def data_uri(picture: Picture, lossless: bool) -> str:
    """`picture` as a data URI: PNG where every pixel matters and it is small enough to be quick, else JPEG."""
    if lossless and max(picture.shape[:2]) <= LOSSLESS_UP_TO_PX:
        return _uri("png", png_bytes(picture))
    return _uri("jpeg", jpeg_bytes(picture))


def jpeg_uri(jpeg: bytes) -> str:
    """JPEG bytes as a data URI."""
    return _uri("jpeg", jpeg)


def png_uri(png: bytes) -> str:
    """PNG bytes as a data URI."""
    return _uri("png", png)


def file_uri(path: Path) -> str:
    """A PNG file as a data URI: as it is, or where it is large as a JPEG of about a quarter of the bytes."""
    data = path.read_bytes()
    if len(data) <= MAX_FILE_BYTES:
        return _uri("png", data)
    with Image.open(io.BytesIO(data)) as image:
        return _uri("jpeg", jpeg_bytes(np.asarray(image.convert("RGB"))))


def png_bytes(picture: Picture) -> bytes:
    """Quick to encode; without a recipe, for the screen only."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG", compress_level=1)
    return file.getvalue()


def jpeg_bytes(picture: Picture) -> bytes:
    """Without chroma subsampling: small pictures are shown large."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=JPEG_QUALITY, subsampling=0)
    return file.getvalue()


def _uri(kind: str, data: bytes) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
