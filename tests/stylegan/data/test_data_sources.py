import os
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stylegan.data import sources
from stylegan.data.records import Unreadable
from stylegan.data.sources import common_folder, open_source
from stylegan.errors import DataError


def test_a_folder_is_listed_in_depth_and_in_order(photos):
    root = photos("b.PNG", "a/2.jpeg", "a/1.webp", "deep/er/x.tif", ".hidden/x.png", "._a.png", "__MACOSX/a.png")
    (root / "notes.txt").write_text("no picture")
    source = open_source(root)
    assert source.names == ("a/1.webp", "a/2.jpeg", "b.PNG", "deep/er/x.tif")
    assert source.name == "photos"
    assert source.read("b.PNG") == (root / "b.PNG").read_bytes()


def test_links_are_followed_but_not_in_circles(photos, tmp_path):
    root = photos("a/1.png")
    other = photos("2.png", folder="other")
    (root / "a" / "loop").symlink_to(root)
    (root / "b").symlink_to(other)
    (root / "broken.png").symlink_to(tmp_path / "nowhere.png")
    assert open_source(root).names == ("a/1.png", "b/2.png")


def test_only_regular_files_are_read(photos):
    root = photos("a.png")
    os.mkfifo(root / "pipe.png")
    assert open_source(root).names == ("a.png",)


def test_a_file_that_is_gone_or_too_long_is_unreadable(photos, monkeypatch):
    root = photos("a.png", "b.png")
    source = open_source(root)
    (root / "a.png").unlink()
    with pytest.raises(Unreadable, match="No such file"):
        source.read("a.png")
    monkeypatch.setattr(sources, "MAX_FILE_BYTES", 10)
    with pytest.raises(Unreadable, match="over 0 MiB"):
        source.read("b.png")


def test_a_zip_reads_like_the_folder(photos, zipped):
    root = photos("a/1.png", "b/2.png", "attributes.csv")
    names = ["b/2.png", "a/1.png", "attributes.csv"]
    path = zipped({name: (root / name).read_bytes() for name in names}, compression=zipfile.ZIP_DEFLATED)
    folder, archive = open_source(root), open_source(path)
    assert folder.names == archive.names == ("a/1.png", "b/2.png")
    assert [folder.read(name) for name in folder.names] == [archive.read(name) for name in archive.names]
    assert folder.table() == archive.table() is not None
    archive.close()


def test_a_folder_that_wraps_the_whole_zip_does_not_count(zipped):
    members = {"faces/a/1.png": b"1", "faces/b/2.png": b"2", "faces/attributes.csv": b"t", "readme.txt": b"x"}
    archive = open_source(zipped(members))
    assert archive.names == ("a/1.png", "b/2.png")
    assert archive.read("b/2.png") == b"2"
    assert archive.table() == b"t"
    archive.close()


def test_with_a_table_outside_names_stay_whole(zipped):
    archive = open_source(zipped({"faces/1.png": b"1", "faces/2.png": b"2", "attributes.csv": b"t"}))
    assert archive.names == ("faces/1.png", "faces/2.png")
    archive.close()


@pytest.mark.parametrize("name", ["../evil.png", "/etc/evil.png", "a/../../evil.png", "..\\evil.png", "C:\\evil.png"])
def test_names_that_lead_out_of_the_zip_are_refused(zipped, name):
    archive = open_source(zipped({"ok.png": b"1", name: b"2"}))
    assert archive.names == ("ok.png",)
    assert [item.reason for item in archive.refused] == ["its path leads out of the zip"]
    archive.close()


def test_a_name_that_is_there_twice_is_refused(zipped):
    with pytest.warns(UserWarning, match="Duplicate"):
        path = zipped([("a.png", b"1"), ("b.png", b"2"), ("a.png", b"3")])
    archive = open_source(path)
    assert archive.names == ("a.png", "b.png")
    assert [(item.name, item.reason) for item in archive.refused] == [("a.png", "twice in the zip")]
    archive.close()


def test_damaged_locked_and_huge_members_are_unreadable(zipped, monkeypatch):
    path = zipped([("damaged.png", b"DAMAGED" * 9), ("locked.png", b"1"), ("huge.png", b"0" * 5000)])
    data = path.read_bytes().replace(b"DAMAGED" * 9, b"DaMAGED" * 9)
    local, central = (data.index(b"locked.png") - back for back in (30, 0)), data.rindex(b"locked.png") - 46
    marked = bytearray(data)
    marked[next(local) + 6] |= 1
    marked[central + 8] |= 1
    path.write_bytes(marked)
    monkeypatch.setattr(sources, "MAX_FILE_BYTES", 4096)
    archive = open_source(path)
    for name, reason in {"damaged.png": "damaged", "locked.png": "password", "huge.png": "unpacks to over"}.items():
        with pytest.raises(Unreadable, match=reason):
            archive.read(name)
    archive.close()


def test_a_zip_bomb_is_refused(zipped, monkeypatch):
    path = zipped({"a.png": b"\0" * 10_000_000}, compression=zipfile.ZIP_DEFLATED)  # 1000 times its size
    open_source(path).close()  # small enough to do no harm
    monkeypatch.setattr(sources, "MAX_ARCHIVE_BYTES", 1_000_000)
    with pytest.raises(DataError, match="zip bomb"):
        open_source(path)
    monkeypatch.setattr(sources, "MAX_FILES", 0)
    with pytest.raises(DataError, match="1 entries"):
        open_source(path)


def test_what_is_no_source(tmp_path, zipped):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file.zip").write_bytes(b"PK but no zip")
    for path, message in {
        tmp_path / "nothing": "no folder or zip at",
        tmp_path / "empty": "holds no images",
        tmp_path / "file.zip": "neither a folder nor a readable zip",
        zipped({"a.txt": b""}): "holds no images",
    }.items():
        with pytest.raises(DataError, match=message):
            open_source(path)


@given(st.lists(st.text("ab/", min_size=1, max_size=6), min_size=1, max_size=5))
def test_common_folder_is_the_longest(names):
    common = common_folder(names)
    assert all(name.startswith(common) for name in names)
    assert common == "" or common.endswith("/")
    prefixes = [names[0][: i + 1] for i, letter in enumerate(names[0]) if letter == "/"]
    shared = [prefix for prefix in prefixes if all(name.startswith(prefix) for name in names)]
    assert common == max(shared, key=len, default="")
