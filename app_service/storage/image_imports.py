"""Imports of DICOM results into AWS HealthImaging: which are due, which are under way, what they told."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Row, and_, insert, select, update

from app_service.storage.cache import Key
from app_service.storage.clock import now
from app_service.storage.records import artifacts, image_imports, jobs
from portal_wire.contract import JobState, Notice

LOOK_BACK = timedelta(days=1)  # of jobs; an import that is not over by then is given up
_SEG = "seg.dcm"


def begin_imports(connection: Connection, limit: int) -> None:
    """Note that the DICOM results of jobs of the last day are to be imported, each once."""
    same = and_(image_imports.c.job_id == jobs.c.id, image_imports.c.attempt == jobs.c.attempt)
    segs = and_(artifacts.c.job_id == jobs.c.id, artifacts.c.attempt == jobs.c.attempt, artifacts.c.name == _SEG)
    recent = (jobs.c.state == JobState.SUCCEEDED, jobs.c.queued_at > now() - LOOK_BACK)
    due = select(jobs.c.id, jobs.c.attempt).join(artifacts, segs).outerjoin(image_imports, same)
    for row in connection.execute(due.where(*recent, image_imports.c.job_id.is_(None)).limit(limit)).all():
        values = {"job_id": row.id, "attempt": row.attempt, "began_at": now(), "notices": []}
        connection.execute(insert(image_imports).values(values))


def open_imports(connection: Connection, limit: int) -> list[Row[Any]]:
    """Those that are not over, the oldest first; `import_id` is None for one that was not started."""
    query = select(image_imports).where(image_imports.c.ended_at.is_(None))
    return list(connection.execute(query.order_by(image_imports.c.began_at).limit(limit)))


def note_started(connection: Connection, key: Key, import_id: str) -> None:
    connection.execute(update(image_imports).where(_of(key)).values(import_id=import_id))


def note_ended(connection: Connection, key: Key, notices: Sequence[Notice]) -> None:
    told = [each.model_dump() for each in notices]
    connection.execute(update(image_imports).where(_of(key)).values(ended_at=now(), notices=told))


def import_notices(connection: Connection, keys: Sequence[Key]) -> dict[Key, list[Notice]]:
    """What imports told of these jobs, for those that have something to tell."""
    query = select(image_imports).where(image_imports.c.job_id.in_([job_id for job_id, _ in keys]))
    found = {(row.job_id, row.attempt): [Notice(**each) for each in row.notices] for row in connection.execute(query)}
    return {key: found[key] for key in keys if found.get(key)}


def _of(key: Key) -> Any:
    return (image_imports.c.job_id == key[0]) & (image_imports.c.attempt == key[1])
