"""The cache bounded in bytes."""

from explorer.cache import ByteCache


def filled(budget: int, sizes: dict[str, int]) -> ByteCache[str, str]:
    cache: ByteCache[str, str] = ByteCache(budget)
    for key, size in sizes.items():
        cache.put(key, key.upper(), size)
    return cache


def test_it_forgets_what_was_used_longest_ago():
    cache = filled(10, {"a": 4, "b": 4})
    assert cache.get("a") == "A"
    cache.put("c", "C", 4)
    assert "b" not in cache
    assert (cache.get("a"), cache.get("b"), cache.get("c")) == ("A", None, "C")
    assert cache.used_bytes == 8


def test_it_forgets_as_many_as_it_must_and_no_more():
    cache = filled(10, {"a": 1, "b": 3, "c": 3, "d": 3})
    cache.put("e", "E", 4)
    assert [key in cache for key in "abcde"] == [False, False, True, True, True]
    assert cache.used_bytes == 10


def test_what_is_too_large_is_not_kept_and_costs_nothing():
    cache = filled(10, {"a": 4})
    cache.put("b", "B", 11)
    assert "a" in cache
    assert "b" not in cache


def test_keep_is_kept():
    cache = filled(10, {"a": 4, "b": 4})
    cache.put("c", "C", 6, keep={"a"})
    assert ("a" in cache, "b" in cache, "c" in cache) == (True, False, True)
    cache.put("d", "D", 6, keep={"a", "c"})
    assert ("a" in cache, "c" in cache, "d" in cache) == (True, True, False)


def test_touch_decides_who_goes_first():
    cache = filled(9, {"a": 3, "b": 3, "c": 3})
    cache.touch(["a", "x", "b"])
    cache.put("d", "D", 3)
    assert "c" not in cache
    cache.put("e", "E", 3)
    assert "a" not in cache
    assert len(cache) == 3


def test_putting_again_changes_nothing_but_the_order():
    cache = filled(8, {"a": 4, "b": 4})
    cache.put("a", "other", 4)
    assert cache.used_bytes == 8
    cache.put("c", "C", 4)
    assert cache.get("a") == "A"
    assert "b" not in cache
