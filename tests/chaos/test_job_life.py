"""A job's life in any order: accepted, delivered, claimed, ended in each way, redelivered, wiped, cancelled, retried.

Real SQL, real Redis, real messages; only the clocks of leases and heartbeats are moved by hand. After every move the
rows are what the rules say, and in the end every job has ended and the queue is empty.
LIGHTBOX_CHAOS_STEPS sets how many moves are made (`make chaos` makes 50,000).
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import delete, select, update

from app_service.domain.job import MAX_ATTEMPTS
from app_service.parts import Parts
from app_service.running.reconcile import reconcile
from app_service.storage import transitions
from app_service.storage.cache import Key
from app_service.storage.clock import now
from app_service.storage.database import reading, writing
from app_service.storage.jobs import add_job, find_answers
from app_service.storage.queue import JobQueue
from app_service.storage.records import jobs, users
from app_service.storage.redis_client import open_redis
from app_service.storage.studies import add_study
from portal_wire.contract import Failure
from tests.app_service.storage.conftest import answer, study_row

MOVES = int(os.environ.get("LIGHTBOX_CHAOS_STEPS", "1500"))
A_LIFE = 40
ENDINGS = ("commit", "fail", "break_off", "give_back")
OPEN, OVER = ("queued", "running"), ("succeeded", "failed", "cancelled")
WHICH = st.integers(0, 10**6)


@dataclass(frozen=True)
class Life:
    """What the rules say of a job."""

    state: str = "queued"
    attempt: int = 0
    limit: int = MAX_ATTEMPTS
    silent: bool = False  # running, and its lease has ended
    said: float | None = None  # the probability that is shown


class JobLife(RuleBasedStateMachine):
    """`lives` is the model; `hands` are workers' deliveries, each a message with the attempt that it won, if any."""

    def __init__(self, parts: Parts, owner_id: str, study_id: str) -> None:
        super().__init__()
        self.parts, self.owner_id, self.study_id = parts, owner_id, study_id
        with writing(parts.engine) as connection:
            connection.execute(delete(jobs))
        parts.redis.flushall()
        self.lives: dict[str, Life] = {}
        self.hands: list[tuple[Any, Key | None]] = []
        self.ghosts: list[Key] = []  # of workers that were thought dead, and may come back
        self.told = 0
        self._new_worker()

    # Moves of people and of the portal.

    @rule(enqueued=st.booleans())
    def accept(self, enqueued: bool) -> None:
        with writing(self.parts.engine) as connection:
            job_id = str(add_job(connection, self.owner_id, self.study_id, "pneumonia", "1").id)
        self.lives[job_id] = Life()
        if enqueued:  # else Redis was away
            self.queue.put(job_id)

    @precondition(lambda self: self.lives)
    @rule(which=WHICH)
    def cancel(self, which: int) -> None:
        job_id, life = self._one(which)
        with writing(self.parts.engine) as connection:
            row = transitions.cancel(connection, job_id)
        assert (row is not None) == (life.state in OPEN)
        if row is not None:
            self.lives[job_id] = replace(life, state="cancelled", silent=False)

    @precondition(lambda self: self.lives)
    @rule(which=WHICH)
    def retry(self, which: int) -> None:
        job_id, life = self._one(which)
        with writing(self.parts.engine) as connection:
            row = transitions.retry(connection, job_id)
        assert (row is not None) == (life.state in ("failed", "cancelled"))
        if row is not None:
            self.lives[job_id] = replace(life, state="queued", limit=life.attempt + MAX_ATTEMPTS)
            self.queue.put(job_id)

    @precondition(lambda self: self.lives)
    @rule(which=WHICH)
    def remove(self, which: int) -> None:
        job_id, _ = self._one(which)
        with writing(self.parts.engine) as connection:
            connection.execute(delete(jobs).where(jobs.c.id == job_id))
        del self.lives[job_id]

    @rule()
    def wipe(self) -> None:
        self.parts.redis.flushall()

    @rule()
    def put_right(self) -> None:
        reconcile(self.parts)
        for job_id, life in self.lives.items():
            if life.silent:
                last = life.attempt >= life.limit
                self.lives[job_id] = replace(life, state="failed" if last else "queued", silent=False)
        queued = [job_id for job_id, life in self.lives.items() if life.state == "queued"]
        assert self.queue.forgotten(queued) == []

    # Moves of workers.

    @rule()
    def deliver(self) -> None:
        if not self._deliverable():
            return
        message = next(self.consumer)
        (job_id,) = message.args
        life = self.lives.get(job_id)
        with writing(self.parts.engine) as connection:
            row = transitions.claim(connection, job_id)
        self.queue.take(job_id)
        to_be_had = life is not None and (life.state == "queued" or life.silent) and life.attempt < life.limit
        assert (row is not None) == to_be_had
        if row is not None and life is not None:
            self.lives[job_id] = replace(life, state="running", attempt=life.attempt + 1, silent=False)
            assert row.attempt == life.attempt + 1
        self.hands.append((message, (row.id, row.attempt) if row is not None else None))

    @precondition(lambda self: self.hands)
    @rule(which=WHICH, ending=st.sampled_from(ENDINGS), acknowledged=st.booleans())
    def end(self, which: int, ending: str, acknowledged: bool) -> None:
        message, key = self.hands.pop(which % len(self.hands))
        if key is not None:
            self._end(key, ending)
        if acknowledged:
            self.consumer.ack(message)
        else:  # it died in between, with all else that it did
            self.die()

    @precondition(lambda self: self.ghosts)
    @rule(which=WHICH, ending=st.sampled_from(ENDINGS))
    def come_back(self, which: int, ending: str) -> None:
        self._end(self.ghosts[which % len(self.ghosts)], ending)

    @rule()
    def die(self) -> None:
        """The worker is gone, with all it had fetched; Dramatiq gives that to others when its heartbeat is old."""
        self.ghosts += [key for _, key in self.hands if key is not None]
        self.hands.clear()
        self.parts.redis.zadd("dramatiq:__heartbeats__", {self.queue.broker.broker_id: 0}, xx=True)
        self._new_worker()

    @precondition(lambda self: self.lives)
    @rule(which=WHICH)
    def fall_silent(self, which: int) -> None:
        job_id, life = self._one(which)
        with writing(self.parts.engine) as connection:
            running = (jobs.c.id == job_id) & (jobs.c.state == "running")
            connection.execute(update(jobs).where(running).values(leased_until=0.0))
        self.lives[job_id] = replace(life, silent=life.state == "running")

    @precondition(lambda self: self.hands)
    @rule()
    def renew(self) -> None:
        held = [key for _, key in self.hands if key is not None]
        with writing(self.parts.engine) as connection:
            transitions.renew(connection, held)
        for job_id, attempt in held:
            if self._holds((job_id, attempt)):
                self.lives[job_id] = replace(self.lives[job_id], silent=False)

    # What must hold.

    @invariant()
    def the_rows_are_what_the_rules_say(self) -> None:
        with reading(self.parts.engine) as connection:
            rows = {row.id: row for row in connection.execute(select(jobs))}
        assert rows.keys() == self.lives.keys()
        for job_id, life in self.lives.items():
            row = rows[job_id]
            assert (row.state, row.attempt, row.attempt_limit) == (life.state, life.attempt, life.limit)
            assert (row.result is not None) == (life.state == "succeeded")
            assert (row.error is not None) == (life.state == "failed")
            assert life.said is None or row.result["findings"][0]["probability"] == life.said

    def teardown(self) -> None:
        """Whatever was done to them: with one living worker every job ends, and nothing is left in the queue."""
        self.die()
        for _ in range(2 * MAX_ATTEMPTS):
            for which in range(len(self.lives)):
                self.fall_silent(which)
            self.put_right()
            while self._deliverable():
                self.deliver()
                self.end(0, "commit", True)
        self.the_rows_are_what_the_rules_say()
        assert {life.state for life in self.lives.values()} <= set(OVER)
        assert self.queue.waiting() == set()

    def _one(self, which: int) -> tuple[str, Life]:
        return list(self.lives.items())[which % len(self.lives)]

    def _holds(self, key: Key) -> bool:
        life = self.lives.get(key[0])
        return life is not None and (life.state, life.attempt) == ("running", key[1])

    def _end(self, key: Key, ending: str) -> None:
        self.told += 1
        probability = self.told / 10**6
        holds = self._holds(key)
        with writing(self.parts.engine) as connection:
            if ending == "commit":
                row = transitions.commit(connection, key, answer(key[0], probability), now())
            elif ending == "fail":
                row = transitions.fail(connection, key, Failure(code="undecodable", detail="It cannot be read."))
            elif ending == "give_back":
                row = transitions.give_back(connection, key, now())
            else:
                row = transitions.break_off(connection, key)
        assert (row is not None) == holds
        if row is not None:
            self._note(key, ending, probability)
            if row.state == "queued":
                self.queue.put(key[0])

    def _note(self, key: Key, ending: str, probability: float) -> None:
        life = replace(self.lives[key[0]], silent=False)
        if ending == "commit":
            life = replace(life, state="succeeded", said=probability)
            with reading(self.parts.engine) as connection:
                assert len(find_answers(connection, [(key[0], number) for number in range(life.attempt + 1)])) == 1
        elif ending == "give_back":
            life = replace(life, state="queued", attempt=life.attempt - 1)
            self.ghosts = [ghost for ghost in self.ghosts if ghost != key]  # whoever gave up does not come back
        elif ending == "fail" or life.attempt >= life.limit:
            life = replace(life, state="failed")
        else:
            life = replace(life, state="queued")
        self.lives[key[0]] = life

    def _deliverable(self) -> bool:
        # Every command brings back what dead workers held; a real worker sends one each second, also to an empty queue.
        self.queue.broker.do_qsize("jobs")
        return bool(self.consumer.message_cache or self.parts.redis.llen("dramatiq:jobs"))

    def _new_worker(self) -> None:
        url = self.parts.settings.redis_url
        self.queue = JobQueue(self.parts.redis, open_redis(url, text=False))
        self.consumer: Any = self.queue.broker.consume("jobs", prefetch=100)


@pytest.fixture
def ward(parts: Parts) -> Iterator[tuple[Parts, str, str]]:
    with writing(parts.engine) as connection:
        owner_id = str(connection.execute(select(users.c.id).where(users.c.username == "doctor")).scalar_one())
        row = study_row(owner_id)
        add_study(connection, row)
    yield parts, owner_id, str(row["id"])


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_whatever_happens_to_it_a_job_ends_once(ward: tuple[Parts, str, str]) -> None:
    many = settings(
        max_examples=max(1, MOVES // A_LIFE),
        stateful_step_count=A_LIFE,
        deadline=None,
        database=None,
        derandomize="LIGHTBOX_CHAOS_STEPS" not in os.environ,  # the suite repeats itself; `make chaos` looks further
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(lambda: JobLife(*ward), settings=many)  # type: ignore[no-untyped-call]
