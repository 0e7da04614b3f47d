import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from stylegan.data import prepare as module
from stylegan.data.decode import decode, to_square
from stylegan.data.prepare import prepare
from stylegan.data.pyramid import box_levels
from stylegan.data.records import Progress, finish
from stylegan.errors import DataError, InputError


@pytest.fixture(autouse=True)
def _cache(monkeypatch, tmp_path):
    monkeypatch.setenv("STYLEGAN_CACHE", str(tmp_path / "cache"))


def phases(steps):
    """The phases that `steps` went through, and what it returned."""
    seen = set()
    while True:
        try:
            seen.add(next(steps).phase)
        except StopIteration as end:
            return seen, end.value


def test_a_folder_of_all_sorts(photos, encode):
    root = photos("b/1.png", "a/2.png", sizes=((20, 16), (31, 47)))
    rgba = np.random.default_rng(1).integers(0, 256, (16, 16, 4), dtype=np.uint8)
    (root / "a" / "3.webp").write_bytes(encode(rgba, "WEBP", lossless=True))
    (root / "b" / "4.jpg").write_bytes(encode(Image.new("CMYK", (64, 30), (9, 99, 199, 0)), "JPEG"))
    (root / "a" / "broken.png").write_bytes(b"no picture")
    data = finish(prepare(root, 16, background=(1, 2, 3)))

    names = ["a/2.png", "a/3.webp", "b/1.png", "b/4.jpg"]
    x = np.stack([to_square(decode((root / name).read_bytes(), (1, 2, 3)), 16) for name in names])
    for side, level in box_levels(x).items():
        np.testing.assert_array_equal(data.pictures(range(4), side).numpy(), level)
    assert data.class_names == ("a", "b")
    assert data.labels.tolist() == [[1, 0], [1, 0], [0, 1], [0, 1]]
    report = data.report
    assert (report.found, report.images, report.distinct, report.enlarged) == (5, 4, 4, 0)
    assert (report.smallest, report.largest) == ((16, 16), (31, 47))
    assert [str(item) for item in report.broken] == ["a/broken.png (not an image file that can be read)"]
    assert report.warnings == ("1 of 5 files were skipped: a/broken.png (not an image file that can be read).",)


def test_the_second_time_nothing_is_decoded(photos):
    root = photos("a.png", "b.png")
    first_phases, first = phases(prepare(root, 8))
    second_phases, second = phases(prepare(root, 8))
    assert first_phases == {"hashing", "building"}
    assert second_phases == {"hashing"}
    assert (first.digest, first.report) == (second.digest, second.report)


def test_a_zip_and_its_folder_are_the_same_data(photos, zipped):
    root = photos("a/1.png", "b/2.png")
    path = zipped({f"photos/{name}": (root / name).read_bytes() for name in ("a/1.png", "b/2.png")})
    folder = finish(prepare(root, 8))
    seen, archive = phases(prepare(path, 8))
    assert seen == {"hashing"}
    assert folder.digest == archive.digest
    assert archive.name == "photos"


def test_the_digest_follows_bytes_names_and_options_but_not_dates_and_order(photos, encode):
    root = photos("a/1.png", "b/2.png")
    plain = finish(prepare(root, 8)).digest
    os.utime(root / "a/1.png", (1, 1))
    assert finish(prepare(root, 8, seed=5)).digest == plain

    digests = {plain, finish(prepare(root, 16)).digest, finish(prepare(root, 8, labels=False)).digest}
    digests.add(finish(prepare(root, 8, background=(0, 0, 0))).digest)
    (root / "attributes.csv").write_text("file,x\na/1.png,1\nb/2.png,2\n")
    digests.add(finish(prepare(root, 8)).digest)
    (root / "attributes.csv").write_text("file,x\na/1.png,1\nb/2.png,3\n")
    digests.add(finish(prepare(root, 8)).digest)
    old = (root / "a/1.png").stat()
    pixels = np.array(Image.open(root / "a/1.png"))
    pixels[8, 8] ^= 255
    (root / "a/1.png").write_bytes(encode(pixels))
    os.utime(root / "a/1.png", ns=(old.st_atime_ns, old.st_mtime_ns))
    digests.add(finish(prepare(root, 8)).digest)
    (root / "b").rename(root / "c")
    (root / "attributes.csv").unlink()
    digests.add(finish(prepare(root, 8)).digest)
    assert len(digests) == 8


def test_attributes(photos):
    root = photos("1.png", "2.png")
    (root / "attributes.csv").write_text("file,smile,yaw\n2.png,1,30\n1.png,0.5,-20\n")
    data = finish(prepare(root, 8))
    assert data.attribute_names == ("smile", "yaw")
    assert data.attributes.tolist() == [[0.5, -20], [1, 30]]
    assert data.label_dim == 0
    assert finish(prepare(root, 8, labels=False)).attribute_names == ()


def test_the_limit_of_broken_files(photos):
    root = photos("good.png")
    for i in range(11):
        (root / f"broken{i:02}.png").write_bytes(b"x")
    message = r"at least 11 of 12 images cannot be used, and 10 may be skipped: broken00\.png \(.*\), .* and 8 more"
    with pytest.raises(DataError, match=message + r" \(all of them in .*\)\. .*--max-broken") as told:
        finish(prepare(root, 8))
    where = Path(re.search(r"all of them in (.*?)\)", str(told.value))[1])
    every = [f"broken{i:02}.png\tnot an image file that can be read" for i in range(11)]
    assert where.read_text().splitlines() == every
    where.unlink()
    report = finish(prepare(root, 8, max_broken=11)).report
    assert report.images == 1
    assert where.read_text().splitlines() == every
    assert f"and 8 more (all of them in {where})" in report.warnings[1]
    with pytest.raises(DataError, match="10 may be skipped"):  # also when the pictures are cached
        finish(prepare(root, 8))


def test_a_build_that_was_stopped_goes_on_where_it_was(photos, monkeypatch):
    root = photos(*(f"{i}.png" for i in range(6)), sizes=((20, 16), (4, 9), (50, 30)))
    (root / "2.png").write_bytes(b"x")
    (root / "5.png").write_bytes((root / "0.png").read_bytes())
    straight = finish(prepare(root, 8, cache=root / "straight"))
    monkeypatch.setattr(module, "_CHUNK_BYTES", 2 * 3 * 8 * 8)
    decoded = []
    inner = module.process
    monkeypatch.setattr(
        module, "process", lambda source, name, *rest: decoded.append(name) or inner(source, name, *rest)
    )
    steps = prepare(root, 8)
    while next(steps) != Progress("building", 4, 6):
        pass
    steps.close()
    assert sorted(decoded) == ["0.png", "1.png", "2.png", "3.png"]
    data = finish(prepare(root, 8))
    assert sorted(decoded) == [f"{i}.png" for i in range(6)]
    for name in ("found", "images", "broken", "distinct", "smallest", "largest", "enlarged"):
        assert getattr(data.report, name) == getattr(straight.report, name)
    assert data.digest == straight.digest
    assert torch.equal(data.pictures(range(5), 8), straight.pictures(range(5), 8))


def test_five_percent_may_be_broken():
    assert module.allowed_broken(100) == 10
    assert module.allowed_broken(1000) == 50
    assert module.allowed_broken(1000, 3) == 3


def test_no_image_that_can_be_read(photos, zipped):
    root = photos()
    root.mkdir()
    (root / "a.png").write_bytes(b"x")
    for spec in (root, zipped({"../a.png": b"x"}, "other.zip")):
        with pytest.raises(DataError, match=r"no image that can be read: (\.\./)?a\.png"):
            finish(prepare(spec, 8))


def test_one_image_and_one_picture_many_times(photos):
    root = photos("a.png")
    assert finish(prepare(root, 8)).report.warnings == (
        "There is only one image: a network will learn that picture and nothing else.",
    )
    for name in ("b.png", "c.png"):
        shutil.copy(root / "a.png", root / name)
    report = finish(prepare(root, 8)).report
    assert report.distinct == 1
    assert report.warnings == ("All 3 images are the same picture.",)


def test_small_images_are_enlarged_and_counted(photos):
    report = finish(prepare(photos("a.png", "b.png", sizes=((20, 16), (40, 40))), 32)).report
    assert report.enlarged == 1
    assert "1 of 2 images are smaller than 32² and were enlarged." in report.warnings


def test_a_file_that_changes_between_hashing_and_decoding(photos):
    root = photos("a.png")
    steps = prepare(root, 8)
    while next(steps).phase != "building":
        pass
    (root / "a.png").write_bytes(b"other")
    with pytest.raises(DataError, match=r"a\.png changed while it was being read"):
        finish(steps)


def test_names_that_are_no_text(photos):
    root = photos("a/1.png", "b/2.png")
    (root / "b").rename(root / os.fsdecode(b"b\xff"))
    (root / os.fsdecode(b"a/\xfe\x1b.png")).write_bytes(b"x")
    data = finish(prepare(root, 8))
    assert len(data.class_names) == 2
    assert data.report == finish(prepare(root, 8)).report
    assert str(data.report.broken[0]) == "a/??.png (not an image file that can be read)"


def test_wrong_arguments(photos):
    root = photos("a.png")
    for resolution in (0, 2, 48, 2048, 8.5):
        with pytest.raises(InputError, match=f"not {resolution}"):
            finish(prepare(root, resolution))
    with pytest.raises(InputError, match="count belongs to the portraits"):
        finish(prepare(root, 8, count=3))
    with pytest.raises(InputError, match="background"):
        finish(prepare(root, 8, background=(0, 0, 256)))
    with pytest.raises(InputError, match="0 or more, not -1"):
        finish(prepare(root, 8, max_broken=-1))
    with pytest.raises(DataError, match="no folder or zip"):
        finish(prepare("nowhere", 8))


CHILD = """
import os, signal, sys
from stylegan.data.prepare import prepare
from stylegan.data import prepare as module
module._CHUNK_BYTES = 1
steps = prepare(sys.argv[1], 8)
if sys.argv[2] == "die":
    while next(steps).done < 5: pass
    os.kill(os.getpid(), signal.SIGKILL)
while True:
    try: next(steps)
    except StopIteration as end:
        print(end.value.digest, end.value.pictures(range(len(end.value)), 8).sum().item())
        break
"""


def test_a_build_that_is_killed_and_then_several_processes_at_once(photos, tmp_path):
    root = photos(*(f"{i:02}.png" for i in range(40)))
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}

    def start(what):
        command = [sys.executable, "-c", CHILD, str(root), what]
        return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    killed = start("die")
    killed.communicate(timeout=60)
    assert killed.returncode == -signal.SIGKILL
    assert len(list((tmp_path / "cache" / "data").glob("*.part"))) == 1

    children = [start("live") for _ in range(2)]
    outputs = [child.communicate(timeout=60) for child in children]
    assert [child.returncode for child in children] == [0, 0], outputs
    data = finish(prepare(root, 8))
    total = data.pictures(range(40), 8).sum().item()
    assert outputs[0][0] == outputs[1][0] == f"{data.digest} {total}\n"
    assert not list((tmp_path / "cache" / "data").glob("*.part"))
