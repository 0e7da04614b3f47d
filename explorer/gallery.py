"""Kept pictures: a folder of PNG files that carry their recipes, and nothing else to lose.

A picture's id is its recipe's digest, and its file is named by it: keeping the same picture twice keeps it once.
Ids are all that ever comes from a client, and they are hex digits; the folder of a visitor is named by a hash.
"""

import hashlib
import io
import os
import re
import shutil
import struct
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from explorer import png
from explorer.recipe import DIGEST_LENGTH, Recipe
from explorer.values import RecipeError, show
from explorer.words import describe
from stylegan.atomic import replacing, write_bytes
from stylegan.errors import StyleGANError

THUMBNAIL_PX = 160
MAX_PIXELS = 4096 * 4096  # the largest picture that a thumbnail is made of

_ID = re.compile(rf"[0-9a-f]{{{DIGEST_LENGTH}}}")


class GalleryError(StyleGANError):
    """A picture cannot be kept, found, read or exported."""


@dataclass(frozen=True)
class Kept:
    """One picture of a gallery."""

    id: str  # its recipe's digest when it was kept
    recipe: Recipe
    kept_sec: float  # when, in seconds since 1970
    size_bytes: int


@dataclass(frozen=True)
class Listing:
    """All pictures, newest first, and the names of files that hold none that can be read."""

    pictures: tuple[Kept, ...]
    damaged: tuple[str, ...]


class Gallery:
    """The pictures in one folder; the folder is made when the first one is kept."""

    def __init__(self, folder: str | os.PathLike[str], max_count: int = 1000, max_mib: int = 1024) -> None:
        """`max_count` pictures and `max_mib` MiB are its limits; what is there already is never removed by them."""
        self._folder = Path(folder)
        self._max_count = max_count
        self._max_bytes = max_mib << 20

    def keep(self, picture: bytes) -> Kept:
        """Keep a PNG that carries its recipe (`png.encode`); one that is kept already becomes the newest.

        Raises:
            RecipeError: not such a PNG.
            GalleryError: the gallery is full, or its folder cannot be written. Nothing is lost.
            DiskFullError: no space left.
        """
        recipe = png.read(picture)
        others = [file for file in self._files() if file.stem != recipe.digest]
        if len(others) >= self._max_count:
            raise GalleryError(f"The gallery is full with {len(others)} pictures: export and delete some first.")
        if sum(_size(file) for file in others) + len(picture) > self._max_bytes:
            raise GalleryError(f"The gallery is full with {self._max_bytes >> 20} MiB: export and delete some first.")
        with self._told("written"):
            self._folder.mkdir(parents=True, exist_ok=True)
            write_bytes(self._path(recipe.digest), picture)
        return self._kept(self._path(recipe.digest))

    def listing(self) -> Listing:
        """What is kept, newest first. Files that are damaged are named, those of other names passed over."""
        pictures, damaged = [], []
        for file in self._files():
            try:
                pictures.append(self._kept(file))
            except (RecipeError, FileNotFoundError):
                if file.exists():  # else deleted meanwhile
                    damaged.append(file.name)
        pictures.sort(key=lambda picture: (-picture.kept_sec, picture.id))
        return Listing(tuple(pictures), tuple(sorted(damaged)))

    def read(self, id_: str) -> bytes:
        """The PNG, as it was kept. GalleryError: nothing of this id."""
        with self._told("read"):
            return self._path(id_).read_bytes()

    def recipe(self, id_: str) -> Recipe:
        """The recipe of a picture. GalleryError: nothing of this id; RecipeError: damaged."""
        return png.read(self.read(id_))

    def thumbnail(self, id_: str) -> bytes:
        """JPEG of at most 160 pixels on the longer side. GalleryError: nothing of this id, or damaged."""
        data = self.read(id_)
        width, height = struct.unpack(">II", data[16:24].ljust(8, b"\0"))
        if not 0 < width * height <= MAX_PIXELS:
            raise GalleryError(f"The picture {id_[:8]} is damaged: delete it.")
        try:
            with Image.open(io.BytesIO(data), formats=["PNG"]) as image:
                small = image.convert("RGB")
        except (OSError, ValueError, SyntaxError) as error:  # what Pillow raises for broken PNG files
            raise GalleryError(f"The picture {id_[:8]} is damaged: delete it.") from error
        small.thumbnail((THUMBNAIL_PX, THUMBNAIL_PX), Image.Resampling.LANCZOS)
        file = io.BytesIO()
        small.save(file, "JPEG", quality=90, subsampling=0)
        return file.getvalue()

    def delete(self, id_: str) -> None:
        """Remove a picture, damaged or not; one that is gone already is fine. GalleryError: not an id."""
        with self._told("changed"):
            self._path(id_).unlink(missing_ok=True)

    def delete_all(self) -> None:
        """Remove every picture, and the folder where nothing else is in it."""
        with self._told("changed"):
            for file in self._files():
                file.unlink(missing_ok=True)
            if self._folder.is_dir() and not any(self._folder.iterdir()):
                self._folder.rmdir()

    def export(self, path: str | os.PathLike[str], ids: Sequence[str] | None = None) -> int:
        """Write pictures to a zip at `path` in one step and return how many; None is all, newest first.

        Raises:
            GalleryError: none to export, or an id that is not there. `path` is as it was.
            RecipeError: one of the chosen is damaged. `path` is as it was.
            DiskFullError: no space left. `path` is as it was.
        """
        chosen = [picture.id for picture in self.listing().pictures] if ids is None else list(dict.fromkeys(ids))
        if not chosen:
            raise GalleryError("The gallery holds no pictures to export: keep some first.")
        with replacing(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
            for number, id_ in enumerate(chosen, 1):
                file = self._path(id_)
                with self._told("read"):
                    name = _zip_name(number, id_, self.recipe(id_))
                    info = zipfile.ZipInfo.from_file(file, name, strict_timestamps=False)
                    source = file.open("rb")
                with source, archive.open(info, "w") as target:  # piece by piece: memory does not grow with the zip
                    shutil.copyfileobj(source, target, 1 << 20)
        return len(chosen)

    def _path(self, id_: str) -> Path:
        if not isinstance(id_, str) or not _ID.fullmatch(id_):
            raise GalleryError(f"No picture is kept under {show(id_)}.")
        return self._folder / f"{id_}.png"

    def _files(self) -> list[Path]:
        if not self._folder.is_dir():
            return []
        with self._told("read"):
            return [file for file in self._folder.iterdir() if file.suffix == ".png" and _ID.fullmatch(file.stem)]

    def _kept(self, file: Path) -> Kept:
        recipe, status = png.read_file(file), file.stat()
        return Kept(file.stem, recipe, status.st_mtime, status.st_size)

    @contextmanager
    def _told(self, verb: str) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:
            raise GalleryError("This picture is not in the gallery any more.") from error
        except OSError as error:
            raise GalleryError(f"The gallery's folder cannot be {verb}: {error.strerror}.") from error


def of_visitor(root: str | os.PathLike[str], key: str, max_count: int = 1000, max_mib: int = 1024) -> Gallery:
    """The gallery that belongs to whoever holds `key`, a secret of any length; no path can be made from it."""
    return Gallery(folder_of(root, key), max_count, max_mib)


def folder_of(root: str | os.PathLike[str], key: str) -> Path:
    """Where under `root` that is kept which belongs to whoever holds `key`."""
    return Path(root) / hashlib.sha256(key.encode()).hexdigest()[:DIGEST_LENGTH]


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:  # deleted meanwhile
        return 0


def _zip_name(number: int, id_: str, recipe: Recipe) -> str:
    """`0001-seed-5-psi-0.7-1a2b3c4d.png`: letters, digits and signs that every system takes, no dot at either end."""
    words = describe(recipe).replace("ψ", "psi").replace("σ", "sd").lower()
    slug = re.sub(r"([^a-z0-9.+-]|\.(?![0-9]))+", "-", words)[:60].strip("-.")
    return f"{number:04d}-{slug}-{id_[:8]}.png"
