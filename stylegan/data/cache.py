"""Finished pyramids on disk, keyed by what they hold, so that no picture is decoded, resized or rendered twice.

A pyramid is built in `KEY.part` by whoever holds the lock file `KEY.lock`, and renamed to `KEY` when complete: others
that want the same one wait. The system drops the lock of a killed process, so a `.part` whose lock is free belongs to
nobody: the next builder of that key takes it over, and any other build sweeps it away when it is a day old.
"""

import contextlib
import errno
import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from stylegan.data.pyramid import Pyramid, PyramidWriter, pyramid_bytes
from stylegan.data.records import Progress
from stylegan.errors import DataError, DiskFullError

FORMAT = 1  # part of every key: raise it when a change here alters pixels or files
STALE_SEC = 86_400
WAIT_SEC = 0.2

Facts = dict[str, Any]  # JSON
Build = Callable[[PyramidWriter], Generator[Progress, None, Facts]]


def cache_root(cache: str | os.PathLike[str] | None = None) -> Path:
    """The folder for pyramids: under `cache`, or else $STYLEGAN_CACHE, or else ~/.cache/stylegan-explorer."""
    chosen = cache or os.environ.get("STYLEGAN_CACHE") or "~/.cache/stylegan-explorer"
    return Path(chosen).expanduser() / "data"


def cached(
    root: Path, key: str, resolution: int, most: int, build: Build, *, resumable: bool = False
) -> Generator[Progress, None, tuple[Pyramid, Facts]]:
    """The pyramid `key` in `root` and the facts its build returned; built first where it is missing or damaged.

    Args:
        root: the cache folder; made when missing.
        key: names content and options; everything that alters a pixel is in it.
        resolution: side of the finest level.
        most: how many pictures it can come to, for a look at the free space before the work.
        build: appends pictures to the writer it is given, yields progress, returns facts that JSON can hold.
        resumable: `build` goes on from `writer.count`, so what a process that ended early left is kept.

    Raises:
        DataError: the cache folder cannot be used, or what `build` raises.
        DiskFullError: no space left.
    """
    if (found := _open(root / key, resolution)) is not None:
        return found
    with _plain_errors(root):
        root.mkdir(parents=True, exist_ok=True)
        with open(root / f"{key}.lock", "ab") as lock:
            while not _try_lock(lock):
                yield Progress("waiting", 0, 0)
                time.sleep(WAIT_SEC)
            if (found := _open(root / key, resolution)) is None:
                _sweep(root)
                _check_space(root, resolution, most)
                yield from _build(root, key, resolution, build, resumable)
                found = _open(root / key, resolution)
    if found is None:
        raise DataError(f"The cache in {root} changes while it is in use: choose another place with STYLEGAN_CACHE.")
    return found


def _build(root: Path, key: str, resolution: int, build: Build, resumable: bool) -> Generator[Progress, None, None]:
    part = root / f"{key}.part"
    if not resumable:
        shutil.rmtree(part, ignore_errors=True)
    part.mkdir(exist_ok=True)
    try:
        with contextlib.closing(PyramidWriter(part, resolution)) as writer:
            facts = yield from build(writer)
            writer.finish()
            meta = {"resolution": resolution, "count": writer.count, "facts": facts}
        (part / "meta.json").write_text(json.dumps(meta))
        shutil.rmtree(root / key, ignore_errors=True)  # a damaged one, or else there would be nothing to build
        os.rename(part, root / key)
    finally:
        if not resumable:
            shutil.rmtree(part, ignore_errors=True)


def _open(folder: Path, resolution: int) -> tuple[Pyramid, Facts] | None:
    """None where it is missing or damaged."""
    try:
        meta = json.loads((folder / "meta.json").read_text())
        return Pyramid(folder, resolution, int(meta["count"])), meta["facts"]
    except (OSError, ValueError, KeyError, TypeError, DataError):
        return None


def _sweep(root: Path) -> None:
    """Remove what builders that were killed long ago left behind."""
    for part in root.glob("*.part"):
        with contextlib.suppress(OSError), open(part.with_suffix(".lock"), "ab") as lock:
            newest = max(entry.stat().st_mtime for entry in [part, *part.iterdir()])
            if time.time() - newest > STALE_SEC and _try_lock(lock):
                shutil.rmtree(part)


def _check_space(root: Path, resolution: int, most: int) -> None:
    needed, free = pyramid_bytes(resolution, most), shutil.disk_usage(root).free
    if needed > free:
        raise DiskFullError(
            f"{most} pictures at {resolution}² need {needed / 2**30:.1f} GiB, and {root} has {free / 2**30:.1f} GiB "
            "free: make room, or choose another place with STYLEGAN_CACHE."
        )


@contextlib.contextmanager
def _plain_errors(root: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFullError(
                f"No space left in {root}: make room, or choose another place with STYLEGAN_CACHE."
            ) from error
        raise DataError(
            f"The cache folder {root} cannot be used ({error.strerror or error}): choose another with STYLEGAN_CACHE."
        ) from error


def _try_lock(file: BinaryIO) -> bool:
    """Lock `file` for this process until it is closed, if nobody else has."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK):
            return False
        raise
    return True
