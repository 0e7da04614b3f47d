import errno
import json
import os
import shutil
import time
from collections import namedtuple

import numpy as np
import pytest

from stylegan.data import cache as module
from stylegan.data.cache import cache_root, cached
from stylegan.data.records import Progress, finish
from stylegan.errors import DataError, DiskFullError


def pictures(n, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (n, 8, 8, 3), dtype=np.uint8)


def builder(n=6, calls=None, fail_at=None, error=RuntimeError):
    """A build that appends picture by picture."""

    def build(writer):
        while writer.count < n:
            if calls is not None:
                calls.append(writer.count)
            yield Progress("building", writer.count, n)
            if writer.count == fail_at:
                raise error
            writer.append(pictures(n)[writer.count][None])
        return {"facts": [1, 2]}

    return build


def test_root(monkeypatch, tmp_path):
    monkeypatch.setenv("STYLEGAN_CACHE", str(tmp_path / "env"))
    assert cache_root() == tmp_path / "env" / "data"
    assert cache_root(tmp_path / "given") == tmp_path / "given" / "data"
    monkeypatch.delenv("STYLEGAN_CACHE")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_root() == tmp_path / ".cache" / "stylegan-explorer" / "data"


def test_built_once_and_then_opened(tmp_path):
    calls = []
    for _ in range(2):
        pyramid, facts = finish(cached(tmp_path / "new", "key", 8, 6, builder(calls=calls)))
        np.testing.assert_array_equal(pyramid.read(np.arange(6), 8), pictures(6))
        assert facts == {"facts": [1, 2]}
    assert calls == [0, 1, 2, 3, 4, 5]
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["key", "key.lock"]


@pytest.mark.parametrize("name", ["meta.json", "r02.npy"])
def test_a_damaged_one_is_built_anew(tmp_path, name):
    finish(cached(tmp_path, "key", 8, 6, builder()))
    (tmp_path / "key" / name).write_bytes(b"{")
    pyramid, _ = finish(cached(tmp_path, "key", 8, 6, builder()))
    np.testing.assert_array_equal(pyramid.read(np.arange(6), 8), pictures(6))


@pytest.mark.parametrize("resumable", [False, True])
def test_a_build_that_ends_early(tmp_path, resumable):
    steps = cached(tmp_path, "key", 8, 6, builder(), resumable=resumable)
    for _ in range(4):
        next(steps)
    steps.close()
    assert not (tmp_path / "key").exists()
    assert (tmp_path / "key.part").exists() == resumable
    calls = []
    pyramid, _ = finish(cached(tmp_path, "key", 8, 6, builder(calls=calls), resumable=resumable))
    assert calls[0] == (3 if resumable else 0)
    np.testing.assert_array_equal(pyramid.read(np.arange(6), 8), pictures(6))


def test_a_second_builder_waits_and_then_finds_it(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "WAIT_SEC", 0.001)
    calls = []
    first, second = (cached(tmp_path, "key", 8, 6, builder(calls=calls)) for _ in range(2))
    next(first)
    assert [next(second) for _ in range(3)] == [Progress("waiting", 0, 0)] * 3
    finish(first)
    pyramid, _ = finish(second)
    assert calls == [0, 1, 2, 3, 4, 5]
    np.testing.assert_array_equal(pyramid.read(np.arange(6), 8), pictures(6))


def test_a_second_builder_takes_over_when_the_first_fails(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "WAIT_SEC", 0.001)
    first, second = (cached(tmp_path, "key", 8, 6, builder()) for _ in range(2))
    next(first)
    next(second)
    first.close()
    assert finish(second)[0].count == 6


def test_old_leftovers_are_swept_and_those_in_use_are_not(tmp_path):
    old = time.time() - 2 * module.STALE_SEC
    for name in ("killed", "running", "fresh"):
        (tmp_path / f"{name}.part").mkdir()
        (tmp_path / f"{name}.part" / "r02.npy").write_bytes(b"x")
        if name != "fresh":
            os.utime(tmp_path / f"{name}.part" / "r02.npy", (old, old))
            os.utime(tmp_path / f"{name}.part", (old, old))
    with open(tmp_path / "running.lock", "ab") as lock:
        assert module._try_lock(lock)
        finish(cached(tmp_path, "key", 8, 6, builder()))
    assert sorted(path.name for path in tmp_path.glob("*.part")) == ["fresh.part", "running.part"]


def test_no_space_is_said_before_the_work(tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**9, 10**9, 1000))
    with pytest.raises(DiskFullError, match=r"6 pictures at 8² need 0\.0 GiB"):
        finish(cached(tmp_path, "key", 8, 6, builder()))


@pytest.mark.parametrize(
    ("number", "error", "message"),
    [(errno.ENOSPC, DiskFullError, "No space left"), (errno.EIO, DataError, "Input/output error")],
)
def test_faults_of_the_disk_are_one_sentence(tmp_path, number, error, message):
    failure = OSError(number, os.strerror(number))
    with pytest.raises(error, match=message):
        finish(cached(tmp_path, "key", 8, 6, builder(fail_at=2, error=failure)))
    assert not (tmp_path / "key.part").exists()


def test_a_cache_folder_that_cannot_be_used(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="STYLEGAN_CACHE"):
        finish(cached(tmp_path / "file" / "data", "key", 8, 6, builder()))


def test_facts_are_json_beside_the_levels(tmp_path):
    finish(cached(tmp_path, "key", 8, 6, builder()))
    meta = json.loads((tmp_path / "key" / "meta.json").read_text())
    assert meta == {"resolution": 8, "count": 6, "facts": {"facts": [1, 2]}}
