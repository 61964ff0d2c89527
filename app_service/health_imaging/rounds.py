"""One round of the worker: starts imports that are due, and asks after those under way."""

import logging
from typing import Any

from sqlalchemy import Row, select

from app_service.health_imaging.manifest import INCOMPLETE
from app_service.health_imaging.service import SEG, HealthImaging
from app_service.parts import Parts
from app_service.storage.clock import now
from app_service.storage.database import reading, writing
from app_service.storage.events import publish
from app_service.storage.image_imports import LOOK_BACK, begin_imports, note_ended, note_started, open_imports
from app_service.storage.jobs import JOB_COLUMNS
from app_service.storage.records import jobs
from app_service.views import to_jobs
from portal_wire.contract import Notice
from portal_wire.errors import NotFound, Unavailable

A_ROUND = 20
_LOG = logging.getLogger("lightbox.worker")
_GIVEN_UP = Notice(code=INCOMPLETE, detail="The DICOM result could not be brought to HealthImaging for a day.")


def import_results(parts: Parts, service: HealthImaging) -> None:
    """Several workers may do it at once: an import is started under a name of its own, and a second start is the
    first. What AWS refuses, such as too many at once, waits for the next round."""
    with writing(parts.engine) as connection:
        begin_imports(connection, A_ROUND)
        rows = open_imports(connection, A_ROUND)
    for row in rows:
        try:
            _step(parts, service, row)
        except Unavailable as error:
            _LOG.warning("import_waits", extra={"facts": {"code": error.code, "job_id": row.job_id}})
            if now() - row.began_at > LOOK_BACK:
                _end(parts, row, [_GIVEN_UP])


def _step(parts: Parts, service: HealthImaging, row: Row[Any]) -> None:
    name = f"{row.job_id}-{row.attempt}"
    if row.import_id is None:
        try:
            data = parts.store.read(f"jobs/{row.job_id}/{row.attempt}/{SEG}")
        except NotFound:  # the study is being deleted, and the row goes with it
            return
        import_id = service.start(name, data)
        with writing(parts.engine) as connection:
            note_started(connection, (row.job_id, row.attempt), import_id)
        return
    notices = service.notices(row.import_id)
    if notices is not None:
        service.clear(name)
        _end(parts, row, notices)


def _end(parts: Parts, row: Row[Any], notices: list[Notice]) -> None:
    with writing(parts.engine) as connection:
        note_ended(connection, (row.job_id, row.attempt), notices)
    _LOG.info("import_ended", extra={"facts": {"job_id": row.job_id, "notices": len(notices)}})
    if notices:
        with reading(parts.engine) as connection:
            rows = list(connection.execute(select(*JOB_COLUMNS).where(jobs.c.id == row.job_id)))
        for job in to_jobs(parts, rows):
            publish(parts.redis, rows[0].owner_id, job)
