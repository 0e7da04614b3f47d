"""What training does to Explore's slider: ψ to painted picture, idle and while a run of the Train tab goes on.

    python benchmarks/latency_training.py [--moves 200] [--threads N] [--rounds 2]

Rounds of idle and training take turns, so that whatever else the machine does falls on both. One line of JSON each.
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from latency import MOVES, ROOT, app_and_browser, moves_of, opened, report, spread
from PIL import Image

sys.path.insert(0, str(ROOT))

from explorer.runs import Runs
from stylegan.training import Plan


def pictures(folder: Path) -> Path:
    rng = np.random.default_rng(0)
    folder.mkdir()
    for i in range(100):
        Image.fromarray(rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)).save(folder / f"{i}.png")
    return folder


def until(runs: Runs, wanted: bool) -> None:
    """Wait until the run has told of its first steps, or has ended."""
    while True:
        status = runs.listing()[0]
        if status.state == "failed":
            raise SystemExit(status.words)
        if (status.images_per_sec is not None and status.state == "training") if wanted else status.state == "stopped":
            return
        time.sleep(0.2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--moves", type=int, default=200)
    parser.add_argument("--threads", type=int, help="of the trainer; default: the app's own choice")
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    values = moves_of(options.moves)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["STYLEGAN_CACHE"] = str(folder / "cache")
        runs = Runs(folder / "runs", options.threads)
        try:
            with app_and_browser(folder) as (browser, url):
                page = opened(browser, url)
                page.wait_for_function("document.querySelectorAll('#seeds .cell[data-drawn]').length === 24")
                page.evaluate(MOVES, ["psi", values[:20]])  # warm up
                plan = Plan.of(
                    {"data": str(pictures(folder / "p")), "resolution": 64, "preset": "small", "initial_resolution": 64}
                )
                for turn in range(options.rounds):
                    report("psi slider, idle", **spread(page.evaluate(MOVES, ["psi", values])))
                    runs.resume("run") if turn else runs.begin("run", plan)
                    until(runs, True)
                    times = spread(page.evaluate(MOVES, ["psi", values]))
                    rate = runs.listing()[0].images_per_sec
                    report("psi slider, training", threads=runs.threads, images_per_sec=rate, **times)
                    runs.stop("run")
                    until(runs, False)
        finally:
            if runs.listing():
                runs.stop("run")
                until(runs, False)


if __name__ == "__main__":
    main()
