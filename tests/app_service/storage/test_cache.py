"""A cached answer is the answer of its attempt, or none."""

from prometheus_client import REGISTRY

from app_service.storage import cache
from app_service.storage.redis_client import open_redis
from tests.app_service.storage.conftest import answer
from tests.conftest import RedisServer


def reads(outcome: str) -> float:
    return REGISTRY.get_sample_value("lightbox_app_result_cache_reads_total", {"outcome": outcome}) or 0.0


def test_another_attempts_answer_is_never_found(redis_url: str) -> None:
    client = open_redis(redis_url)
    cache.fill(client, ("job", 1), answer("job", 0.1))
    assert cache.find(client, [("job", 2)]) == {}
    cache.fill(client, ("job", 2), answer("job", 0.9))
    found = cache.find(client, [("job", 2)])[("job", 2)]
    assert found.result.findings[0].probability == 0.9


def test_hits_and_misses_are_counted(redis_url: str) -> None:
    client, hits, misses = open_redis(redis_url), reads("hit"), reads("miss")
    cache.fill(client, ("job", 1), answer("job"))
    cache.find(client, [("job", 1), ("job", 2)])
    assert (reads("hit") - hits, reads("miss") - misses) == (1, 1)


def test_an_absent_redis_is_a_miss_and_no_error(redis_server: RedisServer) -> None:
    client = open_redis(redis_server.url)
    redis_server.stop()
    try:
        cache.fill(client, ("job", 1), answer("job"))
        assert cache.find(client, [("job", 1)]) == {}
    finally:
        redis_server.start()
