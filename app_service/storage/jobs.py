"""Jobs in SQL: written and looked up. How one changes state is in `transitions.py`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, bindparam, func, insert, select

from app_service.domain.job import MAX_ATTEMPTS, OPEN
from app_service.storage.cache import Answer, Key
from app_service.storage.clock import now
from app_service.storage.guests import is_guest, refuse
from app_service.storage.records import artifacts, corrections, jobs, reviews, studies
from portal_wire.contract import Artifact, JobState, Prompt
from portal_wire.errors import NotFound, TooManyRequests
from portal_wire.ids import new_id

# Everything but the result, which is read through the cache.
JOB_COLUMNS = [column for column in jobs.c if column.name != "result"]
_REVIEW_COLUMNS = [column for column in reviews.c if column.name != "job_id"]
_OF_CORRECTIONS = [column for column in corrections.c if column.name not in ("job_id", "size_bytes")]
_CORRECTION_COLUMNS = (*_OF_CORRECTIONS, corrections.c.size_bytes.label("corrected_bytes"))
_UNKNOWN = "There is no such job."
_ADD = insert(jobs).returning(*JOB_COLUMNS)
_COUNT_OPEN = select(func.count()).where(jobs.c.owner_id == bindparam("owner"), jobs.c.state.in_(OPEN))


@dataclass(frozen=True)
class JobFilter:
    """What a list is narrowed to; None does not narrow."""

    study_ids: tuple[str, ...] | None = None
    q: str | None = None
    model: str | None = None
    state: str | None = None
    purpose: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def add_job(
    connection: Connection,
    owner_id: str,
    study_id: str,
    model: str,
    version: str,
    purpose: str = "answer",
    prompts: Sequence[Prompt] = (),
    fast: bool = False,
) -> Row[Any]:
    """Store a queued job and return its row. Enqueue it after the commit."""
    moment = now()
    values = {
        "id": new_id(),
        "owner_id": owner_id,
        "study_id": study_id,
        "model": model,
        "version": version,
        "purpose": purpose,
        "prompts": [prompt.model_dump() for prompt in prompts] or None,
        "fast": fast,
        "state": JobState.QUEUED,
        "attempt": 0,
        "attempt_limit": MAX_ATTEMPTS,
        "created_at": moment,
        "queued_at": moment,
    }
    return connection.execute(_ADD, values).one()


def require_room(connection: Connection, owner_id: str, wanted: int, limit: int) -> None:
    """Raises TooManyRequests when `wanted` more jobs would make more than `limit` that wait or run."""
    if connection.execute(_COUNT_OPEN, {"owner": owner_id}).scalar_one() + wanted > limit:
        raise TooManyRequests(
            "Too many of your images are still waiting. Please go on when some are done.",
            code="too_many_open_jobs",
            retry_after_s=60,
        )


def has_open_jobs(connection: Connection, model: str, version: str) -> bool:
    """True while a job of this version waits or runs."""
    theirs = (jobs.c.model == model) & (jobs.c.version == version) & jobs.c.state.in_(OPEN)
    return connection.execute(select(jobs.c.id).where(theirs).limit(1)).first() is not None


def find_jobs(connection: Connection, owner_id: str, job_ids: Sequence[str]) -> list[Row[Any]]:
    """The jobs' rows with their reviews and corrections, in the order asked for. Raises NotFound unless all are the
    owner's; Forbidden for a guest of the study of one that is not."""
    found = _by_id(connection, jobs.c.owner_id == owner_id, job_ids)
    for missing in set(job_ids) - found.keys():
        study_id = connection.execute(select(jobs.c.study_id).where(jobs.c.id == missing)).scalar()
        refuse(connection, owner_id, study_id, _UNKNOWN)
    return [found[job_id] for job_id in job_ids]


def see_jobs(connection: Connection, user_id: str, job_ids: Sequence[str]) -> list[Row[Any]]:
    """As find_jobs, also of studies that one may only look at. Raises NotFound."""
    found = _by_id(connection, _may_see(user_id), job_ids)
    if set(job_ids) - found.keys():
        raise NotFound(_UNKNOWN)
    return [found[job_id] for job_id in job_ids]


def list_jobs(
    connection: Connection, owner_id: str, wanted: JobFilter, before: str | None, limit: int
) -> list[Row[Any]]:
    """Rows with their reviews and corrections, the newest first, those older than the id `before`, at most `limit`.

    One's own; where studies are named, also theirs that one may only look at."""
    mine = jobs.c.owner_id == owner_id if wanted.study_ids is None else _may_see(owner_id)
    query = _narrowed(_rows(mine), wanted)
    if before:
        query = query.where(jobs.c.id < before)
    return list(connection.execute(query.order_by(jobs.c.id.desc()).limit(limit)))


def find_answers(connection: Connection, keys: Iterable[Key]) -> dict[Key, Answer]:
    """What the given attempts brought; nothing for one that did not succeed."""
    job_ids = [job_id for job_id, _ in keys]
    made: dict[Key, list[Artifact]] = {}
    listed = [artifacts.c[name] for name in ("job_id", "attempt", "name", "media_type", "size_bytes")]
    for row in connection.execute(select(*listed).where(artifacts.c.job_id.in_(job_ids)).order_by(artifacts.c.name)):
        made.setdefault((row.job_id, row.attempt), []).append(
            artifact(row.job_id, row.name, row.media_type, row.size_bytes)
        )
    finished = jobs.c.id.in_(job_ids) & (jobs.c.state == JobState.SUCCEEDED)
    rows = connection.execute(select(jobs.c.id, jobs.c.attempt, jobs.c.result).where(finished))
    return {
        (row.id, row.attempt): Answer(result=row.result, artifacts=made.get((row.id, row.attempt), [])) for row in rows
    }


def artifact(job_id: str, name: str, media_type: str, size_bytes: int | None) -> Artifact:
    """An artifact with the address that it is served at."""
    return Artifact(name=name, media_type=media_type, size_bytes=size_bytes, url=f"/v1/jobs/{job_id}/artifacts/{name}")


def _may_see(user_id: str) -> ColumnElement[bool]:
    return (jobs.c.owner_id == user_id) | is_guest(user_id, jobs.c.study_id)


def _by_id(connection: Connection, seen: ColumnElement[bool], job_ids: Sequence[str]) -> dict[str, Row[Any]]:
    return {row.id: row for row in connection.execute(_rows(seen).where(jobs.c.id.in_(job_ids)))}


def _rows(seen: ColumnElement[bool]) -> Select[Any]:
    joined = jobs.outerjoin(reviews, reviews.c.job_id == jobs.c.id)
    joined = joined.outerjoin(corrections, corrections.c.job_id == jobs.c.id)
    return select(*JOB_COLUMNS, *_REVIEW_COLUMNS, *_CORRECTION_COLUMNS).select_from(joined).where(seen)


def _narrowed(query: Select[Any], wanted: JobFilter) -> Select[Any]:
    if wanted.study_ids is not None:
        query = query.where(jobs.c.study_id.in_(wanted.study_ids))
    if wanted.q:
        named = studies.c.filename.icontains(wanted.q, autoescape=True)
        named |= studies.c.patient_reference.icontains(wanted.q, autoescape=True)
        query = query.where(jobs.c.study_id.in_(select(studies.c.id).where(named)))
    if wanted.model:
        query = query.where(jobs.c.model == wanted.model)
    if wanted.state:
        query = query.where(jobs.c.state == wanted.state)
    if wanted.purpose:
        query = query.where(jobs.c.purpose == wanted.purpose)
    if wanted.since:
        query = query.where(jobs.c.created_at >= wanted.since)
    if wanted.until:
        query = query.where(jobs.c.created_at < wanted.until)
    return query
