"""A study's end, by its doctor or by its age: rows, files, and what was remembered of it elsewhere.

Only the record that it happened stays. Whoever comes second, or after a crash in between, finishes it.
"""

from sqlalchemy import Connection, Row, select

from app_service.accounts import audit
from app_service.parts import Parts
from app_service.storage import cache, events, idempotency, transitions
from app_service.storage.database import writing
from app_service.storage.records import jobs
from app_service.storage.studies import remove_study


def delete_study(parts: Parts, study_id: str, owner_id: str, actor_id: str | None, outcome: str = "done") -> bool:
    """Delete it; False when it was gone. `actor_id` is None where the portal does so by itself."""
    with writing(parts.engine) as connection:
        attempts = _attempts(connection, study_id)
        for job in attempts:
            transitions.cancel(connection, job.id)  # from here on no worker can add to what is being deleted
    for prefix in [f"studies/{study_id}", *[f"jobs/{job.id}" for job in attempts]]:
        parts.store.delete_prefix(prefix)
    cache.forget(parts.redis, [(job.id, job.attempt) for job in attempts])
    events.forget(parts.redis, owner_id, study_id)
    with writing(parts.engine) as connection:
        idempotency.forget(connection, owner_id, study_id)
        if not remove_study(connection, study_id):
            return False
        audit.record(connection, "delete", actor_id, study_id, outcome)
    return True


def _attempts(connection: Connection, study_id: str) -> list[Row[tuple[str, int]]]:
    return list(connection.execute(select(jobs.c.id, jobs.c.attempt).where(jobs.c.study_id == study_id)))
