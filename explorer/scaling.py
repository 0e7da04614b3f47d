"""Pictures at other sizes: whole pixels or smooth, up or down."""

import numpy as np
from PIL import Image

from stylegan.errors import InputError
from stylegan.images import Picture

MAX_SIZE_PX = 4096


def check_size(size: object) -> int:
    """The side of a picture in pixels, 1 … 4096; InputError for anything else."""
    if isinstance(size, bool) or not isinstance(size, (int, np.integer)) or not 1 <= size <= MAX_SIZE_PX:
        raise InputError(f"The size of a picture is a whole number of pixels from 1 to {MAX_SIZE_PX}, not {size!r}.")
    return int(size)


def resized(picture: Picture, size: int, smooth: bool = False) -> Picture:
    """uint8 `[H, H, 3]` → `[size, size, 3]`; the picture itself where the size is right.

    Larger: pixels repeated, or bicubic where `smooth`. Smaller: box means, or Lanczos where `smooth`.
    """
    own = picture.shape[0]
    if size == own:
        return picture
    if not smooth and size % own == 0:
        return picture.repeat(size // own, axis=0).repeat(size // own, axis=1)
    filters = Image.Resampling
    sharp, soft = (filters.NEAREST, filters.BICUBIC) if size > own else (filters.BOX, filters.LANCZOS)
    return np.asarray(Image.fromarray(picture).resize((size, size), soft if smooth else sharp))
