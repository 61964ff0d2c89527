"""Each open page holds a connection to Redis: more than the library allows must leave some for others."""

from contextlib import ExitStack

from app_service.storage.redis_client import open_redis

MORE_THAN_THE_LIBRARY = 120  # it allows 100


def test_many_open_streams_keep_nobody_from_redis(redis_url: str) -> None:
    client = open_redis(redis_url)
    pool = client.connection_pool
    with ExitStack() as stack:
        for _ in range(MORE_THAN_THE_LIBRARY):
            stack.callback(pool.release, pool.get_connection())
        assert client.ping()
    client.close()
