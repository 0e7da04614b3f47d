"""What a measurement does to Explore's slider: ψ to painted picture, idle and while the Measure tab measures.

    python benchmarks/latency_measuring.py [--moves 200] [--rounds 2]

Rounds of idle and measuring take turns, so that whatever else the machine does falls on both. One line of JSON each.
"""

import argparse
import os
import tempfile
from pathlib import Path
from typing import Any

from latency import MOVES, app_and_browser, moves_of, opened, report, spread
from latency_training import pictures

COUNT = 20_000  # samples: minutes more than the rounds take


def open_measure(page: Any, folder: Path) -> None:
    """The Measure tab with a form that takes long."""
    page.get_by_role("tab", name="Measure").click()
    page.get_by_role("button", name="Folder or zip").click()
    page.get_by_label("Folder or zip on this machine").fill(str(folder))
    page.get_by_label("Samples", exact=True).fill(str(COUNT))
    page.locator(".cost", has_text="About").wait_for()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--moves", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    values = moves_of(options.moves)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["STYLEGAN_CACHE"] = str(folder / "cache")
        with app_and_browser(folder) as (browser, url):
            page, other = (opened(browser, url) for _ in range(2))
            page.wait_for_function("document.querySelectorAll('#seeds .cell[data-drawn]').length === 24")
            open_measure(other, pictures(folder / "p"))
            page.evaluate(MOVES, ["psi", values[:20]])  # warm up
            for _ in range(options.rounds):
                report("psi slider, idle", **spread(page.evaluate(MOVES, ["psi", values])))
                other.get_by_role("button", name="Measure", exact=True).click()
                other.get_by_role("status").filter(has_text="samples").wait_for()
                report("psi slider, measuring", **spread(page.evaluate(MOVES, ["psi", values])))
                other.get_by_role("button", name="Cancel").click()
                other.locator(".measure .going").wait_for(state="hidden")


if __name__ == "__main__":
    main()
