"""Bytes of an image file → an upright RGB picture → a square of the training resolution.

Hostile or damaged files end in `Unreadable`, never in a crash or a full memory: the size in the header is checked
before any pixel is decoded. Colour profiles are not applied; pixel values are taken as sRGB.
"""

import io
import warnings
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from typing import TypeVar

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from stylegan.data.records import Unreadable
from stylegan.images import Picture

Item = TypeVar("Item")
Result = TypeVar("Result")
Colour = tuple[int, int, int]

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF")  # nothing else is tried: fewer parsers, smaller attack surface
MAX_PIXELS = 100_000_000
MIN_SIDE_PX = 4  # the networks' lowest resolution; anything smaller is an icon or a tracking pixel


def decode(data: bytes, background: Colour = (255, 255, 255)) -> Image.Image:
    """The picture in `data`: mode RGB, turned upright as EXIF says, transparency laid over `background`.

    The first frame of animations and the first page of TIFFs. 16-bit greyscale is divided by 257 and rounded; of 16-bit
    colour Pillow hands over the high byte, which is at most 1 of 255 off.

    Raises:
        Unreadable: not an image, cut short, too large, too small, or of a kind with no defined colours.
    """
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            _check_size(*image.size)
            image.load()
            return _to_rgb(_upright(image), background)
    except Unreadable:
        raise
    except Image.DecompressionBombError as error:
        raise Unreadable(f"over {MAX_PIXELS // 1_000_000} megapixels") from error
    except UnidentifiedImageError as error:
        raise Unreadable("not an image file that can be read") from error
    except Exception as error:  # Pillow's parsers raise whatever a malformed file makes of them, struct.error included
        raise Unreadable("damaged or cut short") from error


def to_square(image: Image.Image, resolution: int) -> Picture:
    """The centre square of an RGB image, resized with Lanczos: uint8 `[resolution, resolution, 3]`."""
    width, height = image.size
    side = min(width, height)
    left, top = (width - side) // 2, (height - side) // 2
    square = image.crop((left, top, left + side, top + side))
    return np.asarray(square.resize((resolution, resolution), Image.Resampling.LANCZOS))


def quiet_map(pool: Executor, function: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """`pool.map` as a list, without Pillow's warnings: what they warn of is handled here or does no harm.

    The filter is set once around all threads, because warning filters belong to the process.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return list(pool.map(function, items))


def _check_size(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise Unreadable(f"{width}×{height} pixels, over {MAX_PIXELS // 1_000_000} megapixels")
    if min(width, height) < MIN_SIDE_PX:
        raise Unreadable(f"{width}×{height} pixels, under {MIN_SIDE_PX} a side")


def _upright(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # garbled EXIF raises anything; the pixels are good, so the picture stays as it lies
        return image


def _to_rgb(image: Image.Image, background: Colour) -> Image.Image:
    if image.mode.startswith("I;16"):
        values = np.asarray(image).astype(np.float64)
        image = Image.fromarray(np.rint(values / 257).astype(np.uint8))
    elif image.mode in ("I", "F"):
        raise Unreadable("32-bit numbers with no stated range")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, (*background, 255)), image)
    return image.convert("RGB")
