"""What shadow versions said, kept apart from every answer, and how well they agree with the active one."""

from dataclasses import dataclass

from sqlalchemy import Connection, Integer, cast, func, insert, select

from app_service.storage.clock import now
from app_service.storage.records import shadow_results
from portal_wire.contract import Result


@dataclass(frozen=True)
class Agreement:
    """A shadow and the active version on the same `n` images. The difference is that of the probabilities."""

    n: int
    same_label: float
    mean_difference: float | None


def add_shadow_result(
    connection: Connection,
    job_id: str,
    model: str,
    version: str,
    active_version: str,
    result: Result,
    same_label: bool,
    difference: float | None,
) -> None:
    """Store what a shadow said about a job's study. Raises IntegrityError when the study has been deleted."""
    connection.execute(
        insert(shadow_results).values(
            job_id=job_id,
            model=model,
            version=version,
            active_version=active_version,
            result=result.model_dump(mode="json"),
            same_label=same_label,
            difference=difference,
            made_at=now(),
        )
    )


def agreements(connection: Connection) -> dict[tuple[str, str, str], Agreement]:
    """By (model, shadow version, the version that was active)."""
    table = shadow_results.c
    by = (table.model, table.version, table.active_version)
    same = func.avg(cast(table.same_label, Integer))
    rows = connection.execute(select(*by, func.count(), same, func.avg(table.difference)).group_by(*by))
    return {
        (model, version, active): Agreement(n, float(share), difference)
        for model, version, active, n, share, difference in rows
    }
