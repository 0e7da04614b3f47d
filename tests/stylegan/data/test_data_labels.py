import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stylegan.data import labels as module
from stylegan.data.labels import parse_table, read_labels
from stylegan.errors import DataError


def table(*lines):
    return "\n".join(lines).encode()


def test_subfolders_are_classes_by_name():
    labels = read_labels(["b/x/1.png", "a/2.png", "c/3.png", "a/4.png"], [], None)
    assert labels.class_names == ("a", "b", "c")
    np.testing.assert_array_equal(labels.classes, np.array([[0, 1, 0], [1, 0, 0], [0, 0, 1], [1, 0, 0]]))
    assert labels.classes.dtype == np.float32
    assert labels.attributes.shape == (4, 0)


@pytest.mark.parametrize("names", [["1.png", "2.png"], ["one/1.png", "one/2.png"]])
def test_no_classes_without_at_least_two_subfolders(names):
    labels = read_labels(names, names, None)
    assert labels.class_names == ()
    assert labels.classes.shape == (2, 0)
    assert labels.warnings == ()


def test_classes_inside_a_common_folder():
    assert read_labels(["all/a/1.png", "all/b/2.png"], [], None).class_names == ("a", "b")


def test_images_beside_the_subfolders_mean_no_classes_and_a_warning():
    labels = read_labels(["a/1.png", "b/2.png", "3.png"], [], None)
    assert labels.class_names == ()
    assert "1 images lie beside" in labels.warnings[0]


def test_too_many_classes(monkeypatch):
    monkeypatch.setattr(module, "MAX_CLASSES", 2)
    with pytest.raises(DataError, match="3 subfolders are too many classes"):
        read_labels(["a/1.png", "b/1.png", "c/1.png"], [], None)


def test_a_table_gives_attributes_in_the_order_of_the_images():
    data = b"\xef\xbb\xbf" + table(
        'file,smile,"yaw, deg"', "b.png,1,-30.5", "", "./sub\\a.png, 0.25 ,1e2", "broken.png,0,0"
    )
    labels = read_labels(["sub/a.png", "b.png"], ["b.png", "broken.png", "sub/a.png"], data)
    assert labels.attribute_names == ("smile", "yaw, deg")
    np.testing.assert_array_equal(labels.attributes, np.array([[0.25, 100], [1, -30.5]], dtype=np.float32))


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ((), "line 1: the header is"),
        (("name,smile", "a.png,1"), "line 1: the header is"),
        (("file", "a.png"), "line 1: the header is"),
        (("file,x,x", "a.png,1,2"), "line 1: the header is"),
        (("file,x,", "a.png,1,2"), "line 1: the header is"),
        (("file,x", "a.png,1", "b.png,1"), "line 3: b.png is not among the images"),
        (("file,x", "a.png,1", "", "a.png,1"), "line 4: a.png is in the table twice"),
        (("file,x", "a.png,1,2"), "line 2: 2 values, but the header names 1"),
        (("file,x", "a.png,much"), "line 2: 'much' is not a finite number"),
        (("file,x", "a.png,"), "line 2: '' is not a finite number"),
        (("file,x", "a.png,nan"), "line 2: 'nan' is not a finite number"),
        (("file,x", "a.png,-inf"), "line 2: '-inf' is not a finite number"),
        (("file,x", "a.png,1e39"), "line 2: '1e39' is not a finite number"),
        (("file,x", 'a.png,"1'), "line 2"),
    ],
)
def test_mistakes_in_a_table_are_named_by_line(lines, message):
    with pytest.raises(DataError, match=message):
        read_labels(["a.png"], ["a.png"], table(*lines))


def test_a_table_without_a_row_for_an_image():
    with pytest.raises(DataError, match=r"no row for b\.png and 1 more"):
        read_labels(["a.png", "b.png", "c.png"], ["a.png", "b.png", "c.png"], table("file,x", "a.png,1"))


def test_a_table_that_is_not_text():
    with pytest.raises(DataError, match="not UTF-8"):
        read_labels(["a.png"], ["a.png"], b"file,x\na.png,\xff")


@given(
    st.dictionaries(
        st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=5),
        st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=2, max_size=2),
        min_size=1,
    )
)
def test_numbers_survive_the_table(rows):
    lines = ["file,one,two", *(f"{name},{a!r},{b!r}" for name, (a, b) in rows.items())]
    _, parsed = parse_table("\r\n".join(lines).encode(), list(rows))
    assert {name: row.tolist() for name, row in parsed.items()} == rows
