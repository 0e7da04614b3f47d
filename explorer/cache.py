"""A cache bounded in bytes that forgets what was used longest ago."""

import threading
from collections import OrderedDict
from collections.abc import Collection, Hashable, Iterable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class ByteCache(Generic[K, V]):
    """Values by key, with their sizes; together never more than the budget. Thread-safe."""

    def __init__(self, budget_bytes: int) -> None:
        self.budget_bytes = budget_bytes
        self._entries: OrderedDict[K, tuple[V, int]] = OrderedDict()  # the one used longest ago first
        self._bytes = 0
        self._lock = threading.Lock()

    @property
    def used_bytes(self) -> int:
        """What all values take."""
        return self._bytes

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, key: K) -> bool:
        return key in self._entries

    def get(self, key: K) -> V | None:
        """The value, from now on the one used last; None where it is not here (any more)."""
        with self._lock:
            if key not in self._entries:
                return None
            self._entries.move_to_end(key)
            return self._entries[key][0]

    def put(self, key: K, value: V, size_bytes: int, keep: Collection[K] = ()) -> None:
        """Keep `value`, and forget others for it, but none of `keep`: rather than one of those, it is not kept."""
        with self._lock:
            if key in self._entries:
                self._entries.move_to_end(key)
                return
            gone, free_bytes = [], self.budget_bytes - self._bytes
            for other, (_, other_bytes) in self._entries.items():
                if free_bytes >= size_bytes:
                    break
                if other not in keep:
                    gone.append(other)
                    free_bytes += other_bytes
            if free_bytes < size_bytes:
                return
            for other in gone:
                self._bytes -= self._entries.pop(other)[1]
            self._entries[key] = (value, size_bytes)
            self._bytes += size_bytes

    def touch(self, keys: Iterable[K]) -> None:
        """Those of `keys` that are here count as used now, one after the other."""
        with self._lock:
            for key in keys:
                if key in self._entries:
                    self._entries.move_to_end(key)
