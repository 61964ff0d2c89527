"""Who may work at once on what takes much memory; the others wait their turn, for as long as they have patience."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from portal_wire.errors import Unavailable


class Turns:
    """A number of places. `waiting` are those that have none yet."""

    def __init__(self, places: int, work: str, retry_after_s: int) -> None:
        """`work` names what the others are: "volumes"."""
        self._places, self._work, self._retry_after_s = places, work, retry_after_s
        self._free = threading.BoundedSemaphore(places)
        self.waiting = 0

    @contextmanager
    def taken(self, wait_s: float) -> Iterator[None]:
        """Holds a place until the block ends. Raises Unavailable when there is none in time."""
        self.waiting += 1
        mine = self._free.acquire(timeout=wait_s)
        self.waiting -= 1
        if not mine:
            raise Unavailable(
                f"The model is busy with other {self._work}.", code="queue_full", retry_after_s=self._retry_after_s
            )
        try:
            yield
        finally:
            self._free.release()

    def close(self) -> None:
        """Waits for who has a place, and gives none out any more."""
        for _ in range(self._places):
            self._free.acquire()
