"""Masks that people corrected; one a job, the latest counts."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from app_service.storage.records import corrections


def put_correction(connection: Connection, job_id: str, values: dict[str, Any]) -> datetime | None:
    """Store a correction in place of any earlier one; returns when that was made, if there was one."""
    earlier = remove_correction(connection, job_id)
    connection.execute(insert(corrections).values(job_id=job_id, **values))
    return earlier


def remove_correction(connection: Connection, job_id: str) -> datetime | None:
    """Remove a job's correction; returns when it was made, or None when there is none."""
    mine = corrections.c.job_id == job_id
    made: datetime | None = connection.execute(select(corrections.c.corrected_at).where(mine)).scalar()
    connection.execute(delete(corrections).where(mine))
    return made
