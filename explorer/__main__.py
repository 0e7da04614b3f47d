"""`python -m explorer film FILE --out FILE.mp4`: render a film without the app.

Not a command of `python -m stylegan`: that is the library, which knows no recipes.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from explorer.options import DEFAULT_MODEL, Options
from stylegan.errors import InputError, StyleGANError

INTERRUPTED = 130


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise InputError(f"{message[:1].upper()}{message[1:]}. `{self.prog} --help` lists the options.")


def main(arguments: Sequence[str] | None = None) -> int:
    """Render; 0 when done, 2 after a mistake, told in one line."""
    parser = _Parser(prog="python -m explorer", description="StyleGAN Explorer without its page.")
    film = parser.add_subparsers(metavar="COMMAND", required=True).add_parser("film", help="render a film file")
    add = film.add_argument
    add("film", metavar="FILE", type=Path, help="a film's JSON, or an MP4, WebP, GIF or zip that carries one")
    add("--out", metavar="FILE", type=Path, required=True, help="NAME.mp4, NAME.webp, NAME.gif or NAME.zip (PNG)")
    add("--model", metavar="FILE", action="append", type=Path, default=[], help="where its model may be; repeatable")
    add("--models", metavar="DIR", type=Path, default=Options.folder, help="folder of further models (models)")
    add("--device", metavar="D", default=Options.device, help="cpu, cuda, cuda:1, mps or auto (auto)")
    try:
        given = parser.parse_args(arguments)
        render(given.film, given.out, given.model, given.models, given.device)
    except (StyleGANError, OSError) as error:
        print(" ".join(str(error).split()), file=sys.stderr)  # noqa: T201  the one line that says what was wrong
        return 2
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


def render(source: Path, out: Path, models: Sequence[Path], folder: Path, device: str) -> None:
    """Make a film file a film, with its progress on stderr where that is a terminal."""
    from explorer import film_file, film_render  # torch takes seconds to import: after the mistakes above
    from explorer.context import AppContext

    for path in (source, *models):
        if not path.is_file():
            raise InputError(f"{path}: there is no such file.")
    if not out.parent.is_dir():
        raise InputError(f"{out.parent}: there is no such folder.")
    film = film_file.read(source.read_bytes())
    files = (*models, DEFAULT_MODEL) if DEFAULT_MODEL.is_file() else tuple(models)
    app = AppContext.open(Options(models=files, folder=folder, device=device))
    began_sec = time.monotonic()
    for progress in film_render.render(app.engine, film, out):
        if sys.stderr.isatty():
            elapsed_sec = time.monotonic() - began_sec
            left_sec = elapsed_sec * (1 / progress.share - 1)
            line = f"{progress.stage} {100 * progress.share:3.0f} %, {left_sec:.0f} s left"
            print(f"\r{line:40}", end="", file=sys.stderr)  # noqa: T201
    elapsed_sec = time.monotonic() - began_sec
    end = "\r" if sys.stderr.isatty() else ""
    print(f"{end}{out}: {film.frames} frames, {film.seconds:g} s of film in {elapsed_sec:.1f} s")  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
