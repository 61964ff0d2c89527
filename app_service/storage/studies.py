"""Studies in SQL: written once, listed, deleted. Every question names who asks, so nobody sees another's."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, exists, func, insert, or_, select

from app_service.storage.guests import is_guest, refuse
from app_service.storage.records import jobs, studies
from portal_wire.errors import NotFound

_UNKNOWN = "There is no such study."
_ADD = insert(studies)  # built once: SQLAlchemy takes longer over a statement with its values inside


@dataclass(frozen=True)
class StudyFilter:
    """What a list is narrowed to; None does not narrow. `state` is that of any job that answers for the study."""

    q: str | None = None
    kind: str | None = None
    state: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def add_study(connection: Connection, values: dict[str, Any]) -> None:
    """Store one row of `records.studies`."""
    connection.execute(_ADD, values)


def find_study(connection: Connection, owner_id: str, study_id: str) -> Row[Any]:
    """The study's row. Raises NotFound when it is not the owner's, as when there is none; Forbidden for a guest."""
    mine = (studies.c.id == study_id) & (studies.c.owner_id == owner_id)
    row = connection.execute(select(studies).where(mine)).first()
    if row is None:
        refuse(connection, owner_id, study_id, _UNKNOWN)
    return row


def see_study(connection: Connection, user_id: str, study_id: str) -> Row[Any]:
    """The row of one's own study, or of one that one may look at. Raises NotFound."""
    may = (studies.c.owner_id == user_id) | is_guest(user_id, studies.c.id)
    row = connection.execute(select(studies).where(studies.c.id == study_id, may)).first()
    if row is None:
        raise NotFound(_UNKNOWN)
    return row


def owner_of(connection: Connection, study_id: str) -> str:
    """Whose it is. Raises NotFound."""
    owner = connection.execute(select(studies.c.owner_id).where(studies.c.id == study_id)).scalar()
    if owner is None:
        raise NotFound(_UNKNOWN)
    return str(owner)


def called(connection: Connection, name: str, most: int) -> list[Row[Any]]:
    """(id, owner_id) of the studies, whosever they are, that have this id or exactly this patient reference."""
    whole = func.lower(studies.c.patient_reference) == name.lower()
    query = select(studies.c.id, studies.c.owner_id).where(or_(studies.c.id == name.lower(), whole))
    return list(connection.execute(query.order_by(studies.c.id.desc()).limit(most)))


def list_studies(
    connection: Connection, owner_id: str, wanted: StudyFilter, before: str | None, limit: int
) -> list[Row[Any]]:
    """The newest first, those older than the id `before`, at most `limit`."""
    query = _narrowed(select(studies).where(studies.c.owner_id == owner_id), wanted)
    if before:
        query = query.where(studies.c.id < before)
    return list(connection.execute(query.order_by(studies.c.id.desc()).limit(limit)))


def remove_study(connection: Connection, study_id: str) -> bool:
    """Remove the row, and with it its jobs, artifacts' rows and reviews; False when it was gone."""
    return connection.execute(delete(studies).where(studies.c.id == study_id)).rowcount > 0


def _narrowed(query: Select[Any], wanted: StudyFilter) -> Select[Any]:
    if wanted.q:
        names = (studies.c.filename, studies.c.patient_reference)
        query = query.where(or_(*[name.icontains(wanted.q, autoescape=True) for name in names]))
    if wanted.kind:
        query = query.where(studies.c.kind == wanted.kind)
    if wanted.state:
        answering = jobs.c.purpose == "answer"
        query = query.where(exists().where(jobs.c.study_id == studies.c.id, answering, jobs.c.state == wanted.state))
    if wanted.since:
        query = query.where(studies.c.uploaded_at >= wanted.since)
    if wanted.until:
        query = query.where(studies.c.uploaded_at < wanted.until)
    return query
