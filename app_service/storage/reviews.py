"""What people think of an answer; one review a job, the latest counts."""

from typing import Any

from sqlalchemy import Connection, delete, func, insert, select

from app_service.storage.records import jobs, reviews


def put_review(connection: Connection, job_id: str, values: dict[str, Any]) -> None:
    """Store a review in place of any earlier one."""
    connection.execute(delete(reviews).where(reviews.c.job_id == job_id))
    connection.execute(insert(reviews).values(job_id=job_id, **values))


def count_verdicts(connection: Connection) -> dict[tuple[str, str], dict[str, int]]:
    """How often each verdict was given, by model and version."""
    by = (jobs.c.model, jobs.c.version, reviews.c.verdict)
    joined = select(*by, func.count()).select_from(reviews.join(jobs, jobs.c.id == reviews.c.job_id))
    counted: dict[tuple[str, str], dict[str, int]] = {}
    for model, version, verdict, count in connection.execute(joined.group_by(*by)):
        counted.setdefault((model, version), {})[verdict] = count
    return counted
