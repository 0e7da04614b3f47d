"""Reading an official pickle without running any of it.

A pickle is a program for a small stack machine, and Python's own machine calls whatever the program names. This one
knows the instructions that arrays, plain values and plain containers need, and nothing that calls, imports or sets
attributes: the few names that official files use (FACTS §10) are symbols here, and any other name is refused when it is
met. Array data is never loaded, only noted by its place in the file, so that reading takes little memory whatever the
file says. Every length is held against what is left of the file before it is used.
"""

import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from stylegan.convert.stored import NetworkRecord, Span, StoredArray, StoredType, Symbol
from stylegan.errors import ConversionError, UnsafePickleError

MAX_STEPS = 200_000  # instructions; the official 1024² file has some 15,000, and each may cost 100 bytes of memory
MAX_TEXT_BYTES = 16 << 20  # all strings together; the official files carry some 200 kB of source text
MAX_LINE_BYTES = 4096  # of the instructions of old protocols that end with a newline
MAX_INT_BYTES = 64
HOSTILE_LENGTH = 2 << 30  # no array of these networks is a hundredth of this: a longer one is no accident

_NUMPY_CORES = ("numpy.core", "numpy._core")  # before and since numpy 2
SYMBOLS: dict[tuple[str, str], Symbol] = {
    ("dnnlib.tflib.network", "Network"): Symbol.NETWORK,
    ("dnnlib.util", "EasyDict"): Symbol.DICT,
    ("collections", "OrderedDict"): Symbol.DICT,
    ("numpy", "ndarray"): Symbol.NDARRAY,
    ("numpy", "dtype"): Symbol.DTYPE,
    **{(f"{core}.multiarray", "_reconstruct"): Symbol.RECONSTRUCT for core in _NUMPY_CORES},
    **{(f"{core}.multiarray", "scalar"): Symbol.SCALAR for core in _NUMPY_CORES},
    **{(f"{core}.numeric", "_frombuffer"): Symbol.FROM_BUFFER for core in _NUMPY_CORES},
}


def read_pickle(path: str | os.PathLike[str]) -> Any:
    """What the pickle at `path` describes: plain values and containers, `StoredArray` and `NetworkRecord`.

    Raises:
        UnsafePickleError: it asks for something else; the message names it. Nothing in the file was run.
        ConversionError: it is damaged or cut short, or is no pickle.
    """
    path = Path(path)
    try:
        with open(path, "rb") as file:
            machine = _Machine(path, file)
            return machine.run()
    except OSError as error:
        raise ConversionError(f"{path.name} cannot be read: {error.strerror or error}.") from error


class _Machine:
    """The stack machine: `run` carries out one instruction after another until STOP."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self.path, self.file = path, file
        self.size = os.fstat(file.fileno()).st_size
        self.position = 0
        self.text_bytes = 0
        self.stack: list[Any] = []
        self.marks: list[int] = []  # heights of the stack at the open marks
        self.memo: dict[int, Any] = {}

    def run(self) -> Any:
        for _ in range(MAX_STEPS):
            code = self.take(1)
            if code == b".":
                if len(self.stack) != 1 or self.marks:
                    raise self.damaged("its end comes with values left over or missing")
                return self.stack[0]
            action = _ACTIONS.get(code)
            if action is None:
                raise self.unsafe(_REFUSED.get(code, f"uses instruction {code!r}"))
            try:
                action(self)
            except (IndexError, KeyError, UnicodeError, ValueError, struct.error) as error:
                raise self.damaged(f"instruction {code!r} finds no fit operands ({type(error).__name__})") from error
        raise self.unsafe(f"has more than {MAX_STEPS} instructions")

    # What goes wrong.

    def unsafe(self, what: str) -> UnsafePickleError:
        return UnsafePickleError(
            f"{self.path.name} {what} (at byte {self.position}); only arrays and plain containers are read. "
            "Nothing in the file was run."
        )

    def damaged(self, what: str) -> ConversionError:
        where = f"at byte {self.position}"
        return ConversionError(f"{self.path.name} is no pickle, damaged or cut short: {what} ({where}).")

    # The file.

    def expect(self, length: int) -> None:
        left = self.size - self.position
        if length < 0 or length > left:
            message = f"announces {length} bytes where {left} are left"
            if length < 0 or length >= HOSTILE_LENGTH:
                raise self.unsafe(message)
            raise self.damaged(f"it {message}")

    def take(self, length: int) -> bytes:
        self.expect(length)
        data = self.file.read(length)
        self.position += len(data)
        if len(data) != length:
            raise self.damaged("it shrank while it was read")
        return data

    def number(self, code: str) -> Any:
        return struct.unpack(code, self.take(struct.calcsize(code)))[0]

    def line(self) -> bytes:
        data = self.file.readline(MAX_LINE_BYTES)
        self.position += len(data)
        if not data.endswith(b"\n"):
            raise self.damaged("a line has no end")
        return data[:-1]

    def text(self, length: int, encoding: str = "utf-8") -> str:
        self.expect(length)
        self.text_bytes += length
        if self.text_bytes > MAX_TEXT_BYTES:
            raise self.unsafe(f"holds more than {MAX_TEXT_BYTES >> 20} MiB of text")
        return self.take(length).decode(encoding, "surrogatepass" if encoding == "utf-8" else "strict")

    def span(self, length: int) -> Span:
        self.expect(length)
        span = Span(self.path, self.position, length)
        self.position += length
        self.file.seek(self.position)
        return span

    # The stack.

    def push(self, value: Any) -> None:
        self.stack.append(value)

    def pop(self) -> Any:
        if self.marks and len(self.stack) <= self.marks[-1]:
            raise IndexError
        return self.stack.pop()

    def top(self) -> Any:
        if self.marks and len(self.stack) <= self.marks[-1]:
            raise IndexError
        return self.stack[-1]

    def pop_to_mark(self) -> list[Any]:
        height = self.marks.pop()
        values = self.stack[height:]
        del self.stack[height:]
        return values


# Instructions that do not fit in a line.


def _symbol(machine: _Machine, module: object, name: object) -> Symbol:
    if not isinstance(module, str) or not isinstance(name, str):
        raise machine.unsafe("names a global by something that is no text")
    if (module, name) not in SYMBOLS:
        raise machine.unsafe(f"asks for {_shown(f'{module}.{name}')}")
    return SYMBOLS[module, name]


def _shown(text: str) -> str:
    """`text` from the file, fit for one line of a message."""
    return text.encode("unicode_escape").decode("ascii")[:120]


def _global(machine: _Machine) -> None:
    module, name = machine.line().decode(), machine.line().decode()
    machine.push(_symbol(machine, module, name))


def _stack_global(machine: _Machine) -> None:
    name, module = machine.pop(), machine.pop()
    machine.push(_symbol(machine, module, name))


def _instance(machine: _Machine) -> None:
    _global(machine)
    raise machine.unsafe("makes an instance of an old class")


def _protocol(machine: _Machine) -> None:
    version = machine.number("<B")
    if not 2 <= version <= 5:
        raise machine.unsafe(f"has pickle protocol {version}; 2 to 5 are known")


def _frame(machine: _Machine) -> None:
    machine.expect(machine.number("<Q"))


def _long(machine: _Machine, code: str) -> None:
    length = machine.number(code)
    machine.expect(length)
    if length > MAX_INT_BYTES:
        raise machine.unsafe(f"holds a number of {length} bytes")
    machine.push(int.from_bytes(machine.take(length), "little", signed=True))


def _integer_line(machine: _Machine) -> None:
    line = machine.line()
    machine.push(line == b"01" if line in (b"00", b"01") else int(line.rstrip(b"L")))


def _quoted_line(machine: _Machine) -> None:
    line = machine.line().strip()
    if len(line) < 2 or line[:1] not in b"'\"" or line[:1] != line[-1:]:
        raise ValueError
    machine.push(line[1:-1].decode("latin-1"))


def _append(machine: _Machine, values: list[Any]) -> None:
    target = machine.top()
    if type(target) is not list:
        raise ValueError
    target.extend(values)


def _set_items(machine: _Machine, values: list[Any]) -> None:
    target = machine.top()
    keys = values[::2]
    if type(target) is not dict or len(values) % 2:
        raise ValueError
    if not all(isinstance(key, str) for key in keys):
        raise machine.unsafe("has a dict whose keys are not all text")
    target.update(zip(keys, values[1::2], strict=True))


def _dict(machine: _Machine) -> None:
    values = machine.pop_to_mark()
    machine.push({})
    _set_items(machine, values)


def _new_object(machine: _Machine) -> None:
    arguments, kind = machine.pop(), machine.pop()
    value = kind.make(arguments) if isinstance(kind, Symbol) and kind in (Symbol.NETWORK, Symbol.DICT) else None
    if value is None:
        raise machine.unsafe(f"makes an object of {_described(kind)}")
    machine.push(value)


def _reduce(machine: _Machine) -> None:
    arguments, function = machine.pop(), machine.pop()
    if not isinstance(function, Symbol):
        raise machine.unsafe(f"calls {_described(function)}")
    value = function.make(arguments)
    if value is None:
        raise machine.unsafe(f"calls {_described(function)} with arguments that no official file has")
    machine.push(value)


def _build(machine: _Machine) -> None:
    state = machine.pop()
    target = machine.top()
    if isinstance(target, (NetworkRecord, StoredArray, StoredType)):
        problem = target.set_state(state)
        if problem:
            raise machine.unsafe(problem)
    elif type(target) is not dict or not (state is None or (type(state) is dict and not state)):
        raise machine.unsafe(f"sets the state of {_described(target)}")


def _described(value: object) -> str:
    return value.value if isinstance(value, Symbol) else f"a {type(value).__name__}"


_Action = Callable[[_Machine], Any]
_REFUSED = {
    b"P": "asks for a persistent object",
    b"Q": "asks for a persistent object",
    b"\x82": "asks for an object by extension code",
    b"\x83": "asks for an object by extension code",
    b"\x84": "asks for an object by extension code",
    b"\x92": "makes an object with keywords",
    b"o": "makes an instance of an old class",
    b"\x8f": "makes a set",
    b"\x91": "makes a set",
    b"\x97": "asks for a buffer outside the file",
    b"\x98": "asks for a buffer outside the file",
}
_ACTIONS: dict[bytes, _Action] = {
    b"\x80": _protocol,
    b"\x95": _frame,
    # plain values
    b"N": lambda m: m.push(None),
    b"\x88": lambda m: m.push(True),
    b"\x89": lambda m: m.push(False),
    b"K": lambda m: m.push(m.number("<B")),
    b"M": lambda m: m.push(m.number("<H")),
    b"J": lambda m: m.push(m.number("<i")),
    b"I": _integer_line,
    b"L": _integer_line,
    b"\x8a": lambda m: _long(m, "<B"),
    b"\x8b": lambda m: _long(m, "<i"),
    b"G": lambda m: m.push(m.number(">d")),
    b"F": lambda m: m.push(float(m.line())),
    # text and bytes
    b"\x8c": lambda m: m.push(m.text(m.number("<B"))),
    b"X": lambda m: m.push(m.text(m.number("<I"))),
    b"\x8d": lambda m: m.push(m.text(m.number("<Q"))),
    b"V": lambda m: m.push(m.line().decode("raw-unicode-escape")),
    b"U": lambda m: m.push(m.text(m.number("<B"), "latin-1")),
    b"T": lambda m: m.push(m.text(m.number("<i"), "latin-1")),
    b"S": _quoted_line,
    b"C": lambda m: m.push(m.span(m.number("<B"))),
    b"B": lambda m: m.push(m.span(m.number("<I"))),
    b"\x8e": lambda m: m.push(m.span(m.number("<Q"))),
    b"\x96": lambda m: m.push(m.span(m.number("<Q"))),
    # containers
    b"(": lambda m: m.marks.append(len(m.stack)),
    b")": lambda m: m.push(()),
    b"\x85": lambda m: m.push((m.pop(),)),
    b"\x86": lambda m: m.push((m.pop(), m.pop())[::-1]),
    b"\x87": lambda m: m.push((m.pop(), m.pop(), m.pop())[::-1]),
    b"t": lambda m: m.push(tuple(m.pop_to_mark())),
    b"]": lambda m: m.push([]),
    b"l": lambda m: m.push(m.pop_to_mark()),
    b"a": lambda m: _append(m, [m.pop()]),
    b"e": lambda m: _append(m, m.pop_to_mark()),
    b"}": lambda m: m.push({}),
    b"s": lambda m: _set_items(m, [m.pop(), m.pop()][::-1]),
    b"u": lambda m: _set_items(m, m.pop_to_mark()),
    b"d": _dict,
    # stack and memo
    b"0": lambda m: m.pop(),
    b"1": lambda m: m.pop_to_mark(),
    b"2": lambda m: m.push(m.top()),
    b"\x94": lambda m: m.memo.__setitem__(len(m.memo), m.top()),
    b"q": lambda m: m.memo.__setitem__(m.number("<B"), m.top()),
    b"r": lambda m: m.memo.__setitem__(m.number("<I"), m.top()),
    b"p": lambda m: m.memo.__setitem__(int(m.line()), m.top()),
    b"h": lambda m: m.push(m.memo[m.number("<B")]),
    b"j": lambda m: m.push(m.memo[m.number("<I")]),
    b"g": lambda m: m.push(m.memo[int(m.line())]),
    # names, and what is made of them
    b"c": _global,
    b"\x93": _stack_global,
    b"i": _instance,
    b"\x81": _new_object,
    b"R": _reduce,
    b"b": _build,
}
