"""A lock on a file that the system lets go when the process that holds it ends, however it ends."""

import errno
import sys
from typing import IO


def try_lock(file: IO[bytes], shared: bool = False) -> bool:
    """Lock `file` until it is closed; False where another process holds it.

    Several may hold a `shared` lock at once (on Windows only one); it excludes the other kind, and is enough to look.
    """
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file.fileno(), (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK):
            return False
        raise
    return True
