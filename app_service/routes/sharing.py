"""Another's study, shared by its doctor with a link that ends; in an emergency: emergency.py.

A link's code is told once and comes back in a request's body, never in an address.
"""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from apiflask import APIBlueprint
from pydantic import BaseModel, Field, StringConstraints
from sqlalchemy import Connection, Row

from app_service.accounts import audit
from app_service.accounts.bearer import DOCTOR, DOCTOR_IN_PERSON, bearer, current_user
from app_service.parts import parts
from app_service.routes.bodies import Asked, Name
from app_service.storage.clock import now
from app_service.storage.database import reading, writing
from app_service.storage.guests import add_guest, seen_by
from app_service.storage.shares import add_share, live_share, remove_share, shares_of
from app_service.storage.studies import find_study, owner_of
from app_service.storage.users import find_user
from app_service.views import to_study
from portal_wire.contract import Study
from portal_wire.errors import Conflict, Unprocessable

sharing = APIBlueprint("sharing", __name__, tag="Studies")
MOST_SHARES = 50  # of a study


class ShareWanted(Asked):
    """Without `colleague`, any doctor who has the link may open it. `days` until it ends."""

    colleague: Name | None = None
    days: int = Field(default=7, ge=1, le=90)


class Share(BaseModel):
    """`opened_by` is how many have opened it."""

    id: str
    colleague: str | None
    created_at: datetime
    expires_at: datetime
    opened_by: int


class Shares(BaseModel):
    items: list[Share]


class NewShare(BaseModel):
    """`code` is told once, and kept nowhere."""

    share: Share
    code: str


class CodeGiven(Asked):
    code: Annotated[str, StringConstraints(min_length=1, max_length=128, strip_whitespace=True)]


class Guest(BaseModel):
    """What one may look at now, and until when."""

    study_id: str
    until: datetime


class SeenStudy(BaseModel):
    study: Study
    until: datetime


class SeenStudies(BaseModel):
    items: list[SeenStudy]


@sharing.get("/v1/studies/<uuid:study_id>/shares")
@sharing.auth_required(bearer, roles=DOCTOR_IN_PERSON)
@sharing.output(Shares)
def listed(study_id: UUID) -> Shares:
    """The study's links that have not ended."""
    with reading(parts().engine) as connection:
        find_study(connection, current_user().id, str(study_id))
        rows = shares_of(connection, str(study_id))
    return Shares(items=[_told(row) for row in rows])


@sharing.post("/v1/studies/<uuid:study_id>/shares")
@sharing.auth_required(bearer, roles=DOCTOR_IN_PERSON)
@sharing.input(ShareWanted)
@sharing.output(NewShare, status_code=201)
def shared(study_id: UUID, json_data: ShareWanted) -> tuple[NewShare, int, dict[str, str]]:
    """Let a colleague look at the study. Whoever opens the link sees it and its answers, and changes nothing."""
    name, code, ends = str(study_id), secrets.token_urlsafe(32), now() + timedelta(days=json_data.days)
    with writing(parts().engine) as connection:
        find_study(connection, current_user().id, name)
        colleague = _colleague(connection, json_data.colleague)
        if len(shares_of(connection, name)) >= MOST_SHARES:
            raise Conflict(f"A study has {MOST_SHARES} links at most.", code="too_many_shares")
        row = add_share(connection, name, colleague, _hash(code), ends)
        audit.record(connection, "share", current_user().id, name, "with_one" if colleague else "with_any_doctor")
    return NewShare(share=_told(row), code=code), 201, {"Cache-Control": "no-store"}


@sharing.delete("/v1/studies/<uuid:study_id>/shares/<uuid:share_id>")
@sharing.auth_required(bearer, roles=DOCTOR_IN_PERSON)
@sharing.output({}, status_code=204)
def revoked(study_id: UUID, share_id: UUID) -> str:
    """The link opens nothing any more, and whoever came by it looks no longer."""
    with writing(parts().engine) as connection:
        find_study(connection, current_user().id, str(study_id))
        remove_share(connection, str(study_id), str(share_id))
        audit.record(connection, "revoke_share", current_user().id, str(study_id))
    return ""


@sharing.post("/v1/shared")
@sharing.auth_required(bearer, roles=DOCTOR_IN_PERSON)
@sharing.input(CodeGiven)
@sharing.output(Guest, status_code=201)
def opened(json_data: CodeGiven) -> tuple[Guest, int]:
    """Open a link by its code."""
    user = current_user()
    with writing(parts().engine) as connection:
        share = live_share(connection, _hash(json_data.code), user.id)
        if owner_of(connection, share.study_id) != user.id:
            add_guest(connection, share.study_id, user.id, share.expires_at, share_id=share.id)
            audit.record(connection, "open_share", user.id, share.study_id)
    return Guest(study_id=share.study_id, until=share.expires_at), 201


@sharing.get("/v1/shared")
@sharing.auth_required(bearer, roles=DOCTOR)
@sharing.output(SeenStudies)
def seen() -> SeenStudies:
    """Others' studies that one may look at now."""
    here = parts()
    with reading(here.engine) as connection:
        rows = seen_by(connection, current_user().id)
    with writing(here.engine) as connection:
        audit.record(connection, "list", current_user().id, details={"studies": len(rows)})
    models = here.models.known()
    items = [SeenStudy(study=to_study(row, models, here.settings.default_models), until=row.until) for row in rows]
    return SeenStudies(items=items)


def _colleague(connection: Connection, username: str | None) -> str | None:
    """The account's id. Raises Unprocessable unless it is another doctor's."""
    if username is None:
        return None
    account = find_user(connection, username)
    if account is None or account.disabled or account.role != "doctor" or account.id == current_user().id:
        raise Unprocessable("There is no other doctor of this name here.", code="no_such_colleague")
    return str(account.id)


def _hash(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()


def _told(row: Row[str]) -> Share:
    return Share(**{name: row._mapping[name] for name in Share.model_fields})
