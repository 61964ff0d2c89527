"""Redis with short patience: what is behind it can be lost, so nobody waits long for it."""

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

# The threads bound how many there are, each open page's stream holding one; the library's default of 100 would keep
# everybody else from Redis on a portal with more live pages than that.
_CONNECTIONS = 4096
_SPARE = 8  # of them that stay open while nobody uses them


class _Pool(redis.ConnectionPool):
    """Closes after a busy moment what that opened; the library's own pool would keep all of it for good."""

    def release(self, connection: "redis.Connection") -> None:  # type: ignore[override]  # as in the library's own
        super().release(connection)
        with self._lock:
            if len(self._available_connections) <= _SPARE:
                return
            spare = self._available_connections.pop(0)  # unused for longest: the last to come is the next to go
            self._created_connections -= 1
        spare.disconnect()


def open_redis(url: str, *, text: bool = True) -> "redis.Redis":
    """A client with its pool; `text` decides between str and bytes answers. Nothing is connected yet.

    One repeat at once mends a connection that a restarted server closed; the library's default would sleep for seconds.
    """
    pool = _Pool.from_url(
        url,
        decode_responses=text,
        socket_connect_timeout=2,
        socket_timeout=5,
        health_check_interval=10,
        retry=Retry(NoBackoff(), 1),
        max_connections=_CONNECTIONS,
    )
    return redis.Redis.from_pool(pool)
