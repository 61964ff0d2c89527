"""Asks the ML tier how far long questions are, and calls off those that nobody waits for any more.

A job that is cancelled, deleted or taken over by another worker must not keep the model from the next one. What is
told here is a hint: the state in SQL alone says what is true.
"""

import logging
import threading
from contextlib import suppress
from typing import Any

import redis
from sqlalchemy import Row

from app_service import ml_client
from app_service.parts import Parts
from app_service.running.questions import Question, name_of
from app_service.storage import events, progress, transitions
from app_service.storage.database import reading
from app_service.storage.jobs import see_jobs
from app_service.views import to_job, to_jobs
from portal_wire.errors import NotFound, PortalError, Unavailable

_LOG = logging.getLogger("lightbox.worker")
LOOK_EVERY_S = 0.5


def keep_looking(parts: Parts, stop: threading.Event) -> None:
    """Look until `stop`."""
    while not stop.wait(LOOK_EVERY_S):
        try:
            look(parts)
        except Exception as error:  # whatever it was, the next job is looked after
            _LOG.warning("progress_not_known", extra={"facts": {"error": type(error).__name__}})


def look(parts: Parts) -> None:
    """One round over all long questions. Raises Unavailable when the database or the ML tier is away."""
    questions = parts.questions.long()
    if not questions:
        return
    with reading(parts.engine) as connection:
        ours = transitions.still_running(connection, [each.key for each in questions])
    for question in questions:
        if question.key not in ours:
            _call_off(parts, question)
    for question in questions:
        if question.key in ours:
            _ask(parts, question)


def tell_as_it_is(parts: Parts, job: Row[Any]) -> None:
    """Tell the job by its row in SQL: a share of an attempt that had just lost it may have been told meanwhile."""
    try:
        with reading(parts.engine) as connection:
            rows = see_jobs(connection, job.owner_id, [job.id])
    except NotFound:
        with suppress(redis.RedisError):
            events.forget(parts.redis, job.owner_id, job.study_id)
        return
    events.publish(parts.redis, job.owner_id, to_jobs(parts, rows)[0])


def _call_off(parts: Parts, question: Question) -> None:
    if question.over:
        return
    with suppress(NotFound):  # it was answered, or has not arrived yet: the next round asks again
        ml_client.call_off(parts.ml, name_of(question.job))
    if question.told:
        question.told = 0.0
        tell_as_it_is(parts, question.job)


def _ask(parts: Parts, question: Question) -> None:
    try:
        share = round(ml_client.progress(parts.ml, name_of(question.job)), 2)  # no more than a hundred events
    except Unavailable:
        raise
    except PortalError:  # it was answered, or has not arrived yet
        return
    with question.lock:
        if question.over or share <= question.told:
            return
        question.told = share
        told = parts.redis.pipeline(transaction=False)
        progress.keep(told, question.key, share)
        events.publish(parts.redis, question.job.owner_id, to_job(question.job, share=share), told)
