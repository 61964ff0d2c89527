"""Another's study in an emergency, for a written reason: by its address, or by what is known of it outside the portal.

Before the reason nothing is told, not even whether there is such a study. Whoever guesses is stopped, and each guess is
in the audit.
"""

from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from apiflask import APIBlueprint
from prometheus_client import Counter
from pydantic import BaseModel, StringConstraints
from sqlalchemy import Connection

from app_service.accounts import audit
from app_service.accounts.bearer import DOCTOR_IN_PERSON, bearer, current_user
from app_service.accounts.throttle import begin_search, search_found
from app_service.parts import parts
from app_service.routes.bodies import Asked
from app_service.routes.sharing import Guest
from app_service.storage.clock import now
from app_service.storage.database import writing
from app_service.storage.guests import add_guest
from app_service.storage.studies import called, owner_of
from portal_wire.errors import Conflict, NotFound

emergency = APIBlueprint("emergency", __name__, tag="Studies")
OPEN_FOR = timedelta(minutes=60)
MOST_OF_A_PATIENT = 20  # studies; more than one patient's, it is no reference
_OPENINGS = Counter("lightbox_app_emergency_openings_total", "Times that a doctor opened another's study unasked.")


class Emergency(Asked):
    """Why, in words that the study's doctor will read."""

    reason: Annotated[str, StringConstraints(min_length=10, max_length=500, strip_whitespace=True)]


class EmergencySearch(Emergency):
    """`study` is a study's id, or the whole patient reference that its doctor gave it."""

    study: Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]


class Opened(BaseModel):
    items: list[Guest]


@emergency.post("/v1/studies/<uuid:study_id>/emergency")
@emergency.auth_required(bearer, roles=DOCTOR_IN_PERSON)
@emergency.input(Emergency)
@emergency.output(Guest, status_code=201)
def opened(study_id: UUID, json_data: Emergency) -> tuple[Guest, int]:
    """Look at another's study for an hour. Its doctor sees who did and why, and whoever keeps the portal is told."""
    name, until = str(study_id), now() + OPEN_FOR
    with writing(parts().engine) as connection:
        if owner_of(connection, name) == current_user().id:
            raise _own()
        _open(connection, name, until, json_data.reason)
    _OPENINGS.inc()
    return Guest(study_id=name, until=until), 201


@emergency.post("/v1/emergency")
@emergency.auth_required(bearer, roles=DOCTOR_IN_PERSON)
@emergency.input(EmergencySearch)
@emergency.output(Opened, status_code=201)
def sought(json_data: EmergencySearch) -> tuple[Opened, int]:
    """Look for an hour at another's study by its id, or at all of a patient by the reference, word for word."""
    here, user, until = parts(), current_user(), now() + OPEN_FOR
    begin_search(here.redis, user.id)
    with writing(here.engine) as connection:
        found = called(connection, json_data.study, MOST_OF_A_PATIENT + 1)
        others = [row.id for row in found if row.owner_id != user.id]
        if not found or len(found) > MOST_OF_A_PATIENT:
            audit.record(connection, "open_in_emergency", user.id, None, "too_many" if found else "unknown")
        else:
            for name in others:
                _open(connection, name, until, json_data.reason)
    if not found:
        raise NotFound("No study has this identifier or patient reference.", code="no_such_study")
    if len(found) > MOST_OF_A_PATIENT:
        raise Conflict("Too many studies have this reference to be one patient's.", code="too_many_studies")
    search_found(here.redis, user.id)
    if not others:
        raise _own()
    _OPENINGS.inc(len(others))
    return Opened(items=[Guest(study_id=name, until=until) for name in others]), 201


def _open(connection: Connection, study_id: str, until: datetime, reason: str) -> None:
    add_guest(connection, study_id, current_user().id, until, reason=reason)
    audit.record(connection, "open_in_emergency", current_user().id, study_id)


def _own() -> Conflict:
    return Conflict("This study is your own.", code="own_study")
