"""Nothing that was accepted is lost: not by FLUSHALL, not by a queue that was away, not by a dead worker."""

import json
from collections.abc import Callable
from itertools import pairwise

import pytest
import redis
from apiflask import APIFlask
from dramatiq import Worker
from sqlalchemy import update

from app_service import ml_client
from app_service.domain.job import LAST_TRIES_APART_S
from app_service.parts import Parts
from app_service.running.reconcile import reconcile
from app_service.storage import transitions
from app_service.storage.database import writing
from app_service.storage.records import jobs
from tests.app_service.conftest import Caller, film, sign_in, wait_until
from tests.app_service.fake_ml import FakeMl
from tests.conftest import RedisServer


def all_done(doctor: Caller) -> Callable[[], bool]:
    return lambda: {job["state"] for job in doctor.get("/v1/jobs").json["items"]} == {"succeeded"}  # type: ignore[index]


@pytest.fixture
def unserved(doctor: Caller) -> list[str]:
    """Jobs that no worker has seen."""
    return [doctor.upload_one(seed)["id"] for seed in range(5)]


def test_after_flushall_every_queued_job_runs_once(
    app: APIFlask,
    unserved: list[str],
    parts: Parts,
    redis_server: RedisServer,
    request: pytest.FixtureRequest,
    ml: FakeMl,
) -> None:
    redis_server.empty()
    reconcile(parts)
    reconcile(parts)
    request.getfixturevalue("worker")
    doctor = sign_in(app, "doctor")  # their sessions went with the rest
    wait_until(all_done(doctor))
    assert ml.asked == 5


def test_an_upload_succeeds_although_the_queue_is_away(
    doctor: Caller, parts: Parts, worker: Worker, app: APIFlask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(job_id: str, delay_s: float = 0.0) -> None:
        raise redis.ConnectionError

    queue = app.extensions["lightbox"].queue
    monkeypatch.setattr(queue, "put", away)
    answer = doctor.upload((film(), "film.png"))
    assert answer.status_code == 201 and answer.json and answer.json["jobs"][0]["position"] is None
    reconcile(parts)
    wait_until(all_done(doctor))


def test_the_job_of_a_dead_worker_runs_again_and_the_model_is_told(
    doctor: Caller, unserved: list[str], parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id, told = unserved[0], []
    monkeypatch.setattr(ml_client, "call_off", lambda client, name: told.append(name))
    with writing(parts.engine) as connection:
        assert transitions.claim(connection, job_id)
        connection.execute(update(jobs).where(jobs.c.id == job_id).values(leased_until=0.0))
    parts.queue.take(job_id)
    reconcile(parts)
    assert doctor.job(job_id)["state"] == "queued"
    assert job_id in parts.queue.waiting()
    assert told == [f"{job_id}-1"]


def test_a_job_that_kills_its_workers_fails_in_the_end(doctor: Caller, unserved: list[str], parts: Parts) -> None:
    job_id = unserved[0]
    for _ in range(3):
        with writing(parts.engine) as connection:
            assert transitions.claim(connection, job_id)
            connection.execute(update(jobs).where(jobs.c.id == job_id).values(leased_until=0.0))
        reconcile(parts)
    failed = doctor.job(job_id)
    assert failed["state"] == "failed" and failed["error"]["code"] == "failed_repeatedly"


def test_who_broke_off_together_twice_runs_apart_the_last_time(unserved: list[str], parts: Parts) -> None:
    """Or a study that ends its worker would take those with it that ran beside it."""
    for _ in range(2):
        for job_id in unserved:
            with writing(parts.engine) as connection:
                assert transitions.claim(connection, job_id)
                connection.execute(update(jobs).where(jobs.c.id == job_id).values(leased_until=0.0))
        parts.redis.flushall()
        reconcile(parts)
    told = [json.loads(text) for text in parts.redis.hvals("dramatiq:jobs.DQ.msgs")]
    due = sorted(message["options"]["eta"] for message in told)
    assert len(due) == len(unserved) - 1 and parts.redis.llen("dramatiq:jobs") == 1
    assert min(later - sooner for sooner, later in pairwise(due)) >= 1000 * (LAST_TRIES_APART_S - 0.5)


def test_the_job_of_a_living_worker_is_left_alone(doctor: Caller, unserved: list[str], parts: Parts) -> None:
    with writing(parts.engine) as connection:
        assert transitions.claim(connection, unserved[0])
    reconcile(parts)
    assert doctor.job(unserved[0])["state"] == "running"


def test_a_round_repeats_no_message(unserved: list[str], parts: Parts) -> None:
    def messages() -> int:
        return int(parts.redis.hlen("dramatiq:jobs.msgs"))

    before = messages()
    reconcile(parts)
    assert (before, messages()) == (5, 5)
