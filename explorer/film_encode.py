"""Frames to files, one frame at a time: MP4 (H.264), animated WebP, GIF, or PNG pictures in a zip.

Each carries the film's JSON where the format has a place for it; `explorer.film_file` reads it from there.
"""

import io
import re
import struct
import subprocess
import tempfile
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import imageio_ffmpeg
from PIL import Image

from explorer import frames, png
from explorer.film import MAX_SIDE_PX, Film, FilmError
from explorer.recipe import Recipe
from stylegan.atomic import replacing
from stylegan.errors import DiskFullError, StyleGANError
from stylegan.images import Picture

FORMATS = {".mp4": "MP4", ".webp": "WebP", ".gif": "GIF", ".zip": "PNG frames"}
MAX_GIF_FPS = 50  # its clock has hundredths of a second, and browsers slow down what takes one of them
LEAST_MP4_PX = 16
CRF = 16  # x264's constant quality; 18 is said to be hard to tell from the original
WEBP_QUALITY = 90
IMAGE_DESCRIPTION = 0x010E  # the EXIF tag
FILM_NAME = "film.json"
WEBP_SMALL_PX = 64  # up to this side frames are lossless


class EncoderError(StyleGANError):
    """The video encoder ended before the film did."""


def check(suffix: str, width: int, height: int, fps: int) -> None:
    """FilmError unless the format of `suffix` takes frames of this size at this rate."""
    if suffix not in FORMATS:
        raise FilmError(f"A film is a file whose name ends in {', '.join(FORMATS)}, not in {suffix or 'nothing'}.")
    if max(width, height) > MAX_SIDE_PX:
        raise FilmError(f"Frames of {width} × {height} pixels are too large: they have up to {MAX_SIDE_PX} a side.")
    if suffix == ".mp4" and (width % 2 or height % 2):
        raise FilmError(f"H.264 takes even sizes only, not {width} × {height}: make the pictures a pixel larger.")
    if suffix == ".mp4" and min(width, height) < LEAST_MP4_PX:
        raise FilmError(f"H.264 takes frames from {LEAST_MP4_PX} pixels a side: make the pictures larger.")
    if suffix == ".gif" and fps > MAX_GIF_FPS:
        raise FilmError(f"GIF shows at most {MAX_GIF_FPS} frames per second, not {fps}.")


class Writer(ABC):
    """Takes frames in their order."""

    def start(self) -> None:  # noqa: B027  most have nothing to say before the first frame
        """Before the first frame."""

    @abstractmethod
    def write(self, frame: Picture, recipe: Recipe) -> None:
        """Add uint8 `[height, width, 3]`, whose first tile is the picture of `recipe`."""

    @abstractmethod
    def finish(self) -> None:
        """After the last frame: complete the file."""

    def close(self) -> None:  # noqa: B027  most have nothing to free
        """Free what is held; after `finish`, or instead of it."""


@contextmanager
def writer(path: Path, width: int, height: int, film: Film) -> Iterator[Writer]:
    """A writer for `path`, which is there once all has gone well, and as it was if not. Errors as `render`."""
    kinds: dict[str, Callable[[Path, int, int, Film], Writer]] = {
        ".mp4": _Mp4,
        ".webp": _Webp,
        ".gif": _Gif,
        ".zip": _Zip,
    }
    with replacing(path) as temporary:
        made = kinds[path.suffix](temporary, width, height, film)
        try:
            made.start()
            yield made
            made.finish()
        finally:
            made.close()


class _Ffmpeg:
    """One run of the encoder, as a process that reads raw frames from a pipe, or files."""

    def __init__(self, arguments: Sequence[str], frames: bool = True) -> None:
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-hide_banner", "-loglevel", "error", *arguments]
        self._log = tempfile.TemporaryFile()  # noqa: SIM115  open for as long as the process; `close` closes it
        stdin = subprocess.PIPE if frames else subprocess.DEVNULL
        self._process = subprocess.Popen(command, stdin=stdin, stdout=subprocess.DEVNULL, stderr=self._log)

    def write(self, frame: Picture) -> None:
        """One more frame; the encoder's own error where it has ended."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(frame.tobytes())
        except BrokenPipeError:
            self.finish()
            raise EncoderError("The video encoder ended before the film did.") from None

    def finish(self) -> None:
        """Wait until it has written all."""
        if self._process.stdin is not None:
            with suppress(BrokenPipeError):
                self._process.stdin.close()
        if self._process.wait() == 0:
            return
        self._log.seek(0)
        said = self._log.read(10_000).decode("utf-8", "replace").strip()
        if "No space left" in said or "Disk quota" in said:
            raise DiskFullError("No space left to write the film: free some and try again.")
        raise EncoderError(f"The video encoder failed: {said.splitlines()[-1] if said else 'it does not say why'}.")

    def close(self) -> None:
        """End it, if it still runs."""
        self._process.kill()
        if self._process.stdin is not None:
            with suppress(BrokenPipeError):
                self._process.stdin.close()
        self._process.wait()
        self._log.close()


def _raw(width: int, height: int, fps: int) -> list[str]:
    """Frames from the pipe, as the encoder's first input."""
    size = ["-video_size", f"{width}x{height}", "-framerate", str(fps)]
    return ["-f", "rawvideo", "-pixel_format", "rgb24", *size, "-i", "pipe:0"]


class _Mp4(Writer):
    """H.264 in 4:2:0 with the index in front, in the colours of BT.709, which is what players take for granted."""

    def __init__(self, path: Path, width: int, height: int, film: Film) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="film-")
        described = Path(self._folder.name, "metadata")
        escaped = re.sub(r"([=;#\\])", r"\\\1", film.json)
        described.write_text(f";FFMETADATA1\ncomment={escaped}\n", "utf-8")
        colours = ["-color_primaries", "bt709", "-color_trc", "bt709", "-colorspace", "bt709", "-color_range", "tv"]
        picture = ["-vf", "scale=out_color_matrix=bt709:out_range=tv", "-pix_fmt", "yuv420p", *colours]
        coded = ["-c:v", "libx264", "-preset", "veryfast", "-crf", str(CRF), "-movflags", "+faststart", "-f", "mp4"]
        second = ["-f", "ffmetadata", "-i", str(described), "-map", "0:v", "-map_metadata", "1"]
        self._encoder = _Ffmpeg([*_raw(width, height, film.fps), *second, *picture, *coded, str(path)])

    def write(self, frame: Picture, recipe: Recipe) -> None:
        self._encoder.write(frame)

    def finish(self) -> None:
        self._encoder.finish()

    def close(self) -> None:
        self._encoder.close()
        self._folder.cleanup()


class _Gif(Writer):
    """One palette over all frames, and error diffusion. The frames wait on disk until the palette is known."""

    def __init__(self, path: Path, width: int, height: int, film: Film) -> None:
        self._path, self._film = path, film
        self._folder = tempfile.TemporaryDirectory(prefix=".film-", dir=path.parent)
        self._frames, self._palette = (str(Path(self._folder.name, name)) for name in ("frames.mkv", "palette.png"))
        split = ["-filter_complex", "[0:v]split[kept][seen];[seen]palettegen=stats_mode=full[palette]"]
        kept = ["-map", "[kept]", "-c:v", "ffv1", "-pix_fmt", "bgr0", self._frames]
        palette = ["-map", "[palette]", "-frames:v", "1", "-update", "1", self._palette]
        self._encoder = _Ffmpeg([*_raw(width, height, film.fps), *split, *kept, *palette])

    def write(self, frame: Picture, recipe: Recipe) -> None:
        self._encoder.write(frame)

    def finish(self) -> None:
        self._encoder.finish()
        self._encoder.close()
        used = ["-lavfi", "paletteuse=dither=sierra2_4a:diff_mode=rectangle", "-loop", "0", "-f", "gif"]
        self._encoder = _Ffmpeg(["-i", self._frames, "-i", self._palette, *used, str(self._path)], frames=False)
        self._encoder.finish()
        with self._path.open("r+b") as file:
            file.seek(-1, io.SEEK_END)  # over the trailer
            file.write(_gif_comment(self._film.json.encode("ascii")) + b";")

    def close(self) -> None:
        self._encoder.close()
        self._folder.cleanup()


def _gif_comment(text: bytes) -> bytes:
    """A comment extension (GIF89a, §24): blocks of up to 255 bytes, each behind its length."""
    blocks = (text[start : start + 255] for start in range(0, len(text), 255))
    return b"!\xfe" + b"".join(bytes([len(block)]) + block for block in blocks) + b"\0"


class _Webp(Writer):
    """Frame by frame into the container (RIFF with VP8X, ANIM, ANMF …, EXIF), whose lengths are filled in at the end.

    Pillow's own writer of animations keeps all of them in memory.
    """

    def __init__(self, path: Path, width: int, height: int, film: Film) -> None:
        self._film, self._count = film, 0
        self._side24 = _int24(width - 1) + _int24(height - 1)
        self._lossless = max(width, height) <= WEBP_SMALL_PX
        self._file: BinaryIO = path.open("wb")

    def start(self) -> None:
        animated, exif = 0x02, 0x08
        self._file.write(b"RIFF\0\0\0\0WEBP")
        self._chunk(b"VP8X", struct.pack("<I", animated | exif) + self._side24)
        self._chunk(b"ANIM", struct.pack("<IH", 0xFFFFFFFF, 0))  # white behind, without end

    def write(self, frame: Picture, recipe: Recipe) -> None:
        still = io.BytesIO()
        Image.fromarray(frame).save(still, "WEBP", lossless=self._lossless, quality=WEBP_QUALITY, method=2)
        begin, end = (round(1000 * n / self._film.fps) for n in (self._count, self._count + 1))
        unblended = 0x02
        head = _int24(0) + _int24(0) + self._side24 + _int24(end - begin) + bytes([unblended])
        self._chunk(b"ANMF", head + still.getvalue()[12:])  # a still file of one chunk, without its RIFF head
        self._count += 1

    def finish(self) -> None:
        exif = Image.Exif()
        exif[IMAGE_DESCRIPTION] = self._film.json
        self._chunk(b"EXIF", exif.tobytes())
        length = self._file.tell() - 8
        if length >= 1 << 32:
            raise FilmError("This film is too large for WebP, which ends at 4 GiB: make it an MP4.")
        self._file.seek(4)
        self._file.write(struct.pack("<I", length))

    def close(self) -> None:
        self._file.close()

    def _chunk(self, kind: bytes, data: bytes) -> None:
        self._file.write(kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2))


def _int24(value: int) -> bytes:
    return struct.pack("<I", value)[:3]


class _Zip(Writer):
    """PNG pictures, each with its recipe where it is of one, and `film.json`."""

    def __init__(self, path: Path, width: int, height: int, film: Film) -> None:
        self._film, self._count = film, 0
        self._zip = zipfile.ZipFile(path, "w", zipfile.ZIP_STORED)  # PNG is compressed already

    def start(self) -> None:
        self._zip.writestr(FILM_NAME, self._film.json)

    def write(self, frame: Picture, recipe: Recipe) -> None:
        self._count += 1
        data = png.encode(frame, recipe) if self._film.tiles == 1 else frames.png_bytes(frame)
        self._zip.writestr(f"{self._count:05d}.png", data)

    def finish(self) -> None:
        self._zip.close()

    def close(self) -> None:
        with suppress(OSError):  # a full disk also fails the second close; the first one has said so
            self._zip.close()
