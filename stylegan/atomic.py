"""Files are written under a temporary name and renamed: a reader sees the old one or the new one, never a half."""

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stylegan.errors import DiskFullError


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on success it replaces `path`, on any error it is removed.

    Raises:
        DiskFullError: no space left on the device; `path` is as it was.
    """
    path = Path(path)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        with full_disk_as_error(path):
            yield temporary
            os.chmod(temporary, 0o666 & ~_umask())  # mkstemp makes files private; these are ordinary ones
            with open(temporary, "rb") as file:
                os.fsync(file.fileno())
            os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def full_disk_as_error(path: str | os.PathLike[str]) -> Iterator[None]:
    """Turn the system's "no space left" into one sentence that names `path`."""
    try:
        yield
    except Exception as error:
        if _is_full(error):
            raise DiskFullError(f"No space left to write {path}: free some and try again.") from error
        raise


def _is_full(error: Exception) -> bool:
    """Also in the words of safetensors, which writes from Rust and raises no OSError."""
    full = (errno.ENOSPC, errno.EDQUOT)
    if isinstance(error, OSError):
        return error.errno in full
    return any(f"(os error {number})" in str(error) for number in full)


def write_bytes(path: str | os.PathLike[str], data: bytes) -> None:
    """Write `data` to `path` in one step."""
    with replacing(path) as temporary:
        temporary.write_bytes(data)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
