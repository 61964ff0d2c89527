"""The audit read back: who opened a study, and the trail page by page. Names come from the accounts as they are now."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, func, or_, select

from app_service.storage.records import audit, jobs, users


def openings(connection: Connection, study_id: str) -> list[Row[Any]]:
    """(username, action, times, last_at) of everyone who opened a study or took files of it; who came last is first."""
    of_itself = (audit.c.object_id == study_id) & audit.c.action.in_(("view", "download"))
    its_jobs = audit.c.object_id.in_(select(jobs.c.id).where(jobs.c.study_id == study_id))
    of_its_jobs = its_jobs & (audit.c.action == "download")  # to look at an answer is to look at its study
    last = func.max(audit.c.at).label("last_at")
    query = (
        select(users.c.username, audit.c.action, func.count().label("times"), last)
        .join(users, users.c.id == audit.c.actor_id)
        .where(or_(of_itself, of_its_jobs))
        .group_by(users.c.username, audit.c.action)
    )
    return list(connection.execute(query.order_by(last.desc())))


def acts(
    connection: Connection, before: int | None, limit: int, *, username: str | None, action: str | None
) -> Sequence[Row[Any]]:
    """The newest rows first, those with a smaller number than `before`, each with its actor's `username`."""
    query = select(audit, users.c.username).outerjoin(users, users.c.id == audit.c.actor_id)
    if before is not None:
        query = query.where(audit.c.seq < before)
    if username:
        query = query.where(users.c.username == username.casefold())
    if action:
        query = query.where(audit.c.action == action)
    return connection.execute(query.order_by(audit.c.seq.desc()).limit(limit)).all()


def last_details(connection: Connection, action: str, object_id: str) -> dict[str, Any] | None:
    """Of the newest row of this kind about this object; None when there is none."""
    query = select(audit.c.details).where(audit.c.object_id == object_id, audit.c.action == action)
    details: dict[str, Any] | None = connection.execute(query.order_by(audit.c.seq.desc()).limit(1)).scalar()
    return details
