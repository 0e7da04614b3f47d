"""Features on disk, a block at a time, keyed by content: nothing is computed twice, an interrupted run goes on where it
was, and memory does not grow with the count.

    FOLDER/metrics/EXTRACTOR-PICTURES/000000.npy …   float32 [256, D] each, in the order of the sequence

Several processes share the work by blocks and hand them to each other; a block is the same whoever computes it.
"""

import contextlib
import hashlib
import os
import shutil
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from stylegan.atomic import replacing
from stylegan.data.cache import cache_root
from stylegan.directions.records import Step
from stylegan.errors import DataError, InputError
from stylegan.metrics.features import Extractor
from stylegan.metrics.pictures import Pictures
from stylegan.metrics.sharing import Share

BLOCK = 256
PART = 32  # pictures between two looks at whether to go on; divides a block and is whole batches of every extractor
MAX_COUNT = 1_000_000
KEPT_BYTES = 4 << 30  # features of what was not asked for longest go when there are more

T = TypeVar("T")
Rows = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Features:
    """The first `count` feature vectors `[count, width]` of a sequence, read from disk block by block."""

    count: int
    width: int
    folder: Path = field(repr=False)

    def blocks(self) -> Iterator[Rows]:
        """All rows, at most 256 at a time."""
        for number in range(-(-self.count // BLOCK)):
            yield _read(self.folder, number, self.width)[: self.count - number * BLOCK]

    def rows(self, first: int, count: int) -> Rows:
        """Rows `first` … `first + count` − 1."""
        stop = min(first + count, self.count)
        numbers = range(first // BLOCK, -(-stop // BLOCK))
        found = np.concatenate([_read(self.folder, number, self.width) for number in numbers])
        return found[first - numbers.start * BLOCK : stop - numbers.start * BLOCK]

    def chunks(self, size: int) -> Iterator[Rows]:
        """All rows, `size` at a time."""
        return (self.rows(first, size) for first in range(0, self.count, size))


def collect(
    pictures: Pictures,
    extractor: Extractor,
    count: int,
    *,
    cache: str | os.PathLike[str] | None = None,
    share: Share | None = None,
) -> Generator[Step[T], None, Features]:
    """Features of the first `count` of `pictures`, computed where they are not on disk yet.

    Raises:
        InputError: fewer than 2, more than there are, or pictures that cannot be read.
        DataError: the cache folder cannot be used. DiskFullError: no space left.
    """
    if isinstance(count, bool) or not isinstance(count, int) or not 2 <= count <= MAX_COUNT:
        raise InputError(f"A number of pictures is from 2 to {MAX_COUNT}, not {count!r}: one has no spread.")
    if pictures.most is not None and pictures.most < count:
        raise InputError(f"{pictures.name} has {pictures.most} pictures, fewer than the {count} asked for.")
    share = share or Share()
    wanted, width = range(-(-count // BLOCK)), extractor.width
    with share.all_or_none():
        folder = _folder(pictures, extractor, cache)
        lacking = [number for number in wanted if not _whole(folder, number, width, pictures)]
    missing = share.agree(lacking)
    for start in range(0, len(missing), share.size):
        turn = missing[start : start + share.size]
        own = turn[share.rank] if share.rank < len(turn) else None
        rows = np.zeros((0, width), np.float32)
        for first in range(0, BLOCK, PART):
            done = min(count, (len(wanted) - len(missing) + start) * BLOCK + first * len(turn))
            yield Step(f"{pictures.name}: {done} of {count} pictures", done / count)
            with share.all_or_none():
                if own is not None:
                    rows = np.concatenate([rows, _compute(pictures, extractor, own * BLOCK + first)])
        found = share.gather(None if own is None else rows, width)
        with share.all_or_none():
            for number, block in zip(turn, found, strict=True):
                _write(folder, number, block)  # by each, which may have a disk of its own; else the same bytes
    share.wait()
    return Features(count, width, folder)


def _compute(pictures: Pictures, extractor: Extractor, first: int) -> Rows:
    """Features `[n, width]` of pictures `first` … `first` + 31, as far as there are any."""
    count = PART if pictures.most is None else max(0, min(PART, pictures.most - first))
    if not count:
        return np.zeros((0, extractor.width), np.float32)
    found = extractor.features(pictures.take(first, count)).numpy()
    if found.shape != (count, extractor.width):
        raise InputError(f"{extractor.name} gave features {list(found.shape)}, not one vector for each picture.")
    if not np.isfinite(found).all():
        raise InputError(f"{extractor.name} gave features of {pictures.name} that are not numbers (NaN).")
    return found


def _folder(pictures: Pictures, extractor: Extractor, cache: str | os.PathLike[str] | None) -> Path:
    root = cache_root(cache).parent / "metrics"
    key = hashlib.sha256(f"{extractor.digest} {pictures.digest} {BLOCK}".encode()).hexdigest()[:32]
    try:
        (root / key).mkdir(parents=True, exist_ok=True)
        os.utime(root / key)
    except OSError as error:
        raise DataError(
            f"The cache folder {root} cannot be used ({error.strerror or error}): choose another with STYLEGAN_CACHE."
        ) from error
    return root / key


def sweep(cache: str | os.PathLike[str] | None = None, keep_bytes: int = KEPT_BYTES) -> None:
    """Remove the features that were used longest ago, until at most `keep_bytes` are left."""
    root = cache_root(cache).parent / "metrics"
    with contextlib.suppress(OSError):
        folders = sorted((f for f in root.iterdir() if f.is_dir()), key=lambda f: f.stat().st_mtime, reverse=True)
        total = 0
        for folder in folders:
            total += sum(file.stat().st_size for file in folder.iterdir())
            if total > keep_bytes:
                shutil.rmtree(folder, ignore_errors=True)


def _path(folder: Path, number: int) -> Path:
    return folder / f"{number:06d}.npy"


def _whole(folder: Path, number: int, width: int, pictures: Pictures) -> bool:
    rows = BLOCK if pictures.most is None else min(BLOCK, pictures.most - number * BLOCK)
    try:
        found = np.load(_path(folder, number), mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return False
    return bool(found.shape == (rows, width) and found.dtype == np.float32)


def _write(folder: Path, number: int, rows: Rows) -> None:
    with replacing(_path(folder, number)) as temporary, open(temporary, "wb") as file:
        np.save(file, rows, allow_pickle=False)


def _read(folder: Path, number: int, width: int) -> Rows:
    try:
        found: Rows = np.load(_path(folder, number), allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise DataError("Kept features disappeared while they were in use: measure again.") from error
    if found.ndim != 2 or found.shape[1] != width:
        raise DataError("Kept features changed while they were in use: measure again.")
    return found
