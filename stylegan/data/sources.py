"""Image files in a folder or in a zip, by name: listing them, and reading one into memory.

Nothing is ever extracted to disk. Names are relative POSIX paths, sorted; hidden files and what macOS adds to zips are
left out. A zip is refused when it holds too many members or claims to unpack to absurd sizes.
"""

import lzma
import os
import struct
import threading
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

from stylegan.data.records import Broken, Unreadable, shown
from stylegan.errors import DataError

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif"})
TABLE = "attributes.csv"
MAX_FILE_BYTES = 256 << 20  # one file, unpacked
MAX_FILES = 5_000_000
MAX_ARCHIVE_RATIO = 100  # images hardly compress; a zip that unpacks to more than this times its size …
MAX_ARCHIVE_BYTES = 4 << 30  # … and to more than this is a bomb (overlapping members, say)

_ARCHIVE_ERRORS = (zipfile.BadZipFile, OSError, ValueError, RuntimeError, EOFError, struct.error, zlib.error)


class Source(Protocol):
    """Where image files come from. `names` are sorted; `refused` are entries that are never read, and why."""

    name: str
    names: tuple[str, ...]
    refused: tuple[Broken, ...]

    def read(self, name: str) -> bytes:
        """The whole file. Raises Unreadable. May be called from several threads."""

    def table(self) -> bytes | None:
        """The bytes of `attributes.csv`, or None where there is none. Raises DataError."""

    def close(self) -> None:
        """Let go of open files."""


def open_source(path: str | os.PathLike[str]) -> Source:
    """The folder or zip at `path`.

    Raises:
        DataError: nothing is there, it is neither, it holds no image files, or it is unsafe to read.
    """
    path = Path(path).expanduser()
    if path.is_dir():
        source: Source = Folder(path)
    elif path.is_file():
        source = Archive(path)
    else:
        raise DataError(f"There is no folder or zip at {shown(str(path))}: check the path.")
    if not source.names and not source.refused:
        source.close()
        raise DataError(f"{shown(str(path))} holds no images: put JPEG, PNG, WebP, BMP, TIFF or GIF files into it.")
    return source


def common_folder(names: Sequence[str]) -> str:
    """The folders, ending in a slash, that all names begin with: `photos/` when somebody zipped the folder photos."""
    if not names:
        return ""
    first, last = min(names), max(names)  # what these two share, all share
    common = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last)))
    return first[: first.rfind("/", 0, common) + 1]


class Folder:
    """All image files under a folder, links to other folders included."""

    def __init__(self, path: Path) -> None:
        self.name = path.resolve().name or "images"
        self.refused: tuple[Broken, ...] = ()
        self._path = path
        try:
            self.names = _sorted(_walk(path, "", ()))
        except OSError as error:
            raise DataError(f"The folder {shown(str(path))} cannot be listed: {error.strerror or error}.") from error

    def read(self, name: str) -> bytes:
        try:
            with open(self._path / name, "rb") as file:
                data = file.read(MAX_FILE_BYTES + 1)
        except OSError as error:
            raise Unreadable(error.strerror or "cannot be read") from error
        if len(data) > MAX_FILE_BYTES:
            raise Unreadable(f"over {MAX_FILE_BYTES >> 20} MiB")
        return data

    def table(self) -> bytes | None:
        return _read_table(self, TABLE) if (self._path / TABLE).is_file() else None

    def close(self) -> None:
        """Nothing is held open."""


class Archive:
    """All image files in a zip. A folder that wraps everything else does not count as part of the names."""

    def __init__(self, path: Path) -> None:
        self.name = path.stem
        self._lock = threading.Lock()  # members are read one at a time: ZipFile is not safe without it
        try:
            self._zip = zipfile.ZipFile(path)
        except _ARCHIVE_ERRORS as error:
            raise DataError(f"{shown(str(path))} is neither a folder nor a readable zip ({error}).") from error
        try:
            self._check_size(path)
        except DataError:
            self._zip.close()
            raise
        self._members, self.refused = _members(self._zip.infolist())
        names = [name for name in self._members if _is_image(name)]
        wrapper = "" if TABLE in self._members else common_folder(names)
        self._members = {name.removeprefix(wrapper): info for name, info in self._members.items()}
        self.names = _sorted(name.removeprefix(wrapper) for name in names)

    def read(self, name: str) -> bytes:
        info = self._members[name]
        if info.file_size > MAX_FILE_BYTES:
            raise Unreadable(f"unpacks to over {MAX_FILE_BYTES >> 20} MiB")
        if info.flag_bits & 1:
            raise Unreadable("locked with a password")
        try:
            with self._lock, self._zip.open(info) as member:
                return member.read()  # never more than the declared size, which was checked
        except (*_ARCHIVE_ERRORS, lzma.LZMAError) as error:
            raise Unreadable("damaged inside the zip") from error

    def table(self) -> bytes | None:
        return _read_table(self, TABLE) if TABLE in self._members else None

    def close(self) -> None:
        self._zip.close()

    def _check_size(self, path: Path) -> None:
        infos = self._zip.infolist()
        if len(infos) > MAX_FILES:
            raise DataError(f"{shown(path.name)} holds {len(infos)} entries; at most {MAX_FILES} are read.")
        unpacked = sum(info.file_size for info in infos)
        if unpacked > max(MAX_ARCHIVE_BYTES, MAX_ARCHIVE_RATIO * path.stat().st_size):
            raise DataError(
                f"{shown(path.name)} claims to unpack to {unpacked / 2**30:.0f} GiB, far more than images would: "
                "it looks like a zip bomb, so it is not read."
            )


def _walk(folder: Path, prefix: str, parents: tuple[str, ...]) -> Iterator[str]:
    """Names of the image files under `folder`; a link back to a parent is not followed."""
    place = os.path.realpath(folder)
    if place in parents:
        return
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir():
                if _is_visible(entry.name):
                    yield from _walk(folder / entry.name, f"{prefix}{entry.name}/", (*parents, place))
            elif entry.is_file() and _is_image(entry.name):  # is_file: a named pipe would block for ever
                yield prefix + entry.name


def _members(infos: Iterable[zipfile.ZipInfo]) -> tuple[dict[str, zipfile.ZipInfo], tuple[Broken, ...]]:
    """Members by cleaned name, and the image members that are not read because of their name."""
    members: dict[str, zipfile.ZipInfo] = {}
    refused: list[Broken] = []
    for info in infos:
        if info.is_dir():
            continue
        parts = info.filename.replace("\\", "/").split("/")
        name = "/".join(part for part in parts if part not in ("", "."))
        if ".." in parts or not parts[0] or parts[0].endswith(":"):
            if _is_image(parts[-1]):
                refused.append(Broken(info.filename, "its path leads out of the zip"))
        elif name in members:
            if _is_image(name):
                refused.append(Broken(name, "twice in the zip"))
        else:
            members[name] = info
    return members, tuple(refused)


def _read_table(source: Source, name: str) -> bytes:
    try:
        return source.read(name)
    except Unreadable as reason:
        raise DataError(f"{name} cannot be read: {reason}.") from reason


def _is_visible(name: str) -> bool:
    return not any(part.startswith(".") or part == "__MACOSX" for part in name.split("/"))


def _is_image(name: str) -> bool:
    return _is_visible(name) and os.path.splitext(name)[1].lower() in SUFFIXES


def _sorted(names: Iterable[str]) -> tuple[str, ...]:
    names = sorted(names)
    if len(names) > MAX_FILES:
        raise DataError(f"{len(names)} images are more than the {MAX_FILES} that can be used.")
    return tuple(names)
