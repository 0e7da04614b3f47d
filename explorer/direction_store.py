"""Directions that people made or imported, kept in a folder: a file each, by model and digest.

    FOLDER/MODEL/DIGEST.directions.safetensors

The engine knows every kept direction, whoever keeps it: digests cannot be guessed, and a recipe that names one must
give its picture wherever it is opened. What is listed is what its visitor keeps. A forgotten direction is listed no
more, but pictures made with it can still be undone to while the app runs.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from explorer.library import Library, ModelCard
from explorer.values import digest as checked_digest
from explorer.values import show
from explorer.vectors import DirectionVector
from explorer.words import spoken
from stylegan.directions import Direction, DirectionSet, load_directions, save_directions
from stylegan.directions.files import ENDING, MAX_DIRECTIONS
from stylegan.errors import InputError, StyleGANError

MODEL_DIGITS = 32  # of a model's digest, in the name of a folder


class DirectionStore:
    """The directions of one owner, for all models."""

    def __init__(self, library: Library, folder: Path, most: int = MAX_DIRECTIONS) -> None:
        """`most` directions are kept for each model; the folder is made with the first of them."""
        self._library, self._folder, self._most = library, folder, most

    def of(self, card: ModelCard) -> tuple[Direction, ...]:
        """All that this owner can steer along: those in the file beside the model, then the kept ones, oldest first."""
        beside = self._library.directions_beside(card.digest)
        known = {direction.digest for direction in beside}
        return (*beside, *(direction for direction in self.kept(card) if direction.digest not in known))

    def kept(self, card: ModelCard) -> tuple[Direction, ...]:
        """Those that can be renamed and forgotten, oldest first; damaged files are passed over."""
        found = []
        for file in self._files(card):
            try:
                found.append((file.stat().st_mtime_ns, _read(file)))
            except (StyleGANError, OSError):
                continue
        found.sort(key=lambda pair: (pair[0], pair[1].name))
        return tuple(direction for _, direction in found)

    def get(self, card: ModelCard, digest: str) -> Direction:
        """The direction of this digest. InputError: the owner has none."""
        for direction in self.of(card):
            if direction.digest == digest:
                return direction
        raise InputError(f"There is no direction {show(digest)} of {card.name} here.")

    def named(self, card: ModelCard, name: str) -> Direction:
        """The direction of this name or digest. InputError: the owner has none; the message says which there are."""
        directions = self.of(card)
        for direction in directions:
            if name in (direction.name, direction.digest):
                return direction
        there = ", ".join(direction.name for direction in directions) or "none"
        raise InputError(f"{card.name} has no direction {show(name)}; there are: {there}.")

    def keep(self, card: ModelCard, direction: Direction) -> Direction:
        """Keep `direction`; one that is there already is fine.

        Raises:
            InputError: another width, a name that another direction has, or no room. Nothing is lost.
            DiskFullError: no space left.
        """
        if len(direction.vector) != card.w_dim:
            raise InputError(
                f"{direction.name} is for w of width {len(direction.vector)}; the w of {card.name} has {card.w_dim}."
            )
        there = self.of(card)
        if any(other.digest == direction.digest for other in there):
            return self.get(card, direction.digest)
        _check_free(direction.name, there)
        if len(list(self._files(card))) >= self._most:
            raise InputError(f"At most {self._most} directions of a model are kept: forget one first.")
        with _told():
            self._folder_of(card).mkdir(parents=True, exist_ok=True)
            save_directions(DirectionSet(card.digest, (direction,)), self._path(card, direction.digest))
        self._library.add_directions(card.digest, [DirectionVector.of(direction)])
        return direction

    def free_name(self, card: ModelCard, name: str) -> str:
        """`name`, or with a number behind it where there is such a direction already."""
        taken = {spoken(direction.name) for direction in self.of(card)}
        number = 1
        free = name
        while spoken(free) in taken:
            number += 1
            free = f"{name[:58].rstrip()} {number}"
        return free

    def rename(self, card: ModelCard, digest: str, name: str) -> Direction:
        """Give a kept direction another name; what it does to pictures stays.

        Raises:
            InputError: no kept direction of this digest, a name that another has, or no name.
        """
        old = self._own(card, digest)
        if name == old.name:
            return old
        _check_free(name, tuple(other for other in self.of(card) if other.digest != digest))
        new, path = replace(old, name=name), self._path(card, digest)
        with _told():
            status = path.stat()
            save_directions(DirectionSet(card.digest, (new,)), path)
            os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))  # its place in the list
        self._library.add_directions(card.digest, [DirectionVector.of(new)])
        return new

    def forget(self, card: ModelCard, digest: str) -> None:
        """Keep a direction no longer. InputError: no kept direction of this digest."""
        self._own(card, digest)
        with _told():
            self._path(card, digest).unlink(missing_ok=True)

    def load(self) -> None:
        """Make all that is kept for the library's models known to it, once, when the app starts."""
        for card in self._library.cards():
            self._library.add_directions(card.digest, map(DirectionVector.of, self.kept(card)))

    def _own(self, card: ModelCard, digest: str) -> Direction:
        path = self._path(card, checked_digest(digest, "The digest of a direction"))
        if not path.is_file():
            direction = self.get(card, digest)
            raise InputError(f"{spoken(direction.name)} belongs to the file beside the model: it stays as it is.")
        return _read(path)

    def _folder_of(self, card: ModelCard) -> Path:
        return self._folder / card.digest[:MODEL_DIGITS]

    def _path(self, card: ModelCard, digest: str) -> Path:
        return self._folder_of(card) / f"{digest}{ENDING}"

    def _files(self, card: ModelCard) -> Iterator[Path]:
        return self._folder_of(card).glob(f"*{ENDING}")


def _read(file: Path) -> Direction:
    (direction,) = load_directions(file).directions
    if file.name != f"{direction.digest}{ENDING}":
        raise InputError(f"{file.name} holds another direction than its name says.")
    return direction


def _check_free(name: str, there: tuple[Direction, ...]) -> None:
    if any(spoken(direction.name) == spoken(name) for direction in there):
        raise InputError(f"There is a direction {show(spoken(name))} already: choose another name.")


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InputError(f"The folder of directions cannot be changed: {error.strerror}.") from error
