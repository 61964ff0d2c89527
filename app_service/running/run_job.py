"""One attempt of one job: claim, ask the model, keep what it says, commit, tell."""

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Any, TypeVar

import redis
from sqlalchemy import Connection, Row
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app_service import ml_client
from app_service.domain.answer import to_result
from app_service.domain.job import LEASE_S, MODEL_AWAY, MODEL_AWAY_LIMIT_S, wait_before_next_try_s
from app_service.domain.suitable import gives_masks
from app_service.masks.ask import File, ask_for_mask
from app_service.parts import Parts
from app_service.running.attempts import note_attempt, note_broken
from app_service.running.leases import Leases
from app_service.running.metrics import COMMIT, JOBS, KEEP, MODEL, QUEUE_WAIT, READ
from app_service.running.progress import tell_as_it_is
from app_service.running.questions import name_of
from app_service.running.reading_copy import reading_copy
from app_service.storage import cache, transitions
from app_service.storage.cache import Answer, Key
from app_service.storage.clock import now
from app_service.storage.database import may_be_committed, writing
from app_service.storage.events import publish
from app_service.storage.jobs import artifact
from app_service.storage.small_artifacts import is_small
from app_service.views import to_job
from portal_wire.contract import Failure
from portal_wire.errors import (
    Forbidden,
    Internal,
    PortalError,
    StorageFull,
    TooManyRequests,
    Unauthenticated,
    Unavailable,
)

_LOG = logging.getLogger("lightbox.worker")
_AWAY = (Unavailable, TooManyRequests, StorageFull, Unauthenticated, Forbidden)  # nothing that the study can help
_BUSY = ("queue_full", "expired", "id_in_use", "cancelled")  # it lives, and this job's turn comes
_AFTER_BREAK_S = 1.0
_DATABASE_AGAIN_S = 0.3
_Made = TypeVar("_Made")
Small = dict[str, bytes]  # of artifacts, by name


def run_job(parts: Parts, leases: Leases, job_id: str) -> None:
    """Run the job if it is to be had. Whatever happens, the job stays in a state that someone can go on from."""
    try:
        row = _claim(parts, job_id)
        if row is not None:
            with leases.hold((row.id, row.attempt)):
                outcome = _attempt(parts, row)
            JOBS.labels(row.model, outcome).inc()
            if outcome == "dropped":
                tell_as_it_is(parts, row)
    except Exception as error:  # the database or the store is away: the reconciler takes the job up again
        _LOG.error("job_left", extra={"facts": {"error": type(error).__name__, "job_id": job_id}})


def _claim(parts: Parts, job_id: str) -> Row[Any] | None:
    row = _written(parts, lambda connection: transitions.claim(connection, job_id))
    if row is None:
        with suppress(redis.RedisError):  # the reconciler clears it away
            parts.queue.take(job_id)
    else:
        told = parts.redis.pipeline(transaction=False)
        parts.queue.take(job_id, told)
        publish(parts.redis, row.owner_id, to_job(row), told)
        QUEUE_WAIT.observe(max(0.0, (row.started_at - row.queued_at).total_seconds()))
    return row


def _attempt(parts: Parts, row: Row[Any]) -> str:
    """Returns the outcome, for the counter."""
    try:
        with parts.questions.asked(row):
            answer, finished_at, small = _ask(parts, row)
    except _AWAY as error:
        return _give_back(parts, row, error)
    except Internal as error:
        return _break_off(parts, row, error.code)
    except PortalError as error:
        return _fail(parts, row, Failure(code=error.code, detail=error.detail))
    except Exception as error:  # whatever it was, it costs this attempt and not the worker
        return _break_off(parts, row, type(error).__name__)
    return _commit(parts, row, answer, finished_at, small)


def _ask(parts: Parts, row: Row[Any]) -> tuple[Answer, datetime, Small]:
    if gives_masks(parts.models.seen(row.model)):
        with MODEL.time():
            findings, files = ask_for_mask(parts, row)
    else:
        findings, files = _ask_for_findings(parts, row)
    finished_at = now()
    result = to_result(findings, queued_at=row.queued_at, started_at=row.started_at, finished_at=finished_at)
    made, small = [], {}
    for file in files if result.in_distribution else ():
        if is_small(file.media_type, file.data):
            small[file.name] = parts.store.sealed(f"{_folder((row.id, row.attempt))}/{file.name}", file.data)
        else:
            with KEEP.time():
                parts.store.put_bytes(f"{_folder((row.id, row.attempt))}/{file.name}", file.data)
        made.append(artifact(row.id, file.name, file.media_type, len(file.data)))
    return Answer(result=result, artifacts=made), finished_at, small


def _ask_for_findings(parts: Parts, row: Row[Any]) -> tuple[dict[str, Any], list[File]]:
    with READ.time():
        study = reading_copy(parts.store, row.study_id)
    calibration = parts.calibrations.of(row.model, row.version)
    with MODEL.time():
        reading = ml_client.infer(
            parts.ml, row.model, row.version, study, calibration=calibration, request_id=name_of(row)
        )
    return reading.findings, [File("heatmap.png", "image/png", reading.heatmap)] if reading.heatmap else []


def _commit(parts: Parts, asked: Row[Any], answer: Answer, finished_at: datetime, small: Small) -> str:
    key = (asked.id, asked.attempt)

    def commit(connection: Connection) -> Row[Any] | None:
        row = transitions.commit(connection, key, answer, finished_at, small)
        note_attempt(connection, "fence" if row is None else "commit", asked, "done", parts.models)
        return row

    with COMMIT.time():
        row = _written(parts, commit)
    if row is None:  # cancelled, deleted, or another attempt has the job now
        parts.store.delete_prefix(_folder(key))
        return "dropped"
    told = parts.redis.pipeline(transaction=False)
    cache.fill(told, key, answer)
    publish(parts.redis, row.owner_id, to_job(row, answer), told)
    parts.shadows.follow(row, answer.result)
    return "succeeded"


def _written(parts: Parts, change: Callable[[Connection], _Made]) -> _Made:
    """What the change returns. While the database is away it is tried again, for as long as a lease lasts: to leave an
    answer would cost the job as long, and another run. Not again what may have been committed."""
    ends = time.monotonic() + LEASE_S
    while True:
        try:
            with writing(parts.engine) as connection:
                return change(connection)
        except (OperationalError, PoolTimeout, Unavailable) as error:
            if may_be_committed(error) or time.monotonic() > ends or parts.stopping.wait(_DATABASE_AGAIN_S):
                raise


def _give_back(parts: Parts, row: Row[Any], error: PortalError) -> str:
    key, away_since = (row.id, row.attempt), now()
    if error.code not in _BUSY and row.model_away_since:
        away_since = row.model_away_since
    away_for_s = (now() - away_since).total_seconds()
    if away_for_s > MODEL_AWAY_LIMIT_S:
        return _fail(parts, row, MODEL_AWAY)
    with writing(parts.engine) as connection:
        queued = transitions.give_back(connection, key, away_since)
    if queued is None:
        return "dropped"
    _LOG.info("job_waits", extra={"facts": {"code": error.code, "away_for_s": round(away_for_s)}})
    _again(parts, queued, error.retry_after_s or wait_before_next_try_s(away_for_s))
    return "given_back"


def _break_off(parts: Parts, asked: Row[Any], reason: str) -> str:
    key = (asked.id, asked.attempt)
    _LOG.error("attempt_broke_off", extra={"facts": {"reason": reason, "job_id": key[0], "attempt": key[1]}})
    parts.store.delete_prefix(_folder(key))
    with writing(parts.engine) as connection:
        row = transitions.break_off(connection, key)
        note_broken(connection, asked, row, reason, parts.models)
    if row is None:
        return "dropped"
    _again(parts, row, _AFTER_BREAK_S)
    return "broken_off"


def _fail(parts: Parts, asked: Row[Any], failure: Failure) -> str:
    with writing(parts.engine) as connection:
        row = transitions.fail(connection, (asked.id, asked.attempt), failure)
        if row is not None:
            note_attempt(connection, "fail", asked, failure.code, parts.models)
    if row is None:
        return "dropped"
    publish(parts.redis, row.owner_id, to_job(row))
    return "failed"


def _again(parts: Parts, row: Row[Any] | None, delay_s: float) -> None:
    """Tell that the job waits again (or has failed for good) and enqueue it if it waits."""
    if row is None:
        return
    publish(parts.redis, row.owner_id, to_job(row))
    if row.state == "queued":
        with suppress(redis.RedisError):  # the reconciler finds it
            parts.queue.put(row.id, delay_s)


def _folder(key: Key) -> str:
    return f"jobs/{key[0]}/{key[1]}"
