"""Studies: upload, list, look at, delete."""

from typing import Any
from uuid import UUID

from apiflask import APIBlueprint
from flask import request

from app_service.accounts import audit
from app_service.accounts.bearer import DOCTOR, bearer, current_user
from app_service.deletion import delete_study
from app_service.parts import parts
from app_service.routes.bodies import StudyQuery
from app_service.storage.database import reading, writing
from app_service.storage.studies import StudyFilter, find_study, list_studies, see_study
from app_service.uploads.form import DESCRIPTION
from app_service.uploads.receive import receive
from app_service.views import to_study
from portal_wire.contract import Study, StudyPage, Uploaded

studies = APIBlueprint("studies", __name__, tag="Studies")


@studies.post("/v1/studies")
@studies.auth_required(bearer, roles=DOCTOR)
@studies.output(Uploaded, status_code=201)
@studies.doc(description=DESCRIPTION)
def upload() -> tuple[dict[str, Any], int]:
    """Upload one or more files; each becomes a study, or is refused with a reason."""
    return receive(parts(), current_user(), request), 201


@studies.get("/v1/studies")
@studies.auth_required(bearer, roles=DOCTOR)
@studies.input(StudyQuery, location="query")
@studies.output(StudyPage)
def listed(query_data: StudyQuery) -> StudyPage:
    """The doctor's studies, newest first."""
    here, asked = parts(), query_data
    wanted = StudyFilter(asked.q, asked.kind, asked.state, asked.since, asked.until)
    before = str(asked.cursor) if asked.cursor else None
    with reading(here.engine) as connection:
        rows = list_studies(connection, current_user().id, wanted, before, asked.limit + 1)
    models = here.models.known()
    items = [to_study(row, models, here.settings.default_models) for row in rows[: asked.limit]]
    with writing(here.engine) as connection:
        audit.record(connection, "list", current_user().id, details={"studies": len(items)})
    return StudyPage(items=items, next_cursor=items[-1].id if len(rows) > asked.limit else None)


@studies.get("/v1/studies/<uuid:study_id>")
@studies.auth_required(bearer, roles=DOCTOR)
@studies.output(Study)
def shown(study_id: UUID) -> Study:
    """One study."""
    here = parts()
    with reading(here.engine) as connection:
        row = see_study(connection, current_user().id, str(study_id))
    return to_study(row, here.models.known(), here.settings.default_models)


@studies.delete("/v1/studies/<uuid:study_id>")
@studies.auth_required(bearer, roles=DOCTOR)
@studies.output({}, status_code=204)
def deleted(study_id: UUID) -> str:
    """Delete a study with its jobs, results and files. Only the record that it happened stays."""
    here, user, name = parts(), current_user(), str(study_id)
    with reading(here.engine) as connection:
        find_study(connection, user.id, name)
    delete_study(here, name, user.id, user.id)
    return ""
