"""What the pickle reader makes: inert records of arrays and networks, whose data stays in the file until it is read.

numpy takes part only when an array is read, and then only to interpret bytes of a checked length as plain numbers.
"""

import math
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from stylegan.errors import ConversionError

MAX_DIMENSIONS = 8
# Element types as numpy's pickles spell them, without byte order: no objects, no records, no text, no dates.
ELEMENT_TYPES = {"b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8"}


@dataclass(frozen=True)
class Span:
    """A byte string that lies in a file."""

    path: Path
    offset: int
    length: int

    def read(self) -> bytes:
        """The bytes."""
        with open(self.path, "rb") as file:
            file.seek(self.offset)
            data = file.read(self.length)
        if len(data) != self.length:
            raise ConversionError(f"{self.path.name} changed while it was read.")
        return data


@dataclass
class StoredType:
    """A numpy dtype: an element type, and its byte order as soon as its state is set."""

    element: str
    order: str = "="

    @property
    def code(self) -> str:
        """`<f4`, …"""
        return self.order + self.element

    def set_state(self, state: object) -> str:
        """(version, byte order, no sub-array, no names, no fields, −1, −1, 0[, no metadata]), or what is wrong."""
        if type(state) is not tuple or len(state) not in (8, 9) or not _are_plain(state):
            return "gives an array an element type with a strange state"
        version, order, *fields, size, alignment, flags = state[:8]
        unstructured = fields == [None, None, None] and (size, alignment, flags) == (-1, -1, 0)
        if version not in (3, 4) or order not in ("<", ">", "|", "=") or not unstructured:
            return "gives an array an element type that is no plain number"
        self.order = order
        return ""


@dataclass
class StoredArray:
    """An array that still lies in its file; empty until its state is set."""

    shape: tuple[int, ...] = (0,)
    code: str = "<f4"
    fortran: bool = False
    data: Span | None = None

    def set_state(self, state: object) -> str:
        """numpy's (version, shape, dtype, is Fortran, data), or what is wrong."""
        if type(state) is not tuple or len(state) != 5 or self.data is not None:
            return "sets an array to something that is no array state"
        version, shape, element, fortran, data = state
        if type(version) is not int or version != 1 or type(fortran) not in (bool, int):
            return "sets an array to a state of an unknown version"
        return self.fill(shape, element, bool(fortran), data)

    def fill(self, shape: object, element: object, fortran: bool, data: object) -> str:
        """Take `data` as an array of `shape`; what is wrong, if anything is."""
        if not isinstance(element, StoredType):
            return "has an array without an element type"
        if type(shape) is not tuple or len(shape) > MAX_DIMENSIONS or not all(_is_size(n) for n in shape):
            return "has an array of no possible shape"
        if not isinstance(data, Span):
            return "has an array whose data are no bytes"
        wanted = math.prod(shape) * int(element.element[1:])
        if wanted != data.length:
            return f"has an array that needs {wanted} bytes but brings {data.length}"
        self.shape, self.code, self.fortran, self.data = shape, element.code, fortran, data
        return ""

    @property
    def length(self) -> int:
        """Bytes in the file."""
        return self.data.length if self.data else 0

    def read(self) -> npt.NDArray[Any]:
        """The array, in memory."""
        if self.data is None:
            raise ConversionError("An array in the file has no data.")
        values = np.frombuffer(self.data.read(), dtype=self.code)
        return values.reshape(self.shape, order="F" if self.fortran else "C")


@dataclass
class NetworkRecord:
    """A `dnnlib.tflib.network.Network`, of which only the state is kept; its code is never run."""

    state: dict[str, Any] = field(default_factory=dict)

    def set_state(self, state: object) -> str:
        """Keep `state`, or say what is wrong."""
        if type(state) is not dict or self.state:
            return "gives a network a state that is no dict"
        self.state = state
        return ""


class Symbol(Enum):
    """The names that an official pickle may use; the values say them in messages."""

    NETWORK = "dnnlib.tflib.network.Network"
    DICT = "a kind of dict"
    NDARRAY = "numpy.ndarray"
    DTYPE = "numpy.dtype"
    RECONSTRUCT = "numpy's array constructor"
    SCALAR = "numpy's scalar constructor"
    FROM_BUFFER = "numpy's buffer constructor"

    def make(self, arguments: object) -> object | None:
        """What calling it with `arguments` stands for; None if no official file calls it so."""
        if type(arguments) is not tuple or len(arguments) > 4:
            return None
        match self, arguments:
            case Symbol.NETWORK, ():
                return NetworkRecord()
            case Symbol.DICT, ():
                return {}
            case Symbol.DTYPE, (str(element), bool() | int(), bool() | int()) if element in ELEMENT_TYPES:
                return StoredType(element)
            case Symbol.RECONSTRUCT, (Symbol.NDARRAY, (int(size),), Span(length=1)) if size == 0:
                return StoredArray()
            case Symbol.SCALAR, (element, data):
                return _filled((), element, data)
            case Symbol.FROM_BUFFER, (data, element, shape, ("C" | "F") as order):
                return _filled(shape, element, data, order == "F")
        return None


def _filled(shape: object, element: object, data: object, fortran: bool = False) -> StoredArray | None:
    array = StoredArray()
    return None if array.fill(shape, element, fortran, data) else array


def _is_size(value: object) -> bool:
    return type(value) is int and 0 <= value < 1 << 40


def _are_plain(values: tuple[object, ...]) -> bool:
    """Whether all are None, numbers or text: safe to compare, however deep a hostile file nests its tuples."""
    return all(value is None or isinstance(value, (bool, int, str)) for value in values)
