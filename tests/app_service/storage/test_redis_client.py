"""Each open page holds a connection to Redis: more than the library allows must leave some for others."""

from contextlib import ExitStack

from redis import Redis

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


def test_what_a_busy_moment_opened_is_closed_after_it(redis_url: str) -> None:
    with open_redis(redis_url) as client, open_redis(redis_url) as onlooker:
        before = connected(onlooker)
        pool = client.connection_pool
        busy = [pool.get_connection() for _ in range(50)]
        assert connected(onlooker) == before + 50
        for connection in busy:
            pool.release(connection)
        assert connected(onlooker) == before + 8
        assert client.ping()
        again = [pool.get_connection() for _ in range(MORE_THAN_THE_LIBRARY)]  # what was closed counts no more
        for connection in again:
            pool.release(connection)


def connected(client: Redis) -> int:
    info: dict[str, int] = client.info("clients")
    return info["connected_clients"]
