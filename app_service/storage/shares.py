"""Links by which a doctor lets colleagues look at a study; of each link only its hash is kept."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, func, insert, select

from app_service.storage.clock import now
from app_service.storage.records import guests, shares, users
from portal_wire.errors import NotFound
from portal_wire.ids import new_id


def add_share(
    connection: Connection, study_id: str, colleague_id: str | None, link_hash: str, expires_at: datetime
) -> Row[Any]:
    """Store one; returns its row as `shares_of` does."""
    values: dict[str, Any] = {"id": new_id(), "study_id": study_id, "colleague_id": colleague_id, "hash": link_hash}
    values |= {"created_at": now(), "expires_at": expires_at}
    connection.execute(insert(shares).values(values))
    return connection.execute(_told().where(shares.c.id == values["id"])).one()


def shares_of(connection: Connection, study_id: str) -> list[Row[Any]]:
    """(id, colleague, created_at, expires_at, opened_by) of a study's live shares, the newest first.

    `colleague` is None where any doctor may open it; `opened_by` counts who did.
    """
    live = (shares.c.study_id == study_id, shares.c.expires_at > now())
    return list(connection.execute(_told().where(*live).order_by(shares.c.id.desc())))


def live_share(connection: Connection, link_hash: str, user_id: str) -> Row[Any]:
    """The share behind a link that this doctor may open. Raises NotFound for any other, for the same reason always."""
    row = connection.execute(select(shares).where(shares.c.hash == link_hash, shares.c.expires_at > now())).first()
    if row is None or row.colleague_id not in (None, user_id):
        raise NotFound("This link is not known, has ended, or is for somebody else.", code="no_such_link")
    return row


def remove_share(connection: Connection, study_id: str, share_id: str) -> None:
    """Whoever came by it may look no more. Raises NotFound when the study has no such share."""
    mine = (shares.c.id == share_id) & (shares.c.study_id == study_id)
    if connection.execute(delete(shares).where(mine)).rowcount == 0:
        raise NotFound("There is no such share.")


def _told() -> Select[Any]:
    opened = select(func.count(guests.c.user_id.distinct())).where(guests.c.share_id == shares.c.id)
    columns = (shares.c.id, users.c.username.label("colleague"), shares.c.created_at, shares.c.expires_at)
    joined = shares.outerjoin(users, users.c.id == shares.c.colleague_id)
    return select(*columns, opened.scalar_subquery().label("opened_by")).select_from(joined)
