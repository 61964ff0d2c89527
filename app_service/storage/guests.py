"""Who may look at another's study: by a share that was opened, or in an emergency. To look is all that a guest may."""

from datetime import datetime
from typing import Any, NoReturn

from sqlalchemy import ColumnElement, Connection, Row, and_, exists, func, insert, select, update

from app_service.storage.clock import now
from app_service.storage.records import guests, studies, users
from portal_wire.errors import Forbidden, NotFound
from portal_wire.ids import new_id


def add_guest(
    connection: Connection,
    study_id: str,
    user_id: str,
    ends_at: datetime,
    *,
    share_id: str | None = None,
    reason: str | None = None,
) -> None:
    """Let somebody look until then, by a share or for a reason."""
    values = {"id": new_id(), "study_id": study_id, "user_id": user_id, "share_id": share_id, "reason": reason}
    connection.execute(insert(guests).values(values | {"began_at": now(), "ends_at": ends_at}))


def is_guest(user_id: str, study_id: Any) -> ColumnElement[bool]:
    """For a query: whether somebody may look now at the study whose id that column, or text, is."""
    return exists().where(guests.c.study_id == study_id, *_live(user_id))


def refuse(connection: Connection, user_id: str, study_id: str | None, unknown: str) -> NoReturn:
    """Raises Forbidden for a guest, who knows of the study; NotFound with the text `unknown` for everybody else."""
    if study_id is not None and connection.execute(select(is_guest(user_id, study_id))).scalar_one():
        raise Forbidden("You may look at this study, not change it: it is another doctor's.", code="only_looking")
    raise NotFound(unknown)


def seen_by(connection: Connection, user_id: str) -> list[Row[Any]]:
    """The studies where one is a guest, each with `until`; the newest first."""
    until = func.max(guests.c.ends_at).label("until")
    mine = select(guests.c.study_id, until).where(*_live(user_id)).group_by(guests.c.study_id).subquery()
    query = select(studies, mine.c.until).join(mine, mine.c.study_id == studies.c.id)
    return list(connection.execute(query.order_by(studies.c.id.desc())))


def emergencies_of(connection: Connection, study_id: str) -> list[Row[Any]]:
    """(username, reason, began_at, ends_at) of everyone who opened the study in an emergency, the newest first."""
    columns = (users.c.username, guests.c.reason, guests.c.began_at, guests.c.ends_at)
    of_study = and_(guests.c.study_id == study_id, guests.c.reason.is_not(None))
    query = select(*columns).join(users, users.c.id == guests.c.user_id).where(of_study)
    return list(connection.execute(query.order_by(guests.c.began_at.desc())))


def note_ended(connection: Connection) -> list[Row[Any]]:
    """(study_id, user_id) of the emergencies that have ended since this was asked last."""
    over = (guests.c.reason.is_not(None), guests.c.end_noted.is_(False), guests.c.ends_at <= now())
    noted = update(guests).where(*over).values(end_noted=True).returning(guests.c.study_id, guests.c.user_id)
    return list(connection.execute(noted))


def _live(user_id: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return guests.c.user_id == user_id, guests.c.ends_at > now()
