"""What all visitors share: the library, the engine, the galleries. Opened once, at launch."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import torch

from explorer.engine import Engine
from explorer.gallery import Gallery, of_visitor
from explorer.library import Library
from explorer.options import DEFAULT_MODEL, Options
from stylegan.errors import InputError

VISITORS = 200  # galleries of a demo
VISITOR_PICTURES, VISITOR_MIB = 100, 32  # in each of them


@dataclass(frozen=True)
class AppContext:
    """The app behind the page. Nothing in it belongs to one visitor."""

    options: Options
    library: Library
    engine: Engine

    @classmethod
    def open(cls, options: Options) -> Self:
        """Read the models. InputError: none can be shown, or there is no such device."""
        files = options.models or ((DEFAULT_MODEL,) if DEFAULT_MODEL.is_file() else ())
        library = Library(files, options.folder, device=_device(options.device))
        if not library.cards():
            hint = "Give one with --model FILE, or put one into the folder given by --models."
            raise InputError(" ".join(["There is no model to show.", *library.problems, hint]))
        return cls(options, library, Engine(library))

    def make_room(self) -> None:
        """Where strangers come, forget the galleries not added to for longest, so that the disk does not fill."""
        root = Path(self.options.gallery)
        if self.options.demo and root.is_dir():
            folders = sorted(filter(Path.is_dir, root.iterdir()), key=lambda folder: folder.stat().st_mtime)
            for folder in folders[: max(0, len(folders) - VISITORS)]:
                Gallery(folder).delete_all()

    def gallery(self, visitor: str | None, key: str) -> Gallery:
        """Whose kept pictures: a user's by name, a demo visitor's by their browser's secret key, else the owner's."""
        root = Path(self.options.gallery)
        if visitor is not None:
            return of_visitor(root, f"user:{visitor}")
        if self.options.demo:
            return of_visitor(root, f"key:{key}", VISITOR_PICTURES, VISITOR_MIB)
        return Gallery(root)


def _device(name: str) -> str:
    """A device that torch can use; "auto" is the first GPU, or the CPU."""
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.zeros(1, device=name)
    except (RuntimeError, AssertionError) as error:  # what torch raises for unknown, absent and not built-in devices
        raise InputError(f"--device {name}: torch cannot use it here; try cpu.") from error
    return name
