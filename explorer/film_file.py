"""A film read back from files: its JSON, or what an MP4, WebP, GIF or zip made here carries.

Files may come from anybody: boxes and chunks are walked by their lengths, pictures are never decoded, and what is
found goes through `Film.from_json`. (MP4: ISO/IEC 14496-12; WebP: RIFF; GIF89a.)
"""

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator

from PIL import Image

from explorer.film import MAX_JSON_BYTES, Film, FilmError
from explorer.film_encode import FILM_NAME, IMAGE_DESCRIPTION

MAX_BOXES = 200_000
_COMMENT = (b"moov", b"udta", b"meta", b"ilst", b"\xa9cmt", b"data")


def read(data: bytes) -> Film:
    """The film in a file's bytes.

    Raises:
        InputError: another kind of file, none that carries a film, or a film that cannot be used.
    """
    return Film.from_json(_json(data))


def _json(data: bytes) -> bytes:
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        found = _webp(data)
    elif data[:6] in (b"GIF87a", b"GIF89a"):
        found = _gif(data)
    elif data[4:8] == b"ftyp":
        found = _box(data, _COMMENT)
    elif data[:4] == b"PK\x03\x04":
        found = _zip(data)
    elif data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{":
        return data
    else:
        raise FilmError("This is no film: choose a film's JSON, or an MP4, WebP, GIF or zip that was made here.")
    if found is None:
        raise FilmError("This file carries no film: it was not made here, or a program has removed it.")
    return found


def _box(data: bytes, path: tuple[bytes, ...]) -> bytes | None:
    """What is in a box of an MP4, by the names on the way to it."""
    for kind, body in _boxes(data):
        if kind == path[0]:
            if len(path) == 1:
                return body[8:]  # behind type and language
            found = _box(body[4:] if kind == b"meta" else body, path[1:])
            if found is not None:
                return found
    return None


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    for _ in range(MAX_BOXES):
        if at + 8 > len(data):
            return
        length, kind = struct.unpack_from(">I4s", data, at)
        head = 8
        if length == 1 and at + 16 <= len(data):
            (length,), head = struct.unpack_from(">Q", data, at + 8), 16
        elif length == 0:
            length = len(data) - at
        if length < head:
            return
        yield kind, data[at + head : at + length]
        at += length


def _webp(data: bytes) -> bytes | None:
    at = 12
    for _ in range(MAX_BOXES):
        if at + 8 > len(data):
            return None
        kind, length = struct.unpack_from("<4sI", data, at)
        if kind == b"EXIF":
            return _description(data[at + 8 : at + 8 + length])
        at += 8 + length + length % 2
    return None


def _description(data: bytes) -> bytes | None:
    exif = Image.Exif()
    try:
        exif.load(data)
        text = exif.get(IMAGE_DESCRIPTION)
    except (ValueError, SyntaxError, OSError, struct.error, KeyError, TypeError):  # what Pillow raises for broken EXIF
        return None
    return text.encode("utf-8") if isinstance(text, str) else None


def _gif(data: bytes) -> bytes | None:
    """The first comment that may be a film."""
    at = 13 + (3 * 2 ** ((data[10] & 7) + 1) if len(data) > 10 and data[10] & 0x80 else 0)
    for _ in range(MAX_BOXES):
        kind = data[at : at + 1]
        if kind == b"!":  # an extension: its label, then blocks
            label = data[at + 1 : at + 2]
            text, at = _blocks(data, at + 2)
            if label == b"\xfe" and text.startswith(b"{"):
                return text
        elif kind == b"," and at + 10 <= len(data):  # a picture: place, palette, code size, then blocks
            flags = data[at + 9]
            at += 10 + (3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0) + 1
            _, at = _blocks(data, at)
        else:
            return None
    return None


def _blocks(data: bytes, at: int) -> tuple[bytes, int]:
    """Blocks behind their lengths, joined, up to the empty one; and where it ends."""
    parts: list[bytes] = []
    while at < len(data) and data[at]:
        parts.append(data[at + 1 : at + 1 + data[at]])
        at += 1 + data[at]
    return b"".join(parts), at + 1


def _zip(data: bytes) -> bytes | None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive, archive.open(FILM_NAME) as file:
            return file.read(MAX_JSON_BYTES + 1)
    except KeyError:
        return None
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise FilmError("This zip is damaged, or its film cannot be read: choose another file.") from error
