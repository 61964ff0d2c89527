"""Shadow versions: what they say about a study is kept beside the answer, for statistics alone.

A shadow runs after the answer is committed, one at a time, in a thread of its own. When it is slower than the jobs,
some are left out and counted: it is a sample, and no job ever waits for it.
"""

import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, Row
from sqlalchemy.exc import IntegrityError

from app_service import ml_client
from app_service.calibration_book import CalibrationBook
from app_service.domain.answer import to_result
from app_service.domain.versions import compared
from app_service.running.metrics import SHADOW_DIFFERENCE, SHADOWS
from app_service.running.reading_copy import reading_copy
from app_service.storage.clock import now
from app_service.storage.database import writing
from app_service.storage.object_store import ObjectStore
from app_service.storage.shadow_results import add_shadow_result
from app_service.version_book import VersionBook
from portal_wire.contract import Result
from portal_wire.errors import NotFound
from portal_wire.http_client import ServiceClient

_LOG = logging.getLogger("lightbox.worker")
_WAITING = 32  # shadow runs that may wait


class Shadows:
    """The shadow runs of one worker."""

    def __init__(
        self, engine: Engine, store: ObjectStore, ml: ServiceClient, book: VersionBook, calibrations: CalibrationBook
    ) -> None:
        self._engine, self._store, self._ml, self._book = engine, store, ml, book
        self._calibrations = calibrations  # a shadow says what it would say here if it were active
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="shadow")
        self._places = threading.BoundedSemaphore(_WAITING)

    def follow(self, job: Row[Any], answer: Result) -> None:
        """Run the shadow, if there is one, on the study of a job that the active version has answered."""
        try:
            roles = self._book.roles().get(job.model)
            if roles is None or roles.shadow is None or job.version != roles.active or job.purpose != "answer":
                return
            if answer.measurements:  # two masks say nothing by their one label
                return
            if not self._places.acquire(blocking=False):
                SHADOWS.labels(job.model, roles.shadow, "left_out").inc()
                return
            self._pool.submit(self._run, job, roles.shadow, answer).add_done_callback(lambda _: self._places.release())
        except Exception as error:  # the job is answered: nothing that happens here may touch it
            _LOG.warning("shadow_not_run", extra={"facts": {"error": type(error).__name__}})

    def stop(self) -> None:
        """What has not begun is left out."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _run(self, job: Row[Any], version: str, answer: Result) -> None:
        try:
            outcome = self._compare(job, version, answer)
        except (IntegrityError, NotFound):  # the study was deleted meanwhile
            outcome = "left_out"
        except Exception as error:
            _LOG.warning("shadow_failed", extra={"facts": {"error": type(error).__name__, "job_id": job.id}})
            outcome = "failed"
        SHADOWS.labels(job.model, version, outcome).inc()

    def _compare(self, job: Row[Any], version: str, answer: Result) -> str:
        began = now()
        study = reading_copy(self._store, job.study_id)
        fit = self._calibrations.of(job.model, version)
        said = ml_client.infer(self._ml, job.model, version, study, ("findings",), fit).findings
        result = _timed(said, began)
        same, difference = compared(answer, result)
        with writing(self._engine) as connection:
            add_shadow_result(connection, job.id, job.model, version, job.version, result, same, difference)
        if difference is not None:
            SHADOW_DIFFERENCE.labels(job.model, version).observe(difference)
        return "same_label" if same else "other_label"


def _timed(said: dict[str, Any], began: datetime) -> Result:
    return to_result(said, queued_at=began, started_at=began, finished_at=now())
