"""`python -m stylegan {generate,convert,info,…}`: one line for each command.

A command is a function whose annotated parameters are its options. It prints its results to stdout, its progress to
stderr, and lets errors of the project's own tree pass: `_Commands` turns them into one line and exit code 2.
"""

import errno
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

import typer
from typer.core import TyperGroup
from typer.exceptions import Abort, TyperException

from stylegan.cli.convert import convert
from stylegan.cli.directions import directions
from stylegan.cli.generate import generate
from stylegan.cli.info import info
from stylegan.cli.metrics import metrics
from stylegan.cli.portraits import portraits
from stylegan.cli.train import train
from stylegan.errors import StyleGANError

USER_MISTAKE, INTERRUPTED = 2, 130


class _Commands(TyperGroup):
    """The group of commands, which ends with an exit code and at most one line on stderr, never with a traceback for
    what a user or the machine can cause.
    """

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Run a command; always leaves by SystemExit, as typer's standalone mode does."""
        run = super().main
        sys.exit(_exit_code(lambda: run(args, prog_name, complete_var, False, windows_expand_args, **extra)))


def _exit_code(run: Callable[[], object]) -> int:
    try:
        code = run()
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except (StyleGANError, TyperException) as error:
        return _fail(error.format_message() if isinstance(error, TyperException) else str(error))
    except (KeyboardInterrupt, Abort):
        return INTERRUPTED
    except MemoryError:
        return _fail(OUT_OF_MEMORY)
    except OSError as error:
        if error.errno == errno.EPIPE:  # `… | head`: whoever read has enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 1
        return _fail(f"{error.filename or 'The system'}: {error.strerror or error}.")
    except RuntimeError as error:
        if "out of memory" in str(error).lower() or "can't allocate memory" in str(error):
            return _fail(OUT_OF_MEMORY)
        raise


OUT_OF_MEMORY = "Out of memory: ask for fewer pictures at once (--batch), a smaller model, or another --device."


def _fail(message: str) -> int:
    print("Error:", " ".join(message.split()), file=sys.stderr)  # noqa: T201 - this is the command line
    return USER_MISTAKE


app = typer.Typer(
    cls=_Commands,
    help="StyleGAN: pictures from models, models from pictures or from official weights.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.command()(generate)
app.command()(convert)
app.command()(info)
app.command()(train)
app.command()(metrics)
app.command()(portraits)
app.add_typer(directions, name="directions")
