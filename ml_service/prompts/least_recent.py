"""What is kept in memory as long as there is room: the least recently used goes first."""

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

Kept = TypeVar("Kept")


class LeastRecent(Generic[Kept]):
    """A bounded store. `most_bytes` bounds what is in it together; a thing that is larger by itself is not kept.

    Safe to use from several threads.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._kept: OrderedDict[Hashable, tuple[Kept, int]] = OrderedDict()
        self._guard = threading.Lock()
        self.size_bytes = 0

    def get(self, key: Hashable) -> Kept | None:
        """Returns what is kept by this key and notes that it was used; None: it is not there."""
        with self._guard:
            if key not in self._kept:
                return None
            self._kept.move_to_end(key)
            return self._kept[key][0]

    def put(self, key: Hashable, value: Kept, size_bytes: int) -> None:
        """Keeps a value, and drops others until there is room."""
        with self._guard:
            if key in self._kept:
                self.size_bytes -= self._kept.pop(key)[1]
            if size_bytes > self._most:
                return
            self._kept[key] = (value, size_bytes)
            self.size_bytes += size_bytes
            while self.size_bytes > self._most:
                self.size_bytes -= self._kept.popitem(last=False)[1][1]
