"""Which scorer reads the pictures of a model: its own (NAME.attributes.safetensors beside it), or picture measures."""

import threading
from pathlib import Path

from explorer.library import Library
from stylegan.directions import PictureMeasures, Scorer, load_scorer
from stylegan.errors import StyleGANError

ATTRIBUTES = ".attributes"
MEASURES = PictureMeasures()

Stamp = tuple[int, int]  # size and time of a file


class Scorers:
    """The scorers of a library's models, each read once while its file stays as it is. Thread-safe."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._read: dict[Path, tuple[Stamp, Scorer | None, str]] = {}  # when; the scorer, or what is wrong
        self._lock = threading.Lock()

    def of(self, model: str) -> tuple[Scorer, str]:
        """The model's own scorer, or measures; and why it is not its own, where the file beside it cannot be read.

        Raises:
            InputError: no model of this digest.
        """
        scorer, problem = self.own(model)
        return MEASURES if scorer is None else scorer, problem

    def own(self, model: str) -> tuple[Scorer | None, str]:
        """The scorer in the file beside a model, if there is one; what is wrong with it, where it cannot be read.

        Raises:
            InputError: no model of this digest.
        """
        path = self._library.companion(model, ATTRIBUTES)
        if path is None:
            return None, ""
        with self._lock:
            try:
                status = path.stat()
                stamp = (status.st_size, status.st_mtime_ns)
                if path not in self._read or self._read[path][0] != stamp:
                    self._read[path] = (stamp, *_opened(path, self._library.device))
            except OSError:  # gone since
                return None, ""
            return self._read[path][1:]


def _opened(path: Path, device: str) -> tuple[Scorer | None, str]:
    try:
        return load_scorer(path, device), ""
    except StyleGANError as error:
        return None, str(error)
