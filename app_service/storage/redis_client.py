"""Redis with short patience: what is behind it can be lost, so nobody waits long for it."""

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

# The threads bound how many there are, each open page's stream holding one; the library's default of 100 would keep
# everybody else from Redis on a portal with more live pages than that.
_CONNECTIONS = 4096


def open_redis(url: str, *, text: bool = True) -> "redis.Redis":
    """A client with its pool; `text` decides between str and bytes answers. Nothing is connected yet.

    One repeat at once mends a connection that a restarted server closed; the library's default would sleep for seconds.
    """
    return redis.Redis.from_url(
        url,
        decode_responses=text,
        socket_connect_timeout=2,
        socket_timeout=5,
        health_check_interval=10,
        retry=Retry(NoBackoff(), 1),
        max_connections=_CONNECTIONS,
    )
