"""Scores: a number per sample and attribute, from a scorer or from a file that somebody made.

A scores file is CSV, one row a seed: `seed,value`, or with a header `seed,NAME,NAME…`.
"""

import csv
import io
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from torch import Tensor

from stylegan.data.records import shown
from stylegan.directions.storage import digest_of
from stylegan.directions.targets import Column
from stylegan.errors import InputError
from stylegan.seeds import MAX_SEEDS, check_seed

_MAX_BYTES = 64 << 20


class Scorer(Protocol):
    """What gives pictures their scores: `AttributeScorer`, `PictureMeasures`, or anything with the same three."""

    @property
    def columns(self) -> tuple[Column, ...]:
        """Name and kind of each score."""

    @property
    def digest(self) -> str:
        """Identity of what it computes, hexadecimal."""

    def score(self, pictures: Tensor) -> Tensor:
        """Pictures `[N, 1 or 3, R, R]`, about [−1, 1] → float32 `[N, K]` on the CPU."""


@dataclass(frozen=True, eq=False)
class ScoreTable:
    """Scores of seeds: `values [N, K]`, row i belongs to `seeds[i]`."""

    seeds: tuple[int, ...]
    columns: tuple[Column, ...]
    values: npt.NDArray[np.float32]

    @property
    def digest(self) -> str:
        """Identity of the numbers."""
        import torch

        names = [column.name for column in self.columns]
        return digest_of([list(self.seeds), names], {"values": torch.from_numpy(self.values)})


def read_scores(path: str | os.PathLike[str]) -> ScoreTable:
    """Read a scores file. Columns of zeros and ones are answers (binary), all others are quantities.

    Raises:
        InputError: not such a file; the message says which line is wrong.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"There is no scores file {path}.")
    if path.stat().st_size > _MAX_BYTES:
        raise InputError(f"{path.name} is larger than {_MAX_BYTES >> 20} MiB.")
    return parse_scores(path.read_bytes(), path.name)


def parse_scores(data: bytes | str, name: str) -> ScoreTable:
    """The table in the bytes (UTF-8) or text of a scores file; `name` is the file's, for messages. Errors as above."""
    try:
        text = data.decode("utf-8-sig") if isinstance(data, bytes) else data.removeprefix("\ufeff")
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{name} is not a CSV file in UTF-8.") from error
    names, first = _header(rows, name)
    numbered = [(line, row) for line, row in enumerate(rows[first:], first + 1) if row]
    if not numbered or len(numbered) > MAX_SEEDS:
        raise InputError(f"{name} has {len(numbered)} rows; a scores file has 1 to {MAX_SEEDS}.")
    seeds: dict[int, list[float]] = {}
    for line, row in numbered:
        seed, values = _row(row, len(names), f"{name}, line {line}")
        if seed in seeds:
            raise InputError(f"{name}, line {line}: seed {seed} is in the file twice.")
        seeds[seed] = values
    table = np.array(list(seeds.values()), dtype=np.float32)
    columns = [Column(column, _kind(table[:, i])) for i, column in enumerate(names)]
    return ScoreTable(tuple(seeds), tuple(columns), table)


def _kind(column: npt.NDArray[np.float32]) -> Any:
    return "binary" if np.isin(column, (0, 1)).all() else "continuous"


def _header(rows: list[list[str]], file: str) -> tuple[list[str], int]:
    """Names of the columns, and the number of the first row with values."""
    first = [cell.strip() for cell in rows[0]] if rows else []
    if first[:1] == ["seed"]:
        names = first[1:]
        if not names or len(set(names)) < len(names) or not all(1 <= len(name) <= 64 for name in names):
            raise InputError(f"{file}: the header is seed,NAME,NAME… with a different name for each score.")
        return names, 1
    if len(first) != 2:
        raise InputError(f"{file}: a scores file has rows seed,value or begins with the header seed,NAME,NAME…")
    return [Path(file).stem[:64]], 0


def _row(cells: list[str], count: int, where: str) -> tuple[int, list[float]]:
    if len(cells) != count + 1:
        raise InputError(f"{where}: a seed and {count} values belong here, not {len(cells)} cells.")
    try:
        seed = check_seed(int(cells[0]))
    except ValueError:
        raise InputError(f"{where}: {shown(cells[0], 40)!r} is not a seed (a whole number from 0).") from None
    values = []
    for cell in cells[1:]:
        try:
            value = float(cell)
        except ValueError:
            value = math.nan
        if not abs(value) <= 1e30:  # what float32 holds; also refuses NaN
            raise InputError(f"{where}: {shown(cell, 40)!r} is not a finite number.")
        values.append(value)
    return seed, values
