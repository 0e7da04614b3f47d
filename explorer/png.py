"""A recipe inside a PNG: written as a text chunk, read back from files that anybody may have sent.

The recipe's canonical JSON is an iTXt chunk with the keyword `stylegan-explorer`; beside it stand the standard keywords
Software and Description, for people. Other programs may save it again as tEXt or zTXt, and behind the pixels; all are
read. Reading walks the chunk headers only: pixels are never decoded, foreign chunks never read, inflating is bounded.
(PNG: ISO/IEC 15948, §5 for chunks, §11.3.4 for text.)
"""

import io
import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
from PIL import Image

from explorer.recipe import MAX_JSON_BYTES, Recipe
from explorer.values import RecipeError
from explorer.words import describe

KEYWORD = b"stylegan-explorer"
MAX_FILE_BYTES = 64 << 20
MAX_CHUNKS = 100_000
MAX_TEXT_BYTES = MAX_JSON_BYTES + 1024  # the JSON with the head of its chunk
COMPRESS_LEVEL = 4  # 1024² in a third of the time of Pillow's own 6, 1 % smaller

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_OURS = (KEYWORD, b"Software", b"Description")


@dataclass(frozen=True)
class _Chunk:
    kind: bytes
    start: int  # where its data begin in the file
    length: int  # bytes of data, without the length, kind and checksum around them


def encode(picture: npt.NDArray[np.uint8], recipe: Recipe) -> bytes:
    """PNG of `picture` uint8 `[H, W, 3]` or `[H, W]` that carries `recipe`; equal bytes for equal arguments."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG", compress_level=COMPRESS_LEVEL)
    return embed(file.getvalue(), recipe)


def embed(png: bytes, recipe: Recipe) -> bytes:
    """The same PNG carrying `recipe`, in place of one that it carried before; its pixels are not touched.

    Raises:
        RecipeError: not a PNG, or cut short.
    """
    file = io.BytesIO(png)
    parts = [_SIGNATURE]
    for chunk in _chunks(file, len(png)):
        if _keyword(file, chunk) not in _OURS:
            parts.append(png[chunk.start - 8 : chunk.start + chunk.length + 4])
        if chunk.kind == b"IHDR":
            parts.append(_itxt(KEYWORD, recipe.json))
            parts.append(_chunk(b"tEXt", b"Software\0StyleGAN Explorer"))
            parts.append(_itxt(b"Description", describe(recipe)))
    return b"".join(parts)


def read(png: bytes) -> Recipe:
    """The recipe that a PNG carries.

    Raises:
        RecipeError: not a PNG, too large, cut short, without a recipe, or with one that cannot be used.
    """
    return _read(io.BytesIO(png), len(png))


def read_file(path: str | os.PathLike[str]) -> Recipe:
    """`read` for a file, of which only the chunk headers and the recipe are read. Missing files: RecipeError."""
    try:
        with Path(path).open("rb") as file:
            return _read(file, os.fstat(file.fileno()).st_size)
    except OSError as error:
        raise RecipeError("The PNG file cannot be read: choose it again.") from error


def _read(file: BinaryIO, size: int) -> Recipe:
    for chunk in _chunks(file, size):
        if _keyword(file, chunk) == KEYWORD:
            return Recipe.from_json(_text(_checked_data(file, chunk), chunk.kind))
    raise RecipeError("This PNG carries no recipe: StyleGAN Explorer did not save it, or a program has removed it.")


# Reading


def _chunks(file: BinaryIO, size: int) -> Iterator[_Chunk]:
    """Every chunk up to IEND. The file may be moved in between."""
    if size > MAX_FILE_BYTES:
        raise RecipeError(f"This file has {-(-size >> 20)} MiB; PNG files are read up to {MAX_FILE_BYTES >> 20} MiB.")
    file.seek(0)
    if file.read(8) != _SIGNATURE:
        raise RecipeError("This file is not a PNG; recipes are kept in the PNG files that StyleGAN Explorer saves.")
    start = 8
    for count in range(MAX_CHUNKS):
        file.seek(start)
        head = file.read(8)
        length, kind = struct.unpack(">I4s", head) if len(head) == 8 else (0, b"")
        if start + 12 + length > size:
            raise RecipeError("This PNG is cut short; copy or download it again.")
        if (count == 0) != (kind == b"IHDR"):
            raise RecipeError("This PNG is damaged; copy or download it again.")
        yield _Chunk(kind, start + 8, length)
        if kind == b"IEND":
            return
        start += 12 + length
    raise RecipeError(f"This PNG has more than {MAX_CHUNKS} chunks; no picture needs so many.")


def _keyword(file: BinaryIO, chunk: _Chunk) -> bytes | None:
    """The keyword of a text chunk, of at most 79 bytes; None for other chunks."""
    if chunk.kind not in (b"iTXt", b"tEXt", b"zTXt"):
        return None
    file.seek(chunk.start)
    return file.read(min(chunk.length, 80)).partition(b"\0")[0]


def _checked_data(file: BinaryIO, chunk: _Chunk) -> bytes:
    if chunk.length > MAX_TEXT_BYTES:
        raise RecipeError(f"The recipe in this PNG is larger than {MAX_JSON_BYTES >> 10} KiB, so it is none of ours.")
    file.seek(chunk.start)
    data = file.read(chunk.length)
    if file.read(4) != _checksum(chunk.kind, data):
        raise RecipeError("The recipe in this PNG is damaged: its checksum is wrong.")
    return data


def _text(data: bytes, kind: bytes) -> bytes:
    """The text of a chunk's data, inflated where it is compressed."""
    _, _, rest = data.partition(b"\0")
    if kind == b"tEXt":
        return rest
    if kind == b"zTXt":  # compression method, text
        return _inflated(rest[1:])
    compressed = rest[:1] == b"\1"  # compression flag and method, language, translated keyword, text
    text = rest[2:].partition(b"\0")[2].partition(b"\0")[2]
    return _inflated(text) if compressed else text


def _inflated(data: bytes) -> bytes:
    inflater = zlib.decompressobj()
    try:
        text = inflater.decompress(data, MAX_JSON_BYTES + 1)
    except zlib.error as error:
        raise RecipeError("The recipe in this PNG is damaged: it cannot be decompressed.") from error
    return text  # one byte over the limit is enough for Recipe.from_json to refuse it


# Writing


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + _checksum(kind, data)


def _itxt(keyword: bytes, text: str) -> bytes:
    return _chunk(b"iTXt", keyword + b"\0\0\0\0\0" + text.encode())


def _checksum(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", zlib.crc32(kind + data))
