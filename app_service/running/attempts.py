"""What became of a job's attempts, for the audit: its answer, or why there is none.

A lease has no row of its own: it ends in one of these, which has its number. Nor has a wait for a model server that is
away: the attempt does not count then.
"""

from typing import Any, Literal

from sqlalchemy import Connection, Row

from app_service.accounts import audit
from app_service.domain.job import FAILED_REPEATEDLY
from app_service.model_list import ModelList
from portal_wire.contract import JobState


def note_attempt(
    connection: Connection,
    action: Literal["commit", "fence", "break_off", "fail"],
    job: Row[Any],
    outcome: str,
    models: ModelList,
) -> None:
    """Note the end of the attempt that `job` is about, in the transaction that ends it.

    `model_sha256` is that of the version's model.json, and with it of all its files; left out while nothing is known
    of the version.
    """
    details = {"attempt": job.attempt, "model": job.model, "version": job.version}
    known = models.sha256(job.model, job.version)
    audit.record(
        connection, action, None, job.id, outcome[:32], details=details | ({"model_sha256": known} if known else {})
    )


def note_broken(
    connection: Connection, asked: Row[Any], after: Row[Any] | None, reason: str, models: ModelList
) -> None:
    """Note an attempt that broke off, and that its job failed for good where it was the last one.

    `after` is the job's row now, None where the attempt had lost it already: then there is nothing to note.
    """
    if after is None:
        return
    note_attempt(connection, "break_off", asked, reason, models)
    if after.state == JobState.FAILED:
        note_attempt(connection, "fail", asked, FAILED_REPEATEDLY.code, models)
