"""Site calibrations in SQL: every fit with its evidence; at most one of a version is in force."""

from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from app_service.domain.site import SiteCalibration
from app_service.storage.clock import now
from app_service.storage.records import jobs, reviews, site_calibrations, studies
from portal_wire.contract import JobState
from portal_wire.errors import NotFound
from portal_wire.ids import new_id

_TABLE = site_calibrations.c
_SHOWN = 10  # the latest fits of a version


def add_fit(
    connection: Connection, model: str, version: str, source: str, fit: dict[str, Any], created_by: str | None
) -> str:
    """Store a fit, not in force; `fit` holds `calibration` and `evidence`. Returns its id."""
    values = {"id": new_id(), "model": model, "version": version, "source": source, "active": False}
    values |= {"parameters": fit["calibration"], "evidence": fit["evidence"]}
    values |= {"created_by": created_by, "created_at": now()}
    connection.execute(insert(site_calibrations).values(values))
    return str(values["id"])


def list_fits(connection: Connection, model: str, version: str) -> list[Row[Any]]:
    """The latest fits of a version, the newest first; the one in force is always among them."""
    theirs = (_TABLE.model == model) & (_TABLE.version == version)
    newest = select(site_calibrations).where(theirs).order_by(_TABLE.active.desc(), _TABLE.id.desc()).limit(_SHOWN)
    return sorted(connection.execute(newest), key=lambda row: str(row.id), reverse=True)


def put_in_force(connection: Connection, model: str, version: str, fit_id: str | None) -> bool:
    """Make a fit the one in force, or with None the shipped values; False when it was so already. Raises NotFound."""
    theirs = (_TABLE.model == model) & (_TABLE.version == version)
    rows = list(connection.execute(select(_TABLE.id, _TABLE.active).where(theirs).with_for_update()))
    if fit_id is not None and all(row.id != fit_id for row in rows):
        raise NotFound("There is no such calibration of this version.")
    if fit_id == next((row.id for row in rows if row.active), None):
        return False
    connection.execute(update(site_calibrations).where(theirs, _TABLE.active).values(active=False))
    connection.execute(update(site_calibrations).where(_TABLE.id == fit_id).values(active=True))
    return True


def in_force(connection: Connection) -> dict[tuple[str, str], SiteCalibration]:
    """What is in force, by (model, version)."""
    rows = connection.execute(select(site_calibrations).where(_TABLE.active))
    return {
        (row.model, row.version): SiteCalibration(row.id, row.parameters, row.evidence["n"], row.created_at)
        for row in rows
    }


def reviewed(connection: Connection, model: str, version: str) -> list[Row[Any]]:
    """Every reviewed answer of a version with its study's id, hash and patient, the latest review first."""
    columns = (jobs.c.study_id, jobs.c.result, reviews.c.verdict, reviews.c.labels)
    joined = reviews.join(jobs, jobs.c.id == reviews.c.job_id).join(studies, studies.c.id == jobs.c.study_id)
    theirs = (jobs.c.model == model) & (jobs.c.version == version) & (jobs.c.state == JobState.SUCCEEDED)
    query = select(*columns, studies.c.sha256, studies.c.patient_reference).select_from(joined).where(theirs)
    return list(connection.execute(query.order_by(reviews.c.reviewed_at.desc())))
