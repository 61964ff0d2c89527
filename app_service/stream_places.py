"""Each open event stream holds a thread, so their number is limited, for each user and in all.

A page that was left is noticed only when its stream is next written to. Who leafs through cases would soon have no
place, so a user's newest stream ends that user's oldest: a page that still shows connects again where it stopped.
"""

import threading
from collections import defaultdict, deque

from prometheus_client import Gauge

from portal_wire.errors import Unavailable

_OPEN = Gauge("lightbox_app_event_streams", "Open event streams.", multiprocess_mode="livesum")


class StreamPlaces:
    """Of one process."""

    def __init__(self, each: int, total: int) -> None:
        self._each, self._total = each, total
        self._open: defaultdict[str, deque[threading.Event]] = defaultdict(deque)
        self._lock = threading.Lock()

    def take(self, user_id: str) -> threading.Event:
        """Take a place; the event is set when its stream must end. Raises Unavailable when all together are full."""
        with self._lock:
            mine = self._open[user_id]
            if len(mine) >= self._each:
                mine.popleft().set()
                _OPEN.dec()
            if sum(map(len, self._open.values())) >= self._total:
                raise Unavailable("Too many live views are open; this page asks again by itself.", retry_after_s=5)
            ended = threading.Event()
            mine.append(ended)
            _OPEN.inc()
        return ended

    def give_back(self, user_id: str, place: threading.Event) -> None:
        """Free the place; one that was ended or given back before changes nothing."""
        with self._lock:
            if place in self._open[user_id]:
                self._open[user_id].remove(place)
                _OPEN.dec()
            if not self._open[user_id]:
                del self._open[user_id]
