"""What came of image files while they were prepared, kept beside the pictures: a build that was stopped goes on there.

Each line of the file is about the files of one round. A line follows the pictures it tells of, so what a killed process
left is good up to the last line whose pictures are all there.
"""

import json
from collections.abc import Sequence
from typing import Any

from stylegan.data.pyramid import PyramidWriter
from stylegan.data.records import Broken

_FILE = "ledger.jsonl"


class Ledger:
    """Sums over the files dealt with so far.

    Attributes:
        files: how many, in the order of their names.
        broken: those that were skipped.
        sizes: (width, height) of the others.
        different: short digests of the pictures made of them.
    """

    def __init__(self, writer: PyramidWriter) -> None:
        """Take up what an earlier build of the same files left in the writer's folder, and cut the writer to it."""
        self.files = 0
        self.broken: list[Broken] = []
        self.sizes: list[tuple[int, int]] = []
        self.different: set[str] = set()
        self._path = writer.folder / _FILE
        lines = self._path.read_text("utf-8", "replace").splitlines() if self._path.exists() else []
        good = 0
        for line in lines:
            try:
                entry = json.loads(line)
                if len(self.sizes) + len(entry["sizes"]) > writer.count:
                    break
                self._take(entry)
            except (ValueError, KeyError, TypeError):
                break
            good += 1
        writer.cut(len(self.sizes))
        self._path.write_text("".join(f"{line}\n" for line in lines[:good]), "utf-8")

    def add(
        self, files: int, broken: Sequence[Broken], sizes: Sequence[tuple[int, int]], different: Sequence[str]
    ) -> None:
        """Take note of a round, whose pictures are written."""
        entry = {
            "files": files,
            "broken": [[item.name, item.reason] for item in broken],
            "sizes": list(sizes),
            "different": list(different),
        }
        with open(self._path, "a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")
        self._take(entry)

    def close(self) -> None:
        """Remove the file: the build is complete."""
        self._path.unlink()

    def _take(self, entry: dict[str, Any]) -> None:
        broken = [Broken(str(name), str(reason)) for name, reason in entry["broken"]]
        sizes = [(int(width), int(height)) for width, height in entry["sizes"]]
        self.files += int(entry["files"])
        self.broken += broken
        self.sizes += sizes
        self.different.update(map(str, entry["different"]))
