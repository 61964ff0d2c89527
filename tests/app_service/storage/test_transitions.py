"""Exactly one attempt's answer is stored, whatever else happens; on SQLite and on PostgreSQL."""

import threading

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from app_service.storage import transitions
from app_service.storage.cache import Key
from app_service.storage.clock import now
from app_service.storage.database import reading, writing
from app_service.storage.jobs import find_answers, find_jobs
from app_service.storage.records import jobs
from portal_wire.contract import Failure, JobState
from tests.app_service.storage.conftest import Ward, answer

REASON = Failure(code="undecodable", detail="This study cannot be read.")


def claim(ward: Ward, job_id: str) -> Key | None:
    with writing(ward.engine) as connection:
        row = transitions.claim(connection, job_id)
    return (row.id, row.attempt) if row else None


def commit(ward: Ward, key: Key, probability: float = 0.9) -> bool:
    with writing(ward.engine) as connection:
        return transitions.commit(connection, key, answer(key[0], probability), now()) is not None


def state(ward: Ward, job_id: str) -> str:
    with reading(ward.engine) as connection:
        return str(find_jobs(connection, ward.owner_id, [job_id])[0].state)


def let_lease_end(ward: Ward, job_id: str) -> None:
    with writing(ward.engine) as connection:
        connection.execute(update(jobs).where(jobs.c.id == job_id).values(leased_until=0.0))


def test_of_many_workers_that_claim_at_once_one_gets_the_job(ward: Ward) -> None:
    job_id, got = ward.job(), []
    threads = [threading.Thread(target=lambda: got.append(claim(ward, job_id))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [key for key in got if key] == [(job_id, 1)]


def test_of_two_workers_that_finish_the_same_job_one_commits(ward: Ward) -> None:
    job_id = ward.job()
    slow = claim(ward, job_id)
    let_lease_end(ward, job_id)
    quick = claim(ward, job_id)
    assert slow and quick and slow != quick
    assert commit(ward, quick, 0.8)
    assert not commit(ward, slow, 0.1)
    with reading(ward.engine) as connection:
        stored = find_answers(connection, [quick, slow])
    assert [found.result.findings[0].probability for found in stored.values()] == [0.8]


def test_the_slow_one_cannot_commit_even_when_it_comes_first(ward: Ward) -> None:
    job_id = ward.job()
    slow = claim(ward, job_id)
    let_lease_end(ward, job_id)
    quick = claim(ward, job_id)
    assert slow and quick and not commit(ward, slow) and commit(ward, quick)


def test_a_redelivered_message_does_not_take_a_job_whose_worker_lives(ward: Ward) -> None:
    job_id = ward.job()
    assert claim(ward, job_id) and claim(ward, job_id) is None


def test_a_finished_job_is_never_claimed_again(ward: Ward) -> None:
    job_id = ward.job()
    key = claim(ward, job_id)
    assert key and commit(ward, key) and claim(ward, job_id) is None


def test_a_renewed_lease_is_not_expired(ward: Ward) -> None:
    job_id = ward.job()
    key = claim(ward, job_id)
    assert key
    let_lease_end(ward, job_id)
    with writing(ward.engine) as connection:
        assert [(row.id, row.attempt) for row in transitions.expired(connection)] == [key]
        transitions.renew(connection, [key])
        assert transitions.expired(connection) == []


def test_the_answer_of_a_cancelled_job_is_dropped(ward: Ward) -> None:
    job_id = ward.job()
    key = claim(ward, job_id)
    with writing(ward.engine) as connection:
        assert transitions.cancel(connection, job_id)
    assert key and not commit(ward, key)
    assert state(ward, job_id) == "cancelled"


def test_after_three_broken_attempts_a_job_fails_with_a_reason(ward: Ward) -> None:
    job_id = ward.job()
    states = []
    for _ in range(3):
        key = claim(ward, job_id)
        assert key
        with writing(ward.engine) as connection:
            row = transitions.break_off(connection, key)
        states.append(row.state if row else None)
    assert states == ["queued", "queued", "failed"]
    assert claim(ward, job_id) is None


def test_an_absent_model_costs_no_attempt(ward: Ward) -> None:
    job_id = ward.job()
    for _ in range(5):
        key = claim(ward, job_id)
        assert key == (job_id, 1)
        with writing(ward.engine) as connection:
            transitions.give_back(connection, key, now())


def test_a_retry_is_a_new_attempt_with_attempts_of_its_own(ward: Ward) -> None:
    job_id = ward.job()
    first = claim(ward, job_id)
    assert first
    with writing(ward.engine) as connection:
        transitions.fail(connection, first, REASON)
        row = transitions.retry(connection, job_id)
    assert row and row.state == "queued" and row.error is None and row.attempt_limit == 4
    assert claim(ward, job_id) == (job_id, 2)
    assert not commit(ward, first)


@pytest.mark.parametrize("changes", [{"state": JobState.SUCCEEDED}, {"state": JobState.FAILED}, {"result": {"a": 1}}])
def test_the_database_itself_refuses_a_result_in_any_state_but_succeeded(
    ward: Ward, changes: dict[str, object]
) -> None:
    job_id = ward.job()
    with pytest.raises(IntegrityError), writing(ward.engine) as connection:
        connection.execute(update(jobs).where(jobs.c.id == job_id).values(**changes))


def test_no_update_is_lost_when_many_read_and_then_write(ward: Ward) -> None:
    """The driver's default transactions lose some of these on SQLite: each reader must see the last writer."""
    job_id = ward.job()
    mine = jobs.c.id == job_id

    def add_one() -> None:
        for _ in range(10):
            with writing(ward.engine) as connection:
                read = select(jobs.c.attempt_limit).where(mine).with_for_update()
                seen = connection.execute(read).scalar_one()
                connection.execute(update(jobs).where(mine).values(attempt_limit=seen + 1))

    threads = [threading.Thread(target=add_one) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with reading(ward.engine) as connection:
        assert connection.execute(select(jobs.c.attempt_limit).where(mine)).scalar_one() == 3 + 60
