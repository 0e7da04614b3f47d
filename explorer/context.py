"""What all visitors share: the library, the engine, the galleries. Opened once, at launch."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import torch

from explorer.direction_store import DirectionStore
from explorer.engine import Engine
from explorer.finding import Finder
from explorer.gallery import Gallery, folder_of, of_visitor
from explorer.library import Library
from explorer.measuring import Measurer
from explorer.options import DEFAULT_MODEL, Options
from explorer.readings import Readings
from explorer.scorers import Scorers
from stylegan.errors import InputError

VISITORS = 200  # galleries of a demo
VISITOR_PICTURES, VISITOR_MIB = 100, 32  # in each of them
VISITOR_DIRECTIONS = 24  # that each of them keeps of a model

OWN, USERS, VISITING = "own", "users", "visitors"  # folders of directions


@dataclass(frozen=True)
class AppContext:
    """The app behind the page. Nothing in it belongs to one visitor."""

    options: Options
    library: Library
    engine: Engine
    finder: Finder
    scorers: Scorers
    readings: Readings
    measurer: Measurer

    @classmethod
    def open(cls, options: Options) -> Self:
        """Read the models. InputError: none can be shown, or there is no such device."""
        files = options.models or ((DEFAULT_MODEL,) if DEFAULT_MODEL.is_file() else ())
        library = Library(files, options.folder, device=_device(options.device))
        if not library.cards():
            hint = "Give one with --model FILE, or put one into the folder given by --models."
            raise InputError(" ".join(["There is no model to show.", *library.problems, hint]))
        for folder in _folders_of_directions(options.directions):
            DirectionStore(library, folder).load()
        engine, scorers = Engine(library), Scorers(library)
        measurer = Measurer(library, options.runs, options.measurements, local=not options.public)
        return cls(options, library, engine, Finder(engine, scorers), scorers, Readings(engine, scorers), measurer)

    def make_room(self) -> None:
        """Where strangers come, forget what visitors kept who have not added to it for longest; else the disk fills."""
        if self.options.demo:
            for folder in _oldest(self.options.gallery):
                Gallery(folder).delete_all()
            for folder in _oldest(self.options.directions / VISITING):
                shutil.rmtree(folder, ignore_errors=True)

    def gallery(self, visitor: str | None, key: str) -> Gallery:
        """Whose kept pictures: a user's by name, a demo visitor's by their browser's secret key, else the owner's."""
        root = Path(self.options.gallery)
        if visitor is not None:
            return of_visitor(root, f"user:{visitor}")
        if self.options.demo:
            return of_visitor(root, f"key:{key}", VISITOR_PICTURES, VISITOR_MIB)
        return Gallery(root)

    def directions(self, visitor: str | None, key: str) -> DirectionStore:
        """Whose kept directions, told apart as in `gallery`; the directions beside the models are everybody's."""
        root = self.options.directions
        if visitor is not None:
            return DirectionStore(self.library, folder_of(root / USERS, visitor))
        if self.options.demo:
            return DirectionStore(self.library, folder_of(root / VISITING, key), VISITOR_DIRECTIONS)
        return DirectionStore(self.library, root / OWN)


def _folders_of_directions(root: Path) -> list[Path]:
    return [root / OWN, *_folders(root / USERS), *_folders(root / VISITING)]


def _folders(root: Path) -> list[Path]:
    return [folder for folder in root.iterdir() if folder.is_dir()] if root.is_dir() else []


def _oldest(root: Path) -> list[Path]:
    """The folders of visitors beyond the number there may be, those changed longest ago."""
    folders = sorted(_folders(root), key=lambda folder: folder.stat().st_mtime)
    return folders[: max(0, len(folders) - VISITORS)]


def _device(name: str) -> str:
    """A device that torch can use; "auto" is the first GPU, or the CPU."""
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.zeros(1, device=name)
    except (RuntimeError, AssertionError) as error:  # what torch raises for unknown, absent and not built-in devices
        raise InputError(f"--device {name}: torch cannot use it here; try cpu.") from error
    return name
