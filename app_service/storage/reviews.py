"""What people think of an answer; one review a job, the latest counts."""

from typing import Any

from sqlalchemy import Connection, delete, insert

from app_service.storage.records import reviews


def put_review(connection: Connection, job_id: str, values: dict[str, Any]) -> None:
    """Store a review in place of any earlier one."""
    connection.execute(delete(reviews).where(reviews.c.job_id == job_id))
    connection.execute(insert(reviews).values(job_id=job_id, **values))
