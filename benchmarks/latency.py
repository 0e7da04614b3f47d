"""How long people wait for the page: start, first picture, slider to painted picture, a sheet of 24, a drag.

    python benchmarks/latency.py [--model FILE] [--moves 200]

Runs `python app.py` as it is, and the system's Chromium; waits on conditions, never for a time. "Painted" is the frame
after the one in which the canvas was drawn. One line of JSON per measurement, milliseconds.
"""

import argparse
import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles
from typing import Any

ROOT = Path(__file__).parents[1]
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]

READY = "window.explorer && explorer.answered > 0 && explorer.idle()"

# Moves a slider as a hand does, one value at a time, and waits each time until that value is painted.
MOVES = """async ([id, values]) => {
    const slider = document.querySelector(`#${id} input[type=range]`), times = [];
    const frame = () => new Promise(requestAnimationFrame);
    for (const value of values) {
        await frame();
        const answered = explorer.answered, start = performance.now();
        slider.value = value;
        slider.dispatchEvent(new Event("input", { bubbles: true }));
        while (explorer.answered === answered || !explorer.idle()) await new Promise((go) => setTimeout(go, 0));
        await frame();
        times.push(performance.now() - start);
    }
    return times;
}"""

# Sixty values a second, whatever the answers do; then the time from the last value until it is painted.
DRAG = """async ([id, values]) => {
    const slider = document.querySelector(`#${id} input[type=range]`), before = explorer.answered;
    const frame = () => new Promise(requestAnimationFrame);
    for (const value of values) {
        slider.value = value;
        slider.dispatchEvent(new Event("input", { bubbles: true }));
        await frame();
    }
    const start = performance.now();
    while (!explorer.idle()) await new Promise((go) => setTimeout(go, 0));
    await frame();
    const psi = JSON.parse(explorer.present).psi;
    return { last_ms: performance.now() - start, pictures: explorer.answered - before, on_last: psi === values.at(-1) };
}"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=1).close()
    except (urllib.error.URLError, OSError):
        return False
    return True


def report(name: str, **numbers: Any) -> None:
    rounded = {key: round(value, 1) if isinstance(value, float) else value for key, value in numbers.items()}
    print(json.dumps({"measured": name, **rounded}), flush=True)


def spread(times: list[float]) -> dict[str, float]:
    return {"p50": median(times), "p95": quantiles(times, n=20)[-1], "worst": max(times), "n": len(times)}


def moves_of(count: int) -> list[float]:
    """Values of ψ, each far from the last."""
    return [round(-1 + 2 * ((37 * i) % 101) / 100, 2) for i in range(count)]


@contextmanager
def app_and_browser(folder: Path, *options: str) -> Iterator[tuple[Any, str]]:
    """Chromium, and the address of an app of its own that keeps everything in `folder`, once it answers."""
    from playwright.sync_api import sync_playwright

    port = free_port()
    url = f"http://127.0.0.1:{port}/"
    command = [sys.executable, "app.py", "--port", str(port), *options]
    for name in ("gallery", "models", "runs", "measurements"):
        command += [f"--{name}", str(folder / name)]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium") or "/usr/bin/chromium", args=FLAGS
        )
        app = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
        try:
            while not answers(url):
                assert app.poll() is None, "the app has ended"
                time.sleep(0.05)
            yield browser, url
        finally:
            app.terminate()
            app.wait()
            browser.close()


def opened(browser: Any, url: str) -> Any:
    """A page of the app, ready."""
    page = browser.new_page(viewport={"width": 1280, "height": 720})
    page.set_default_timeout(120_000)
    page.goto(url)
    page.wait_for_function(READY)
    return page


def measure(page: Any, url: str, moves: int, start: float) -> None:
    page.goto(url)
    page.wait_for_function(READY)
    report("first page ready after python app.py", ms=1000 * (time.perf_counter() - start))
    page.wait_for_function("document.querySelectorAll('#seeds .cell[data-drawn]').length === 24")
    values = moves_of(moves)
    report("psi slider to painted picture", **spread(page.evaluate(MOVES, ["psi", values])))
    page.wait_for_function("document.querySelectorAll('#steps .cell[data-drawn]').length > 1")
    report("drag of 2 s", **page.evaluate(DRAG, ["psi", [round(1 - i / 80, 2) for i in range(120)]]))
    for first in (1000, 2000, 3000):
        began = time.perf_counter()
        page.locator("#first-seed input").fill(str(first))
        page.wait_for_function(
            "(first) => [...document.querySelectorAll('#seeds .cell')].every((cell, i) => "
            "cell.dataset.drawn && JSON.parse(cell.dataset.drawn).source === first + i)",
            arg=first,
        )
        report("sheet of 24 seeds", ms=1000 * (time.perf_counter() - began))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, help="default: the app's own")
    parser.add_argument("--moves", type=int, default=200)
    options = parser.parse_args()
    own = ["--model", str(options.model.resolve())] if options.model else []
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder, app_and_browser(Path(folder), *own) as (browser, url):
        report("server answers after python app.py", ms=1000 * (time.perf_counter() - start))
        measure(browser.new_page(viewport={"width": 1280, "height": 720}), url, options.moves, start)


if __name__ == "__main__":
    main()
