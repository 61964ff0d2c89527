"""Large files that go straight to and from the bucket. Where that is not possible each of these says so with 409."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from apiflask import APIBlueprint
from pydantic import BaseModel, Field

from app_service.accounts import audit
from app_service.accounts.bearer import DOCTOR, bearer, current_user
from app_service.parts import parts
from app_service.routes.bodies import MOST_MODELS, Asked, Name
from app_service.storage.database import reading, writing
from app_service.storage.direct_store import DOWNLOAD_S
from app_service.storage.studies import find_study
from app_service.uploads.direct import abandon, begin, complete, require_direct
from portal_wire.contract import Uploaded

direct = APIBlueprint("direct", __name__, tag="Studies")


class UploadWanted(Asked):
    """A file that is to go straight to the store; size and type are bound into the permit."""

    filename: str = Field(min_length=1, max_length=1024)
    size_bytes: int = Field(ge=1)
    media_type: str = Field(default="application/octet-stream", max_length=100, pattern=r"^[\w.+-]+/[\w.+-]+$")
    models: list[Name] = Field(default=[], max_length=MOST_MODELS)
    patient_reference: str | None = Field(default=None, max_length=200)


class Permit(BaseModel):
    """Post `fields` in this order and then the bytes as `file` to `url` (multipart/form-data), within an hour; complete
    it before `ends_at`."""

    id: str
    url: str
    fields: dict[str, str]
    ends_at: datetime


class Link(BaseModel):
    """Whoever has `url` has the file, until `expires_at`."""

    url: str
    expires_at: datetime


@direct.post("/v1/uploads")
@direct.auth_required(bearer, roles=DOCTOR)
@direct.input(UploadWanted)
@direct.output(Permit, status_code=201)
def begun(json_data: UploadWanted) -> tuple[Permit, int]:
    """Ask for a permit to send a large file straight to the store."""
    asked = json_data
    what = (asked.filename, asked.size_bytes, asked.media_type)
    upload_id, ends_at, form = begin(parts(), current_user(), *what, asked.models, asked.patient_reference)
    return Permit(id=upload_id, url=form.url, fields=form.fields, ends_at=ends_at), 201


@direct.post("/v1/uploads/<uuid:upload_id>/complete")
@direct.auth_required(bearer, roles=DOCTOR)
@direct.output(Uploaded, status_code=201)
def completed(upload_id: UUID) -> tuple[dict[str, Any], int]:
    """Say that the file was sent: it is examined now, and becomes a study or is refused with a reason."""
    return complete(parts(), current_user(), str(upload_id)), 201


@direct.delete("/v1/uploads/<uuid:upload_id>")
@direct.auth_required(bearer, roles=DOCTOR)
@direct.output({}, status_code=204)
def abandoned(upload_id: UUID) -> str:
    """Give an upload up, with what was sent of it."""
    abandon(parts(), current_user(), str(upload_id))
    return ""


@direct.get("/v1/studies/<uuid:study_id>/original/link")
@direct.auth_required(bearer, roles=DOCTOR)
@direct.output(Link)
def linked(study_id: UUID) -> Link:
    """An address of the file as it was uploaded, good for a few minutes."""
    here, name = parts(), str(study_id)
    with reading(here.engine) as connection:
        row = find_study(connection, current_user().id, name)
    link = require_direct(here).download_link(f"studies/{name}/original", row.filename)
    with writing(here.engine) as connection:
        audit.record(connection, "download", current_user().id, name)
    return Link(url=link, expires_at=datetime.now(UTC) + timedelta(seconds=DOWNLOAD_S))
