"""Labels of image files: class folders, which training can be conditioned on, and a table of attributes.

Classes: when every image lies in a subfolder and there are at least two of them, the subfolders' names, sorted, are the
classes and each image's label is one-hot. `attributes.csv` beside the images has a header `file,NAME,NAME…` and one row
of numbers per image; attributes are ground truth for directions and metrics, not something training is conditioned on.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from stylegan.data.records import shown
from stylegan.data.sources import TABLE, common_folder
from stylegan.errors import DataError

MAX_CLASSES = 4096

Matrix = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Labels:
    """`classes` float32 `[N, len(class_names)]`, one-hot; `attributes` float32 `[N, len(attribute_names)]`."""

    class_names: tuple[str, ...]
    classes: Matrix
    attribute_names: tuple[str, ...]
    attributes: Matrix
    warnings: tuple[str, ...] = ()

    @staticmethod
    def none(count: int) -> "Labels":
        """No classes and no attributes for `count` images."""
        return Labels((), _no_columns(count), (), _no_columns(count))


def read_labels(names: Sequence[str], every: Sequence[str], table: bytes | None) -> Labels:
    """Labels of the images `names`, in that order.

    Args:
        names: relative paths of the images in use.
        every: those and the broken ones, which the table may mention.
        table: the bytes of `attributes.csv`, or None.

    Raises:
        DataError: too many classes, or a table with a wrong header, row or value, or without a row for an image.
    """
    class_names, classes, warnings = read_classes(names)
    attribute_names: tuple[str, ...] = ()
    attributes = _no_columns(len(names))
    if table is not None:
        attribute_names, rows = parse_table(table, every)
        missing = [name for name in names if name not in rows]
        if missing:
            more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
            raise DataError(f"{TABLE} has no row for {shown(missing[0])}{more}: add what is missing.")
        attributes = np.stack([rows[name] for name in names])
    return Labels(class_names, classes, attribute_names, attributes, warnings)


def read_classes(names: Sequence[str]) -> tuple[tuple[str, ...], Matrix, tuple[str, ...]]:
    """Class names, one-hot float32 `[N, classes]`, and what people should know about how folders were understood."""
    outer = len(common_folder(names))
    folders = [name[outer:].partition("/")[0] if "/" in name[outer:] else "" for name in names]
    class_names = sorted(set(folders) - {""})
    if not class_names or "" in folders:
        loose = f"{folders.count('')} images lie beside the subfolders, so those are not taken as classes."
        return (), _no_columns(len(names)), (loose,) if class_names else ()
    if len(class_names) > MAX_CLASSES:
        raise DataError(
            f"{len(class_names)} subfolders are too many classes, {MAX_CLASSES} at most: switch labels off, "
            "or put all images into one folder."
        )
    column = {name: i for i, name in enumerate(class_names)}
    one_hot = np.zeros((len(names), len(class_names)), dtype=np.float32)
    one_hot[np.arange(len(names)), [column[folder] for folder in folders]] = 1
    return tuple(class_names), one_hot, ()


def parse_table(data: bytes, every: Sequence[str]) -> tuple[tuple[str, ...], dict[str, npt.NDArray[np.float32]]]:
    """Attribute names, and a float32 `[A]` per file, of a table in which each file is one of `every`."""
    try:
        reader = csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True)
    except UnicodeDecodeError:
        raise DataError(f"{TABLE} is not UTF-8 text: save it again with that encoding.") from None
    try:
        attribute_names = _header(next(reader, []))
        known, rows = frozenset(every), dict[str, npt.NDArray[np.float32]]()
        for cells in reader:
            if cells:
                file = cells[0].strip().replace("\\", "/").removeprefix("./")
                if file not in known or file in rows:
                    problem = "is in the table twice" if file in rows else "is not among the images"
                    raise DataError(f"{TABLE}, line {reader.line_num}: {shown(file)} {problem}.")
                rows[file] = _row(cells[1:], attribute_names, reader.line_num)
    except csv.Error as error:
        raise DataError(f"{TABLE}, line {reader.line_num}: {error}.") from error
    return attribute_names, rows


def _header(cells: Sequence[str]) -> tuple[str, ...]:
    first, *names = [cell.strip() for cell in cells] or [""]
    if first.lower() != "file" or not names or "" in names or len(set(names)) < len(names):
        raise DataError(f"{TABLE}, line 1: the header is file,NAME,NAME… with a different name for each attribute.")
    return tuple(names)


def _row(cells: Sequence[str], names: Sequence[str], line: int) -> npt.NDArray[np.float32]:
    if len(cells) != len(names):
        raise DataError(f"{TABLE}, line {line}: {len(cells)} values, but the header names {len(names)} attributes.")
    values = np.zeros(len(names), dtype=np.float32)
    for i, (cell, name) in enumerate(zip(cells, names, strict=True)):
        try:
            with np.errstate(over="ignore"):  # 1e39 becomes infinite, which is refused below
                values[i] = np.float64(cell)
        except ValueError:
            values[i] = np.nan
        if not np.isfinite(values[i]):
            raise DataError(f"{TABLE}, line {line}: {shown(cell, 40)!r} is not a finite number ({shown(name, 40)}).")
    return values


def _no_columns(count: int) -> Matrix:
    return np.zeros((count, 0), dtype=np.float32)
