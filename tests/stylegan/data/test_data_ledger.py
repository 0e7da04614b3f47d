import contextlib

import numpy as np
import pytest

from stylegan.data.ledger import Ledger
from stylegan.data.pyramid import PyramidWriter
from stylegan.data.records import Broken


def pictures(n):
    return np.full((n, 8, 8, 3), 7, dtype=np.uint8)


@pytest.fixture
def resumed(tmp_path):
    """Opens the folder's pictures and ledger again, as the next build would."""
    stack = contextlib.ExitStack()

    def make():
        writer = stack.enter_context(contextlib.closing(PyramidWriter(tmp_path, 8)))
        return writer, Ledger(writer)

    with stack:
        yield make


def begin(make):
    """Two rounds: three files of which one is broken, then two good ones."""
    writer, ledger = make()
    writer.append(pictures(2))
    ledger.add(3, [Broken("é\n.png", "cut short")], [(9, 8), (30, 20)], ["a", "b"])
    writer.append(pictures(2))
    ledger.add(2, [], [(5, 5), (6, 6)], ["a", "c"])
    writer.flush()
    return writer, ledger


def test_everything_comes_back(resumed):
    begin(resumed)
    writer, ledger = resumed()
    assert (ledger.files, writer.count) == (5, 4)
    assert ledger.broken == [Broken("é\n.png", "cut short")]
    assert ledger.sizes == [(9, 8), (30, 20), (5, 5), (6, 6)]
    assert ledger.different == {"a", "b", "c"}


def test_pictures_without_a_line_are_cut_off(resumed):
    writer, _ = begin(resumed)
    writer.append(pictures(3))
    writer.flush()
    again, ledger = resumed()
    assert (again.count, ledger.files) == (4, 5)


def test_a_line_whose_pictures_are_not_all_there_does_not_count(resumed):
    writer, _ = begin(resumed)
    writer.cut(3)
    writer.flush()
    again, ledger = resumed()
    assert (again.count, ledger.files, len(ledger.broken)) == (2, 3, 1)


@pytest.mark.parametrize("damage", ['{"files": 1, "bro', "[]", '{"files": 1}', "\x00"])
def test_damaged_lines_end_what_counts(resumed, tmp_path, damage):
    writer, _ = begin(resumed)
    path = tmp_path / "ledger.jsonl"
    first = path.read_text().splitlines()[0]
    path.write_text(f"{first}\n{damage}\n")
    writer, ledger = resumed()
    assert (writer.count, ledger.files) == (2, 3)
    ledger.add(0, [], [], [])
    assert resumed()[1].files == 3  # what is added follows the good lines


def test_a_complete_build_needs_none(resumed, tmp_path):
    _, ledger = begin(resumed)
    ledger.close()
    assert not (tmp_path / "ledger.jsonl").exists()
