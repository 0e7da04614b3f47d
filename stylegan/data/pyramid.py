"""Pictures at R, R/2, … 4 pixels a side, one memory-mapped file `rNN.npy` per level (NN = log2 of the side).

As in the official data sets: the finest level is what the resize gave, the others are a cascade of 2×2 box means kept
in float, each level rounded when it is written. Every file is an ordinary .npy, uint8 [N, s, s, 3].
"""

import io
import mmap
import os
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from stylegan.errors import DataError
from stylegan.images import Picture

MIN_RESOLUTION, MAX_RESOLUTION = 4, 1024

Indices = npt.NDArray[np.int64]


def sides(resolution: int) -> list[int]:
    """Levels of a pyramid, finest first: 64 → [64, 32, 16, 8, 4]."""
    return [resolution >> k for k in range(resolution.bit_length() - 2)]


def box_levels(pictures: Picture) -> dict[int, Picture]:
    """uint8 `[n, R, R, 3]` → the same pictures at every side R, R/2 … 4, each uint8 `[n, s, s, 3]`."""
    resolution = pictures.shape[1]
    exact = pictures.astype(np.float32)  # means of up to 2^16 bytes are exact in float32
    levels = {resolution: pictures}
    for side in sides(resolution)[1:]:
        rows = exact[:, 0::2] + exact[:, 1::2]
        exact = (rows[:, :, 0::2] + rows[:, :, 1::2]) * np.float32(0.25)
        levels[side] = np.rint(exact).astype(np.uint8)
    return levels


def pyramid_bytes(resolution: int, count: int) -> int:
    """Disk space of a pyramid, headers aside."""
    return count * sum(3 * side * side for side in sides(resolution))


class PyramidWriter:
    """Appends pictures to the level files in `folder`; goes on after the last complete picture found there.

    `count` is the number of pictures written so far. The headers become valid with `finish`.
    """

    def __init__(self, folder: Path, resolution: int) -> None:
        self.folder = folder
        self._files = {side: _open_to_write(folder / _file_name(side)) for side in sides(resolution)}
        self._header_bytes = len(_header(0, resolution))
        ends = {side: file.seek(0, os.SEEK_END) for side, file in self._files.items()}
        whole = min((end - self._header_bytes) // (3 * side * side) for side, end in ends.items())
        self.cut(max(0, whole))  # a killed writer may have reached further in some levels than in others

    def cut(self, count: int) -> None:
        """Keep the first `count` pictures, and go on after them."""
        self.count = count
        for side, file in self._files.items():
            file.truncate(self._header_bytes + count * 3 * side * side)
            file.seek(0, os.SEEK_END)

    def flush(self) -> None:
        """Hand everything to the system: it then outlives this process."""
        for file in self._files.values():
            file.flush()

    def append(self, pictures: Picture) -> None:
        """Add uint8 `[n, R, R, 3]`."""
        for side, level in box_levels(pictures).items():
            self._files[side].write(level.tobytes())
        self.count += len(pictures)

    def finish(self) -> None:
        """Write the headers and wait until everything is on the disk."""
        for side, file in self._files.items():
            file.seek(0)
            file.write(_header(self.count, side))
            file.flush()
            os.fsync(file.fileno())

    def close(self) -> None:
        """Close the files; without `finish` before, they can only be gone on with."""
        for file in self._files.values():
            file.close()


class Pyramid:
    """Read access to the level files in `folder`, which hold `count` pictures of up to `resolution`."""

    def __init__(self, folder: Path, resolution: int, count: int) -> None:
        """Raises DataError: a file is missing, or not as long or of the kind that it should be."""
        self.resolution = resolution
        self.count = count
        self._folder = folder
        self._maps = {side: self._map(side) for side in sides(resolution)}

    def read(self, indices: Indices, side: int) -> Picture:
        """uint8 `[n, side, side, 3]`, a copy. Raises DataError: the file was cut short since it was opened."""
        mapped = self._maps[side]
        header = len(_header(self.count, side))
        if mapped.size() < header + self.count * 3 * side * side:  # touching the lost part would kill the process
            raise self._damaged(side)
        level = np.frombuffer(mapped, dtype=np.uint8, offset=header).reshape(self.count, side, side, 3)
        return level.take(indices, axis=0)

    def _map(self, side: int) -> mmap.mmap:
        header = _header(self.count, side)
        try:
            with open(self._folder / _file_name(side), "rb") as file:
                mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as error:  # ValueError: the file is empty
            raise self._damaged(side) from error
        if len(mapped) != len(header) + self.count * 3 * side * side or mapped[: len(header)] != header:
            raise self._damaged(side)
        return mapped

    def _damaged(self, side: int) -> DataError:
        path = self._folder / _file_name(side)
        return DataError(f"The cache file {path} is missing or damaged: start again, and it is built anew.")


def _file_name(side: int) -> str:
    return f"r{side.bit_length() - 1:02d}.npy"


def _header(count: int, side: int) -> bytes:
    """The .npy header. Its length is the same for every count, as numpy leaves room for the first axis to grow."""
    file = io.BytesIO()
    fields = {"descr": "|u1", "fortran_order": False, "shape": (count, side, side, 3)}
    np.lib.format.write_array_header_1_0(file, fields)
    return file.getvalue()


def _open_to_write(path: Path) -> BinaryIO:
    path.touch()
    return open(path, "r+b")
