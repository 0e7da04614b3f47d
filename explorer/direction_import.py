"""Files of directions coming in and going out: .directions.safetensors, and InterFaceGAN's boundaries (.npy)."""

import re
from dataclasses import dataclass, replace
from pathlib import Path

from explorer.direction_store import DirectionStore
from explorer.engine import Engine
from explorer.library import ModelCard
from explorer.readings import sampled
from explorer.words import spoken
from stylegan.directions import Direction, DirectionSet, load_directions, read_boundary
from stylegan.directions import populations as _populations
from stylegan.directions.files import ENDING, check_model
from stylegan.errors import InputError

MAX_BYTES = 16 << 20
MEASURED_ON = 2000  # samples of W that σ of a boundary is measured on


@dataclass(frozen=True)
class Imported:
    """What has come of a file: directions kept, those that were there already, and a warning, if one is due."""

    added: tuple[Direction, ...]
    there: tuple[Direction, ...]
    warning: str = ""

    @property
    def words(self) -> str:
        """In one or two sentences."""
        names = ", ".join(spoken(direction.name) for direction in self.added[:8]) + (
            ", …" if len(self.added) > 8 else ""
        )
        parts = [f"Imported {names}."] if self.added else []
        if self.there:
            parts.append(f"{len(self.there)} {'is' if len(self.there) == 1 else 'are'} here already.")
        return " ".join([*parts, *([self.warning] if self.warning else [])])


def take_in(engine: Engine, store: DirectionStore, card: ModelCard, path: Path, name: str = "") -> Imported:
    """Keep the directions of a file for a model; names that are taken get a number.

    Args:
        path: of a file that was uploaded.
        name: what it was called; empty: as `path`.

    Raises:
        InputError: another width, or no such file as this reads; the message says why.
        ModelFileError: a damaged file.
    """
    name = name or path.name
    if not path.is_file() or path.stat().st_size > MAX_BYTES:
        raise InputError(f"Files of directions have at most {MAX_BYTES >> 20} MiB.")
    found: tuple[Direction, ...]
    warning = ""
    if name.endswith(".npy"):
        found = (_boundary(engine, card, path, name),)
    elif name.endswith(".safetensors"):
        read = load_directions(path)
        found, warning = read.directions, check_model(read, card.digest, card.w_dim)
    else:
        raise InputError(f"Directions come as NAME{ENDING} or as a boundary, NAME.npy; {name[:80]!r} is neither.")
    known = {direction.digest for direction in store.of(card)}
    added, there = [], []
    for direction in found:
        if direction.digest in known:
            there.append(direction)
        else:
            added.append(store.keep(card, _fitting(store, card, direction)))
    return Imported(tuple(added), tuple(there), warning)


def all_of(store: DirectionStore, card: ModelCard) -> DirectionSet:
    """Everything that can be steered along, as one set. InputError: nothing."""
    directions = store.of(card)
    if not directions:
        raise InputError(f"{card.name} has no directions to save.")
    return DirectionSet(card.digest, directions)


def file_name(name: str) -> str:
    """A name of a direction or a model in letters that every file system takes."""
    return re.sub(r"[^\w.-]+", "_", name)[:60].strip("._") or "direction"


def _boundary(engine: Engine, card: ModelCard, path: Path, name: str) -> Direction:
    w = sampled(engine, card.digest, _populations.SEEDS[:MEASURED_ON])
    stem = "".join(letter for letter in Path(name).stem if letter.isprintable()).removesuffix("_boundary").strip()
    return read_boundary(path, w, stem[:64].strip() or "boundary")


def _fitting(store: DirectionStore, card: ModelCard, direction: Direction) -> Direction:
    """With a name that is free, and meant for layers that the model has."""
    layers = None if direction.layers is None else tuple(i for i in direction.layers if i < card.num_ws) or None
    return replace(direction, name=store.free_name(card, direction.name), layers=layers)
