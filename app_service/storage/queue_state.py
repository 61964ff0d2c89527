"""The queue as SQL knows it: for the metrics, and for whoever looks after the portal."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, func, select

from app_service.domain.job import FAILED_REPEATEDLY, MODEL_AWAY
from app_service.storage.clock import now
from app_service.storage.records import jobs
from portal_wire.contract import JobState

_GIVEN_UP = [failure.code for failure in (FAILED_REPEATEDLY, MODEL_AWAY)]
_LOOK_BACK = timedelta(days=7)  # keeps the count cheap however long the portal has run


@dataclass(frozen=True)
class QueueState:
    """`oldest_s` is how long the job has waited that waits longest, 0 when none does; `given_up` are dead letters."""

    waiting: int
    oldest_s: float
    running: int
    given_up: int


def queue_state(connection: Connection) -> QueueState:
    """How it stands now."""
    oldest: datetime | None
    waiting, oldest = connection.execute(
        select(func.count(), func.min(jobs.c.queued_at)).where(jobs.c.state == JobState.QUEUED)
    ).one()
    return QueueState(
        waiting=waiting,
        oldest_s=(now() - oldest).total_seconds() if oldest else 0.0,
        running=connection.execute(select(func.count()).where(jobs.c.state == JobState.RUNNING)).scalar_one(),
        given_up=_dead_letters(connection),
    )


def last_failures(connection: Connection, count: int) -> list[Row[Any]]:
    """The `count` jobs that failed last, with `finished_at`, `model`, `version` and `code`; nothing of the study."""
    columns = (jobs.c.finished_at, jobs.c.model, jobs.c.version, jobs.c.error["code"].as_string().label("code"))
    recent = (jobs.c.state == JobState.FAILED, jobs.c.queued_at > now() - _LOOK_BACK)
    return list(connection.execute(select(*columns).where(*recent).order_by(jobs.c.finished_at.desc()).limit(count)))


def _dead_letters(connection: Connection) -> int:
    """Jobs that were given up through no fault of theirs, and were not tried again since."""
    recent = (jobs.c.state == JobState.FAILED, jobs.c.queued_at > now() - _LOOK_BACK)
    query = select(func.count()).where(*recent, jobs.c.error["code"].as_string().in_(_GIVEN_UP))
    return int(connection.execute(query).scalar_one())
