"""Pictures that were uploaded to train on: kept beside the runs, by content, until no run needs them any more."""

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from explorer.values import RecipeError, digest, show
from stylegan.atomic import full_disk_as_error
from stylegan.data.sources import SUFFIXES, open_source
from stylegan.errors import InputError

MAX_FILES = 20_000  # beyond, a zip or a folder is the better way
FOLDER = ".uploads"


class Uploads:
    """The folder of uploads in a folder of runs."""

    def __init__(self, runs: Path) -> None:
        self.root = Path(runs) / FOLDER

    def store(self, files: Sequence[tuple[Path, str]]) -> str:
        """Keep one zip, or images, by moving them here; returns their id.

        Args:
            files: where each lies now, and what it is called.

        Raises:
            InputError: neither, or too many.
            DataError: a zip that is unsafe, or holds no images.
            DiskFullError: no space left.
        """
        zips = [name for _, name in files if name.lower().endswith(".zip")]
        others = [name for _, name in files if os.path.splitext(name)[1].lower() not in {*SUFFIXES, ".zip"}]
        if not files or len(files) > MAX_FILES:
            raise InputError(f"Upload 1 to {MAX_FILES} images, or one zip of them.")
        if others or (zips and len(files) > 1):
            wrong = others[0] if others else zips[0]
            raise InputError(f"Upload images (JPEG, PNG, WebP, BMP, TIFF, GIF) or a single zip, not {show(wrong)} too.")
        with full_disk_as_error(self.root):
            self.root.mkdir(parents=True, exist_ok=True)
            part = Path(tempfile.mkdtemp(prefix=".part-", dir=self.root))
            try:
                target = part / (_clean(zips[0]) if zips else "images")
                for path, name in _places(files, target, bool(zips)):
                    name.parent.mkdir(exist_ok=True)
                    shutil.move(path, name)
                open_source(target).close()
                key = _digest(target)
                if not (self.root / key).exists():
                    os.rename(part, self.root / key)
            finally:
                shutil.rmtree(part, ignore_errors=True)
        return key

    def path(self, key: object) -> Path:
        """The zip or folder of an upload. InputError: there is none of that id."""
        if not key:
            raise InputError("Upload images, or a zip of them, first.")
        folder = self.root / digest(key, "An upload")
        found = sorted(folder.iterdir()) if folder.is_dir() else []
        if not found:
            raise RecipeError("These uploaded images are gone: upload them again.")
        return found[0].absolute()

    def id_of(self, data: str) -> str:
        """The id of an upload from what a plan calls its data; "" where that is something else."""
        path = Path(data)
        return path.parent.name if path.parent.parent.absolute() == self.root.absolute() else ""

    def words(self, key: str) -> str:
        """`photos.zip` or `12 images`; nothing where it is gone."""
        try:
            path = self.path(key)
        except InputError:
            return ""
        return path.name if path.is_file() else f"{len(list(path.iterdir()))} images"

    def sweep(self, used: Iterable[str]) -> None:
        """Remove uploads that none of these plans' data names."""
        kept = {self.id_of(data) for data in used}
        for folder in self.root.iterdir() if self.root.is_dir() else ():
            if folder.name not in kept and not folder.name.startswith("."):
                shutil.rmtree(folder, ignore_errors=True)


def _places(files: Sequence[tuple[Path, str]], target: Path, is_zip: bool) -> Iterator[tuple[Path, Path]]:
    """Where each file goes: clean names, each once."""
    taken: set[str] = set()
    for number, (path, name) in enumerate(files):
        clean = _clean(name)
        clean = f"{number}-{clean}" if clean in taken else clean
        taken.add(clean)
        yield path, target if is_zip else target / clean


def _clean(name: str) -> str:
    """The last part of a name, without what file systems or shells might take for something else."""
    stem, ending = os.path.splitext(name.replace("\\", "/").rsplit("/", 1)[-1])
    return (re.sub(r"[^\w.-]+", "_", stem).strip("._-")[-60:] or "images") + ending.lower()


def _digest(path: Path) -> str:
    """By names and bytes."""
    total = hashlib.sha256()
    for file in [path] if path.is_file() else sorted(path.iterdir()):
        total.update(file.name.encode())
        with open(file, "rb") as opened:
            total.update(hashlib.file_digest(opened, "sha256").digest())
    return total.hexdigest()[:16]
