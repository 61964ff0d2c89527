"""The queue knows what waits, and notices what it has forgotten."""

import json

import pytest
import redis

from app_service.storage.queue import JobQueue
from app_service.storage.redis_client import open_redis
from tests.conftest import RedisServer


@pytest.fixture
def queue(redis_url: str) -> JobQueue:
    return JobQueue(open_redis(redis_url), open_redis(redis_url, text=False))


def test_jobs_have_places_in_the_order_of_their_arrival(queue: JobQueue) -> None:
    assert [queue.put(name) for name in ("a", "b", "c")] == [1, 2, 3]
    queue.take("a")
    assert queue.positions(["a", "b", "c"]) == [None, 1, 2]


def test_messages_are_json_and_name_only_the_job(queue: JobQueue, redis_url: str) -> None:
    queue.put("a-job")
    (message,) = open_redis(redis_url).hvals("dramatiq:jobs.msgs")
    assert json.loads(message)["args"] == ["a-job"]


def test_after_flushall_every_job_is_forgotten(queue: JobQueue, redis_server: RedisServer) -> None:
    queue.put("a")
    assert queue.forgotten(["a"]) == []
    redis_server.empty()
    assert queue.forgotten(["a"]) == ["a"]


def test_lost_messages_are_noticed_even_when_the_list_of_the_waiting_survived(queue: JobQueue, redis_url: str) -> None:
    queue.put("a")
    assert queue.waiting() == {"a"}
    redis.Redis.from_url(redis_url).delete("dramatiq:jobs.msgs", "dramatiq:jobs")
    assert queue.waiting() == set()
    assert queue.forgotten(["a"]) == ["a"]


def test_an_absent_redis_is_told_at_once(queue: JobQueue, redis_server: RedisServer) -> None:
    redis_server.stop()
    try:
        with pytest.raises(redis.RedisError):
            queue.put("a")
    finally:
        redis_server.start()
