"""What `python app.py` was asked for, as a value. Read without Gradio, whose import takes seconds."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from stylegan.errors import InputError

DEFAULT_MODEL = Path(__file__).parent.parent / "assets" / "portraits.safetensors"
LOCAL_HOSTS = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class Options:
    """The options of the command line; `demo` and `owner` follow from them once, at launch."""

    models: tuple[Path, ...] = ()  # model files; none: the default model
    folder: Path = Path("models")  # further models, and where imported ones go
    gallery: Path = Path("gallery")  # kept pictures
    runs: Path = Path("runs")  # training runs
    host: str = "127.0.0.1"
    port: int | None = None  # None: the first free one from 7860
    share: bool = False
    auth: tuple[str, str] | None = None  # user name and password
    device: str = "auto"  # "auto": a GPU where there is one
    read_only: bool = False
    directions: Path = Path("directions")  # kept directions
    measurements: Path = Path("measurements")  # what was measured

    @property
    def public(self) -> bool:
        """Whether other machines can reach the page."""
        return self.share or self.host not in LOCAL_HOSTS

    @property
    def demo(self) -> bool:
        """Whether strangers can reach the page: uploads, counts and sizes are limited, every visitor has a gallery."""
        return self.public and self.auth is None

    @property
    def owner(self) -> bool:
        """Whether the page may train, import and delete models: its visitors are whoever started the app."""
        return not self.demo and not self.read_only


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise InputError(f"{message[:1].upper()}{message[1:]}. `python app.py --help` lists the options.")


def parse(arguments: Sequence[str] | None = None) -> Options:
    """The options in `arguments` (None: the command line's). InputError: one line on what is wrong."""
    parser = _Parser(prog="python app.py", description="See what a StyleGAN has learned, in the browser.")
    add = parser.add_argument
    add("--model", metavar="FILE", action="append", type=Path, default=[], help="a model to open; may be repeated")
    add("--models", metavar="DIR", type=Path, default=Options.folder, help="folder of further models (models)")
    add("--gallery", metavar="DIR", type=Path, default=Options.gallery, help="folder of kept pictures (gallery)")
    add("--directions", metavar="DIR", type=Path, default=Options.directions,
        help="folder of kept directions (directions)")  # fmt: skip
    add("--measurements", metavar="DIR", type=Path, default=Options.measurements,
        help="folder of measurements (measurements)")  # fmt: skip
    add("--runs", metavar="DIR", type=Path, default=Options.runs, help="folder of training runs (runs)")
    add("--host", metavar="H", default=Options.host, help="address to listen on (127.0.0.1: this machine only)")
    add("--port", metavar="P", type=int, help="port (the first free one from 7860)")
    add("--share", action="store_true", help="a public link through Gradio's tunnel, for 7 days at most")
    add("--auth", metavar="USER:PASSWORD", help="ask for these; visitors who know them may do everything")
    add("--device", metavar="D", default=Options.device, help="cpu, cuda, cuda:1, mps or auto (auto)")
    add("--read-only", action="store_true", help="no training, no import, no deletion of models")
    given = parser.parse_args(arguments)
    return Options(
        models=tuple(_model(path) for path in given.model),
        folder=_folder(given.models, "--models"),
        gallery=_folder(given.gallery, "--gallery"),
        runs=_folder(given.runs, "--runs"),
        host=given.host,
        port=_port(given.port),
        share=given.share,
        auth=_auth(given.auth),
        device=given.device,
        read_only=given.read_only,
        directions=_folder(given.directions, "--directions"),
        measurements=_folder(given.measurements, "--measurements"),
    )


def _model(path: Path) -> Path:
    if not path.is_file():
        raise InputError(f"--model {path}: there is no such file.")
    return path


def _folder(path: Path, option: str) -> Path:
    if path.exists() and not path.is_dir():
        raise InputError(f"{option} {path}: this is a file, not a folder.")
    return path


def _port(port: int | None) -> int | None:
    if port is not None and not 1 <= port <= 65535:
        raise InputError(f"--port {port}: ports are from 1 to 65535.")
    return port


def _auth(text: str | None) -> tuple[str, str] | None:
    if text is None:
        return None
    user, colon, password = text.partition(":")
    if not (user and colon and password):
        raise InputError("--auth is USER:PASSWORD, neither of them empty.")
    return user, password
