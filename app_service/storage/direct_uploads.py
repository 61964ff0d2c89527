"""Uploads that go straight to the bucket, from the permit to the judgement: who may end which, and until when."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from app_service.storage.clock import now
from app_service.storage.records import direct_uploads
from portal_wire.errors import NotFound

DIRECT = "uploads"  # the prefix beside studies and jobs where their bytes lie, each below its id
KEPT = timedelta(hours=24)  # what is not completed by then is thrown away


def add_upload(connection: Connection, values: dict[str, Any]) -> datetime:
    """Store one row of `records.direct_uploads`; returns until when it may be completed."""
    ends_at = now() + KEPT
    connection.execute(insert(direct_uploads).values(**values, ends_at=ends_at, judged=False))
    return ends_at


def find_upload(connection: Connection, owner_id: str, upload_id: str) -> Row[Any]:
    """The row. Raises NotFound when it is another's or its time is over, as when there is none."""
    mine = (direct_uploads.c.id == upload_id) & (direct_uploads.c.owner_id == owner_id)
    row = connection.execute(select(direct_uploads).where(mine, direct_uploads.c.ends_at > now())).first()
    if row is None:
        raise NotFound("There is no such upload, or its time is over.")
    return row


def open_uploads(connection: Connection, owner_id: str) -> int:
    """How many a person has begun and not completed."""
    mine = (direct_uploads.c.owner_id == owner_id) & ~direct_uploads.c.judged
    return int(connection.execute(select(func.count()).where(mine, direct_uploads.c.ends_at > now())).scalar_one())


def mark_judged(connection: Connection, upload_id: str) -> None:
    """Its object became a study or was refused. The row stays as long as its permit may still be used."""
    connection.execute(update(direct_uploads).where(direct_uploads.c.id == upload_id).values(judged=True))


def ended(connection: Connection, limit: int) -> list[str]:
    """Ids of those whose time is over."""
    over = select(direct_uploads.c.id).where(direct_uploads.c.ends_at <= now())
    return [str(found) for found in connection.execute(over.limit(limit)).scalars()]


def remove_uploads(connection: Connection, upload_ids: list[str]) -> None:
    connection.execute(delete(direct_uploads).where(direct_uploads.c.id.in_(upload_ids)))
