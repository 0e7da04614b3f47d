"""`python app.py`: options → build → launch. See `--help`; README.md says more."""

import sys
from collections.abc import Sequence

from explorer.options import Options, parse
from stylegan.errors import StyleGANError


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve the page until it is stopped; 2 after a mistake in the options, told in one line."""
    try:
        serve(parse(arguments))
    except (StyleGANError, OSError) as error:
        print(error, file=sys.stderr)  # noqa: T201  the one line that says what was wrong
        return 2
    return 0


def serve(options: Options) -> None:
    """Open the models, build the page and serve it."""
    from explorer.context import AppContext  # imports torch, and the shell Gradio: seconds, so only now

    app = AppContext.open(options)
    for problem in app.library.problems:
        print(problem, file=sys.stderr)  # noqa: T201  files that could not be opened; the page runs without them
    from explorer.ui import launch

    launch.own_temp_folder()
    from explorer.ui import shell

    page = shell.build(app)
    page.queue(api_open=False, max_size=launch.DEMO_QUEUE if options.demo else launch.QUEUE)
    page.launch(**launch.settings(options))


if __name__ == "__main__":
    sys.exit(main())
