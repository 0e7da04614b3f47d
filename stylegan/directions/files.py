"""NAME.directions.safetensors: the directions of one model, read strictly; and InterFaceGAN's boundary files (.npy)."""

import io
import math
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from stylegan.atomic import write_bytes
from stylegan.directions import storage
from stylegan.directions.direction import Direction, Facts, Fitness, unit
from stylegan.directions.storage import Path_
from stylegan.errors import InputError, NotAModelError
from stylegan.networks import Generator

KIND = "directions"
ENDING = ".directions.safetensors"
MAX_DIRECTIONS = 512
_MAX_NPY_BYTES = 1 << 20
_HEX = frozenset("0123456789abcdef")


@dataclass(frozen=True, eq=False)
class DirectionSet:
    """The directions of the model with digest `model`, all `[w_dim]` wide, each name once."""

    model: str
    directions: tuple[Direction, ...]

    def __post_init__(self) -> None:
        if not isinstance(self.model, str) or not self.model or not set(self.model) <= _HEX:
            raise InputError(f"The digest of a model is hexadecimal, not {self.model!r:.80}.")
        if not 1 <= len(self.directions) <= MAX_DIRECTIONS:
            raise InputError(f"A file has 1 to {MAX_DIRECTIONS} directions, not {len(self.directions)}.")
        names = [direction.name for direction in self.directions]
        if len(set(names)) < len(names):
            raise InputError("Two directions have the same name: give each one of its own.")
        if len({len(direction.vector) for direction in self.directions}) > 1:
            raise InputError("All directions of a file have the width of its model's w.")

    @property
    def w_dim(self) -> int:
        """Width of the vectors."""
        return len(self.directions[0].vector)

    def named(self, name: str) -> Direction:
        """The direction called `name`; InputError where there is none."""
        for direction in self.directions:
            if direction.name == name:
                return direction
        raise InputError(f"There is no direction {name!r}; there are: {', '.join(d.name for d in self.directions)}.")


def save_directions(found: DirectionSet, path: Path_) -> None:
    """Write NAME.directions.safetensors in one step.

    Raises:
        InputError: another ending, or no such folder.
    """
    tensors: dict[str, Tensor] = {}
    entries = []
    for i, direction in enumerate(found.directions):
        tensors[f"{i}.w"] = direction.vector
        if direction.z_vector is not None:
            tensors[f"{i}.z"] = direction.z_vector
        entries.append(_entry(direction))
    document = {"model": found.model, "directions": entries}
    storage.write(storage.check_name(path, ENDING), KIND, document, tensors)


def load_directions(path: Path_) -> DirectionSet:
    """Read what `save_directions` wrote.

    Raises:
        NotAModelError: not such a file, or damaged: an unknown field, a vector that is missing, left over, not
            of length 1 or not the one that its digest is of.
        NewerFormatError: from a newer version of this project.
        WeightsError: a number is not finite.
    """
    document, tensors = storage.read(path, KIND)
    name = Path(path).name
    try:
        if set(document) != {"model", "directions"} or not isinstance(document["directions"], list):
            raise InputError("it holds something else than model and directions")
        found = [_read(entry, i, tensors) for i, entry in enumerate(document["directions"])]
        if tensors:
            raise InputError(f"tensor {min(tensors)[:40]} belongs to no direction")
        return DirectionSet(document["model"], tuple(found))
    except (InputError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise NotAModelError(f"{name} is damaged: {str(error)[:200].rstrip('.')}.") from error


def check_fits(found: DirectionSet, G: Generator) -> str:
    """A warning where the directions were found in another model; empty where they are this one's.

    Raises:
        InputError: they are of another width.
    """
    return check_model(found, G.digest, G.config.w_dim)


def check_model(found: DirectionSet, digest: str, w_dim: int) -> str:
    """As `check_fits`, for a model of which these are known."""
    if found.w_dim != w_dim:
        raise InputError(f"These directions are for w of width {found.w_dim}; this model's w has {w_dim}.")
    if found.model == digest:
        return ""
    return (
        f"These directions were found in another model ({found.model[:8]}, not {digest[:8]}): they mean something "
        "else here, unless one was trained from the other."
    )


def read_boundary(path: Path_, population: Tensor, name: str = "") -> Direction:
    """A boundary of InterFaceGAN: a `.npy` of `[1, w_dim]` or `[w_dim]` numbers, brought to length 1.

    Args:
        population: samples of the model's W `[N, w_dim]`, not truncated, for σ.
        name: empty = the file's own.

    Raises:
        InputError: not such a file, of another width, zero or not finite.
    """
    path = Path(path)
    if not path.is_file() or path.stat().st_size > _MAX_NPY_BYTES:
        raise InputError(f"{path.name} is not there, or too large for a boundary (1 MiB at most).")
    data = path.read_bytes()
    try:
        if not data.startswith(b"\x93NUMPY"):
            raise ValueError("no .npy")  # numpy would try other formats
        array = np.load(io.BytesIO(data), allow_pickle=False)
    except (ValueError, OSError, EOFError, SyntaxError) as error:  # what damaged headers raise
        raise InputError(f"{path.name} is not a .npy file of numbers.") from error
    if array.dtype.kind not in "fiu" or array.ndim not in (1, 2):
        raise InputError(f"{path.name} does not hold one vector of numbers, [1, width] or [width].")
    if array.ndim == 2 and array.shape[0] != 1:
        raise InputError(f"{path.name} holds {array.shape[0]} vectors, and a boundary is one: [1, width].")
    width = array.shape[-1]
    if width != population.shape[1]:
        raise InputError(f"{path.name} is for w of width {width}; this model's w has {population.shape[1]}.")
    name = name or path.stem.removesuffix("_boundary")
    vector = unit(torch.from_numpy(array.reshape(-1).astype(np.float64)), path.name)
    along = population.double().cpu() @ vector.double()
    facts = Facts(note=f"imported from {path.name[:80]}")
    return Direction(name, vector, float(along.std(correction=0)), float(along.mean()), None, "import", facts)


def write_boundary(direction: Direction, path: str | os.PathLike[str]) -> None:
    """Write the vector as InterFaceGAN's `.npy`: float32 `[1, w_dim]`."""
    path = Path(path)
    if path.suffix != ".npy" or not path.parent.is_dir():
        raise InputError(f"A boundary is written to NAME.npy in a folder that exists, not to {path}.")
    buffer = io.BytesIO()
    np.save(buffer, direction.vector.numpy()[None], allow_pickle=False)
    write_bytes(path, buffer.getvalue())


def _entry(direction: Direction) -> dict[str, Any]:
    return {
        "name": direction.name,
        "digest": direction.digest,
        "sigma": direction.sigma,
        "offset": direction.offset,
        "layers": None if direction.layers is None else list(direction.layers),
        "method": direction.method,
        "facts": asdict(direction.facts),
    }


def _read(entry: Mapping[str, Any], i: int, tensors: dict[str, Tensor]) -> Direction:
    """One direction; its tensors are taken out of `tensors`."""
    _same_keys(entry, {"name", "digest", "sigma", "offset", "layers", "method", "facts"}, "a direction")
    if not all(isinstance(entry[key], float) and math.isfinite(entry[key]) for key in ("sigma", "offset")):
        raise InputError("σ and offset of a direction are numbers")
    facts = dict(entry["facts"])
    _same_keys(facts, {f.name for f in fields(Facts)}, "the facts of a direction")
    for space in ("w", "z"):
        if facts[space] is not None:
            _same_keys(facts[space], {f.name for f in fields(Fitness)}, "the fitness of a direction")
            facts[space] = Fitness(**facts[space])
    direction = Direction(
        entry["name"],
        tensors.pop(f"{i}.w"),
        entry["sigma"],
        entry["offset"],
        None if entry["layers"] is None else tuple(entry["layers"]),
        entry["method"],
        Facts(**facts),
        tensors.pop(f"{i}.z", None),
    )
    if direction.digest != entry["digest"]:
        raise InputError(f"the vector of {direction.name} is not the one that its digest is of")
    return direction


def _same_keys(found: Mapping[str, Any], wanted: set[str], what: str) -> None:
    if set(found) != wanted:
        odd = sorted(set(found) ^ wanted)
        raise InputError(f"{what} has the fields {', '.join(sorted(wanted))}; {odd[0][:40]} is missing or unknown")
