"""How the page is served: limits, temporary files, and nothing that asks other hosts."""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from explorer.options import LOCAL_HOSTS, Options

OWNER_LIMITS: dict[str, Any] = {"max_file_size": "2gb", "state_session_capacity": 1000}
DEMO_LIMITS: dict[str, Any] = {"max_file_size": "10mb", "state_session_capacity": 200}
QUEUE, DEMO_QUEUE = 100, 20
KEPT_SEC, DEMO_KEPT_SEC = 3600, 600  # files made for downloads


def own_temp_folder() -> None:
    """Before Gradio is imported: give it a folder of this process alone, and remove those of dead processes."""
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    os.environ.setdefault("GRADIO_ANALYTICS_CACHE_FREQUENCY", str(10**9))  # no table of timings after every event
    if "GRADIO_TEMP_DIR" in os.environ:
        return
    root = Path(tempfile.gettempdir(), f"stylegan-explorer-{os.environ.get('USER', 'user')}")
    root.mkdir(mode=0o700, exist_ok=True)
    for folder in root.iterdir():
        if folder.name.isdigit() and not _alive(int(folder.name)):
            shutil.rmtree(folder, ignore_errors=True)
    own = root / str(os.getpid())
    shutil.rmtree(own, ignore_errors=True)
    own.mkdir(mode=0o700)
    os.environ["GRADIO_TEMP_DIR"] = str(own)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def temporary(options: Options) -> tuple[int, int]:
    """How often files made for downloads are looked at, and how old they get, in seconds."""
    return (DEMO_KEPT_SEC, DEMO_KEPT_SEC) if options.demo else (KEPT_SEC, KEPT_SEC)


def settings(options: Options) -> dict[str, Any]:
    """The arguments of Blocks.launch for `options`."""
    from explorer.ui import theme

    local = not options.public
    return {
        "server_name": options.host,
        "server_port": options.port,
        "share": options.share,
        "auth": options.auth,
        "theme": theme.theme(),
        "css": theme.css(),
        "head": theme.head(),
        "run_history": False,
        "enable_monitoring": False,
        "show_error": False,
        "footer_links": ["api"],
        "ssr_mode": False,
        "app_kwargs": {"middleware": _trusted()} if local else None,
        **(DEMO_LIMITS if options.demo else OWNER_LIMITS),
    }


def _trusted() -> list[Any]:
    """Only addresses of this machine: other sites cannot reach the page under a name of theirs (DNS rebinding)."""
    from starlette.middleware import Middleware
    from starlette.middleware.trustedhost import TrustedHostMiddleware

    return [Middleware(TrustedHostMiddleware, allowed_hosts=[*LOCAL_HOSTS, "[::1]"])]
