"""What the reconciler measures at each round: the queue, what was given up, and the room that is left."""

import shutil
from datetime import timedelta

from sqlalchemy import Connection, Engine, func, select

from app_service.domain.job import FAILED_REPEATEDLY, MODEL_AWAY
from app_service.running.metrics import DEAD_LETTERS, QUEUE_AGE, QUEUE_LENGTH, RUNNING, STORE_FREE, STORE_SIZE
from app_service.storage.clock import now
from app_service.storage.database import reading
from app_service.storage.object_store import ObjectStore
from app_service.storage.records import jobs
from portal_wire.contract import JobState

_GIVEN_UP = [failure.code for failure in (FAILED_REPEATEDLY, MODEL_AWAY)]
_LOOK_BACK = timedelta(days=7)  # keeps the count cheap however long the portal has run


def measure_jobs(engine: Engine) -> None:
    """Jobs that wait, run, and were given up, as SQL knows them."""
    with reading(engine) as connection:
        waiting = select(func.count(), func.min(jobs.c.queued_at)).where(jobs.c.state == JobState.QUEUED)
        count, oldest = connection.execute(waiting).one()
        running = connection.execute(select(func.count()).where(jobs.c.state == JobState.RUNNING)).scalar_one()
        dead = dead_letters(connection)
    QUEUE_LENGTH.set(count)
    QUEUE_AGE.set((now() - oldest).total_seconds() if oldest else 0.0)
    RUNNING.set(running)
    DEAD_LETTERS.set(dead)


def dead_letters(connection: Connection) -> int:
    """How many jobs were given up through no fault of theirs, and were not tried again since."""
    recent = (jobs.c.state == JobState.FAILED, jobs.c.queued_at > now() - _LOOK_BACK)
    query = select(func.count()).where(*recent, jobs.c.error["code"].as_string().in_(_GIVEN_UP))
    return int(connection.execute(query).scalar_one())


def measure_store(store: ObjectStore) -> None:
    """Room on the volume that uploads land on."""
    volume = shutil.disk_usage(store.temporary_folder)
    STORE_SIZE.set(volume.total)
    STORE_FREE.set(volume.free)
