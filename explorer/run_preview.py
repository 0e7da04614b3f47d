"""What a network will see of the data, before training: the first pictures as they will be, counts, what is wrong."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from explorer.frames import Picture
from stylegan.data.preview import Preview, preview
from stylegan.data.records import listed
from stylegan.images import grid

MAX_PX = 128  # of one picture in the preview
COLUMNS, ROWS = 8, 4
FEW = 500  # fewer pictures than this are learnt by heart sooner than what they have in common


@dataclass(frozen=True)
class Look:
    """A sheet of pictures uint8 `[H, W, 3]`, facts in a line, and sentences on what may go wrong."""

    sheet: Picture
    pixels: int  # per side of one picture in the sheet
    words: str
    warnings: tuple[str, ...]


def look(path: Path | None, resolution: int, count: int) -> Look:
    """A look at a folder or zip, or (None) at `count` portraits, at `resolution`.

    Raises:
        DataError: there are no images that can be used, or too few of them can, or the zip is unsafe.
    """
    side = min(resolution, MAX_PX)
    if path is None:
        from stylegan.data.rendered import HEADS_SEED, render

        shown = min(count, COLUMNS * ROWS)
        pictures = render(HEADS_SEED, range(shown), side, "cpu").numpy()
        return Look(_sheet(pictures), side, f"{count:,} portraits, rendered before training begins", _few(count))
    found = preview(path, limit=COLUMNS * ROWS, resolution=side)
    return Look(_sheet(found.pictures), side, _words(found), tuple(_warnings(found, resolution)))


def _sheet(pictures: Picture) -> Picture:
    """Rows of `COLUMNS`; the last one is filled up with white."""
    columns = min(COLUMNS, len(pictures))
    missing = -len(pictures) % columns
    blank = np.full((missing, *pictures.shape[1:]), 255, np.uint8)
    return grid(torch.from_numpy(np.concatenate([pictures, blank])), columns)


def _words(found: Preview) -> str:
    sizes = [f"{width}×{height}" for width, height in (found.smallest, found.largest)]
    span = sizes[0] if sizes[0] == sizes[1] else f"{sizes[0]} to {sizes[1]}"
    words = f"{found.found:,} image{'s' * (found.found != 1)} of {span} pixels"
    if found.class_names:
        counts = ", ".join(f"{n} {c:,}" for n, c in list(zip(found.class_names, found.class_counts, strict=True))[:6])
        words += f"; {len(found.class_names)} classes: {counts}{'…' * (len(found.class_names) > 6)}"
    return words + (f"; {found.examined:,} of them looked at" if found.examined < found.found else "")


def _warnings(found: Preview, resolution: int) -> list[str]:
    usable = found.found - len(found.broken)
    said = [*found.warnings, *_few(usable)]
    first = found.pictures[0]
    if len(found.pictures) > 1 and all(np.array_equal(first, other) for other in found.pictures[1:]):
        said.append("All pictures looked at are the same one.")
    if found.broken:
        said.append(f"Left out, because they cannot be used: {listed(found.broken)}.")
    if min(found.smallest) < resolution:
        width, height = found.smallest
        said.append(f"The smallest has {width}×{height} pixels: images under {resolution}² are enlarged.")
    return said


def _few(count: int) -> tuple[str, ...]:
    if count == 1:
        return ("There is only one image: a network will learn that picture and nothing else.",)
    if count < FEW:
        return (f"{count} images are few: a network will learn them by heart. Some thousands are better.",)
    return ()
