"""Puts right what a crash, a lost message or an emptied Redis left lying: SQL says what is true."""

import logging
import shutil
import threading
import time

import redis
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from app_service import ml_client
from app_service.accounts import audit
from app_service.domain.job import LAST_TRIES_APART_S, RECONCILE_EVERY_S
from app_service.health_imaging.rounds import import_results
from app_service.health_imaging.service import opened
from app_service.parts import Parts
from app_service.running.attempts import note_broken
from app_service.running.audit_patrol import AuditPatrol
from app_service.running.audit_watch import AuditWatch
from app_service.running.ended_uploads import clear_ended
from app_service.running.measures import measure_queue, measure_store
from app_service.running.metrics import RECONCILED
from app_service.running.orphans import SWEEP_EVERY_S, sweep
from app_service.running.questions import name_of
from app_service.running.retention import A_ROUND, delete_old
from app_service.storage import idempotency, transitions
from app_service.storage.database import reading, writing
from app_service.storage.events import publish
from app_service.storage.guests import note_ended
from app_service.storage.records import jobs
from app_service.views import to_job
from portal_wire.contract import JobState
from portal_wire.errors import NotFound, PortalError

_LOG = logging.getLogger("lightbox.worker")
_UPLOAD_LEFTOVERS_S = 3600


def keep_reconciling(parts: Parts, stop: threading.Event) -> None:
    """At once and then every few seconds until `stop`; a round that fails is made up by the next."""
    patrol, watch, sweep_at = AuditPatrol(parts.engine), AuditWatch(parts), 0.0
    while True:
        try:
            reconcile(parts)
            watch.look()
            patrol.go_on()
            if time.monotonic() >= sweep_at:
                sweep(parts)
                more = delete_old(parts) == A_ROUND
                sweep_at = time.monotonic() + (0 if more else SWEEP_EVERY_S)
        except (SQLAlchemyError, redis.RedisError, PortalError, OSError) as error:
            _LOG.warning("reconcile_failed", extra={"facts": {"error": type(error).__name__}})
        if stop.wait(RECONCILE_EVERY_S):
            return


def reconcile(parts: Parts) -> None:
    """One round. Several workers may do it at once: a second message for a job is harmless."""
    _requeue_abandoned(parts)
    _enqueue_forgotten(parts)
    measure_queue(parts.engine)
    measure_store(parts.store)
    clear_ended(parts)
    if parts.settings.health_imaging:
        import_results(parts, opened(parts.settings.health_imaging))
    _tidy(parts)


def _requeue_abandoned(parts: Parts) -> None:
    """Jobs whose worker fell silent wait again, or fail after their last attempt. That one they make one by one."""
    last_tries = 0
    with reading(parts.engine) as connection:
        abandoned = transitions.expired(connection)
    for asked in abandoned:
        with writing(parts.engine) as connection:
            row = transitions.break_off(connection, (asked.id, asked.attempt))
            note_broken(connection, asked, row, "abandoned", parts.models)
        if row is None:
            continue
        RECONCILED.labels("abandoned").inc()
        publish(parts.redis, row.owner_id, to_job(row))
        if row.state == JobState.QUEUED:
            is_last = row.attempt + 1 >= row.attempt_limit
            parts.queue.put(row.id, last_tries * LAST_TRIES_APART_S if is_last else 0.0)
            last_tries += is_last
    for asked in abandoned:  # or the model works on for a worker that is gone, perhaps for hours
        try:
            ml_client.call_off(parts.ml, name_of(asked))
        except NotFound:
            continue
        except PortalError:  # the tier is away, and with it what it worked on
            break


def _enqueue_forgotten(parts: Parts) -> None:
    """Queued jobs that Redis has no message for get one: it failed at upload, or Redis lost its memory."""
    noted = parts.queue.waiting()
    with reading(parts.engine) as connection:
        waiting = jobs.c.state == JobState.QUEUED
        queued = list(connection.execute(select(jobs.c.id).where(waiting).order_by(jobs.c.queued_at)).scalars())
    for job_id in noted - set(queued):
        parts.queue.take(job_id)
    for job_id in parts.queue.forgotten(queued):
        RECONCILED.labels("forgotten").inc()
        parts.queue.put(job_id)


def _tidy(parts: Parts) -> None:
    """Old idempotency keys, ends of emergencies, and files of uploads that a killed process left behind."""
    with writing(parts.engine) as connection:
        idempotency.expire(connection)
        for over in note_ended(connection):
            audit.record(connection, "end_emergency", over.user_id, over.study_id)
    for path in parts.store.temporary_folder.iterdir():
        if time.time() - path.stat().st_mtime > _UPLOAD_LEFTOVERS_S:
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
