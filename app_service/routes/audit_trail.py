"""What was done with a study, for its doctor, and with the portal, for an administrator. Ids only."""

from datetime import datetime
from typing import Any
from uuid import UUID

from apiflask import APIBlueprint
from pydantic import BaseModel, Field

from app_service.accounts import audit
from app_service.accounts.bearer import ADMIN, DOCTOR, bearer, current_user
from app_service.parts import parts
from app_service.routes.bodies import Asked
from app_service.storage.audit_list import acts, openings
from app_service.storage.database import reading, writing
from app_service.storage.guests import emergencies_of
from app_service.storage.studies import find_study

audit_trail = APIBlueprint("audit_trail", __name__, tag="Audit")


class Opening(BaseModel):
    """A person who opened a study (`view`) or took files of it (`download`)."""

    username: str
    action: str
    times: int
    last_at: datetime


class EmergencyOpening(BaseModel):
    """Somebody who opened it unasked, in an emergency, and why."""

    username: str
    reason: str
    began_at: datetime
    ends_at: datetime


class Openings(BaseModel):
    items: list[Opening]
    emergencies: list[EmergencyOpening]


class AuditQuery(Asked):
    """A part of the trail, newest first. `before` is the `next_before` of the part before."""

    limit: int = Field(default=50, ge=1, le=500)
    before: int | None = Field(default=None, ge=1, lt=2**63)
    username: str | None = Field(default=None, max_length=64)
    action: str | None = Field(default=None, max_length=32)


class Act(BaseModel):
    """One row. `username` is null for what the portal did itself, and for a sign-in with an unknown name."""

    seq: int
    at: datetime
    username: str | None
    role: str | None  # that the person had then
    action: str
    outcome: str
    details: dict[str, Any] | None
    object_id: str | None
    address: str | None
    request_id: str | None


class Acts(BaseModel):
    items: list[Act]
    next_before: int | None


@audit_trail.get("/v1/studies/<uuid:study_id>/openings")
@audit_trail.auth_required(bearer, roles=DOCTOR)
@audit_trail.output(Openings)
def opened_by(study_id: UUID) -> Openings:
    """Who opened a study, and who took files of it."""
    with reading(parts().engine) as connection:
        find_study(connection, current_user().id, str(study_id))
        rows = openings(connection, str(study_id))
        unasked = emergencies_of(connection, str(study_id))
    items = [Opening(**row._mapping) for row in rows]
    return Openings(items=items, emergencies=[EmergencyOpening(**row._mapping) for row in unasked])


@audit_trail.get("/v1/audit")
@audit_trail.auth_required(bearer, roles=ADMIN)
@audit_trail.input(AuditQuery, location="query")
@audit_trail.output(Acts)
def listed(query_data: AuditQuery) -> Acts:
    """The audit trail, newest first. That it was read is written down too."""
    asked = query_data
    with reading(parts().engine) as connection:  # a long search keeps nobody from writing
        rows = acts(connection, asked.before, asked.limit + 1, username=asked.username, action=asked.action)
    with writing(parts().engine) as connection:
        audit.record(connection, "read_audit", current_user().id)
    items = [Act(**{name: row._mapping[name] for name in Act.model_fields}) for row in rows[: asked.limit]]
    return Acts(items=items, next_before=items[-1].seq if len(rows) > asked.limit else None)
