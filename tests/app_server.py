"""The page, served from this process on a free port, for tests that drive it as a browser or as a client."""

import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent / "explorer"))  # for tiny_models

from explorer.context import AppContext
from explorer.options import Options


@dataclass
class Served:
    """A running page."""

    url: str
    app: AppContext


@contextmanager
def serve(folder: Path, **options: Any) -> Iterator[Served]:
    """Serve two tiny models (the second has 3 classes) from `folder`, with everything that is written inside it."""
    import tiny_models

    outer = os.environ.get("GRADIO_TEMP_DIR")  # of another page, which may live longer than this one
    os.environ["GRADIO_TEMP_DIR"] = str(folder / "temporary")
    os.environ["GRADIO_ANALYTICS_CACHE_FREQUENCY"] = str(10**9)  # as `launch.own_temp_folder`; its pandas code warns
    from explorer.ui import launch, shell

    plain = tiny_models.make(folder, "plain", mapping_layers=1)
    classes = tiny_models.make(folder, "classes", seed=1, label_dim=3, resolution=32)
    given = Options(
        models=(plain, classes), folder=folder / "models", gallery=folder / "gallery", runs=folder / "runs",
        directions=folder / "directions", measurements=folder / "measurements",
        port=free_port(), device="cpu",
    )  # fmt: skip
    app = AppContext.open(Options(**{**vars(given), **options}))
    page = shell.build(app)
    page.queue(api_open=False)
    settings = {**launch.settings(app.options), "server_name": "127.0.0.1", "share": False}
    page.launch(prevent_thread_lock=True, quiet=True, **settings)
    try:
        yield Served(f"http://127.0.0.1:{app.options.port}", app)
    finally:
        page.close(verbose=False)
        if outer is not None:
            os.environ["GRADIO_TEMP_DIR"] = outer


def free_port() -> int:
    """A port that nothing listens on; port 0 itself is none that Gradio takes."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
