"""Every change of a job's state, each one conditional UPDATE: whoever comes second changes nothing.

The fence is (id, attempt, state): a claim takes a new attempt number, and only its holder can commit, release or
fail it. A cancelled, deleted or re-claimed job therefore drops the answer of a worker that comes late.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, insert, or_, select, tuple_, update

from app_service.domain.job import CANCELLABLE, FAILED_REPEATEDLY, LEASE_S, MAX_ATTEMPTS, RETRYABLE
from app_service.storage.cache import Answer, Key
from app_service.storage.clock import database_seconds, now
from app_service.storage.jobs import JOB_COLUMNS
from app_service.storage.records import artifacts, jobs
from portal_wire.contract import Failure, JobState

_EXPIRED = and_(jobs.c.state == JobState.RUNNING, jobs.c.leased_until < database_seconds())

# The statements of every run are built once; what else an UPDATE sets comes with its parameters.
_CLAIM = (
    update(jobs)
    .where(
        jobs.c.id == bindparam("of_job"),
        or_(jobs.c.state == JobState.QUEUED, _EXPIRED),
        jobs.c.attempt < jobs.c.attempt_limit,
    )
    .values(
        state=JobState.RUNNING,
        attempt=jobs.c.attempt + 1,
        started_at=bindparam("started_at"),
        leased_until=database_seconds() + LEASE_S,
    )
    .returning(*JOB_COLUMNS)
)
_LEAVE_RUNNING = (
    update(jobs)
    .where(
        jobs.c.id == bindparam("of_job"),
        jobs.c.attempt == bindparam("of_attempt"),
        jobs.c.state == JobState.RUNNING,
    )
    .returning(*JOB_COLUMNS)
)
_GIVE_BACK = _LEAVE_RUNNING.values(attempt=jobs.c.attempt - 1)
_TRY_AGAIN = _LEAVE_RUNNING.where(jobs.c.attempt < jobs.c.attempt_limit)
_ADD_ARTIFACTS = insert(artifacts)


def claim(connection: Connection, job_id: str) -> Row[Any] | None:
    """Take a waiting job, or one whose worker fell silent. None when it is not to be had."""
    return connection.execute(_CLAIM, {"of_job": job_id, "started_at": now()}).first()


def renew(connection: Connection, held: Iterable[Key]) -> None:
    """Lengthen the leases of the (job id, attempt) pairs that are still theirs."""
    mine = tuple_(jobs.c.id, jobs.c.attempt).in_(list(held))
    renewed = {"leased_until": database_seconds() + LEASE_S}
    connection.execute(update(jobs).where(mine, jobs.c.state == JobState.RUNNING).values(renewed))


def still_running(connection: Connection, held: Sequence[Key]) -> set[Key]:
    """Those of the (job id, attempt) pairs that run and have not lost their job."""
    mine = tuple_(jobs.c.id, jobs.c.attempt).in_(held)
    query = select(jobs.c.id, jobs.c.attempt).where(mine, jobs.c.state == JobState.RUNNING)
    return {(row.id, row.attempt) for row in connection.execute(query)}


def commit(
    connection: Connection, key: Key, answer: Answer, finished_at: datetime, small: Mapping[str, bytes] | None = None
) -> Row[Any] | None:
    """Store the answer of an attempt, with the `small` ones of its artifacts by name. None when the attempt has lost
    its job: the answer must be dropped."""
    result = answer.result.model_dump(mode="json")
    changes = {"state": JobState.SUCCEEDED, "result": result, "finished_at": finished_at}
    row = _leave_running(connection, _LEAVE_RUNNING, key, changes)
    if row is not None and answer.artifacts:
        made = [item.model_dump(include={"name", "media_type", "size_bytes"}) for item in answer.artifacts]
        of_attempt = {"job_id": key[0], "attempt": key[1]}
        connection.execute(
            _ADD_ARTIFACTS, [of_attempt | item | {"content": (small or {}).get(item["name"])} for item in made]
        )
    return row


def fail(connection: Connection, key: Key, failure: Failure) -> Row[Any] | None:
    """End an attempt's job with a reason that a doctor can read."""
    changes = {"state": JobState.FAILED, "error": failure.model_dump(), "finished_at": now()}
    return _leave_running(connection, _LEAVE_RUNNING, key, changes)


def give_back(connection: Connection, key: Key, away_since: datetime) -> Row[Any] | None:
    """Queue the job again because the model server is away; this attempt does not count.

    The number may be used again: its holder has given up, so nobody else can commit with it.
    """
    return _leave_running(connection, _GIVE_BACK, key, {"state": JobState.QUEUED, "model_away_since": away_since})


def break_off(connection: Connection, key: Key) -> Row[Any] | None:
    """Queue the job again after an attempt that broke; after the last one it fails."""
    row = _leave_running(connection, _TRY_AGAIN, key, {"state": JobState.QUEUED})
    return row if row is not None else fail(connection, key, FAILED_REPEATEDLY)


def cancel(connection: Connection, job_id: str) -> Row[Any] | None:
    """Stop a job that waits or runs; None when it does neither."""
    changes = {"state": JobState.CANCELLED, "finished_at": now(), "leased_until": None}
    query = update(jobs).where(jobs.c.id == job_id, jobs.c.state.in_(CANCELLABLE)).values(changes)
    return connection.execute(query.returning(*JOB_COLUMNS)).first()


def retry(connection: Connection, job_id: str) -> Row[Any] | None:
    """Queue a failed or cancelled job again, with fresh attempts; None when it is neither."""
    changes = {
        "state": JobState.QUEUED,
        "attempt_limit": jobs.c.attempt + MAX_ATTEMPTS,
        "queued_at": now(),
        "started_at": None,
        "finished_at": None,
        "error": None,
        "model_away_since": None,
    }
    query = update(jobs).where(jobs.c.id == job_id, jobs.c.state.in_(RETRYABLE)).values(changes)
    return connection.execute(query.returning(*JOB_COLUMNS)).first()


def expired(connection: Connection) -> list[Row[Any]]:
    """(id, attempt, model, version) of the attempts whose worker fell silent."""
    told = (jobs.c.id, jobs.c.attempt, jobs.c.model, jobs.c.version)
    return list(connection.execute(select(*told).where(_EXPIRED)))


def _leave_running(connection: Connection, statement: Any, key: Key, changes: dict[str, Any]) -> Row[Any] | None:
    mine = {"of_job": key[0], "of_attempt": key[1], "leased_until": None}
    return connection.execute(statement, mine | changes).first()
