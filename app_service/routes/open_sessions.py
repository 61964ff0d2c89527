"""Who is signed in where: one's own sessions, and for an administrator anybody's. Each can be ended."""

from datetime import UTC, datetime
from uuid import UUID

from apiflask import APIBlueprint
from pydantic import BaseModel

from app_service.accounts import audit
from app_service.accounts.bearer import ADMIN, ONESELF, bearer, current_session, current_user
from app_service.accounts.sessions import SignedIn, close_sessions, sessions_of
from app_service.parts import parts
from app_service.storage.database import reading, writing
from app_service.storage.users import user_by_id
from portal_wire.errors import NotFound

open_sessions = APIBlueprint("open_sessions", __name__, tag="Sessions")


class OpenSession(BaseModel):
    """`current` is the one that asks."""

    id: str
    began_at: datetime
    ends_at: datetime
    address: str | None
    current: bool


class OpenSessions(BaseModel):
    items: list[OpenSession]


@open_sessions.get("/v1/me/sessions")
@open_sessions.auth_required(bearer, roles=ONESELF)
@open_sessions.output(OpenSessions)
def own() -> OpenSessions:
    """One's own."""
    return _listed(current_user().id)


@open_sessions.delete("/v1/me/sessions/<uuid:session_id>")
@open_sessions.auth_required(bearer, roles=ONESELF)
@open_sessions.output({}, status_code=204)
def ended(session_id: UUID) -> str:
    """End one's own."""
    return _ended(current_user().id, str(session_id))


@open_sessions.get("/v1/users/<uuid:user_id>/sessions")
@open_sessions.auth_required(bearer, roles=ADMIN)
@open_sessions.output(OpenSessions)
def of_user(user_id: UUID) -> OpenSessions:
    """An account's."""
    with reading(parts().engine) as connection:
        user_by_id(connection, str(user_id))
    return _listed(str(user_id))


@open_sessions.delete("/v1/users/<uuid:user_id>/sessions/<uuid:session_id>")
@open_sessions.auth_required(bearer, roles=ADMIN)
@open_sessions.output({}, status_code=204)
def ended_of_user(user_id: UUID, session_id: UUID) -> str:
    """End anybody's."""
    return _ended(str(user_id), str(session_id))


def _listed(user_id: str) -> OpenSessions:
    return OpenSessions(items=[_told(one) for one in sessions_of(parts().redis, user_id)])


def _ended(user_id: str, session_id: str) -> str:
    if close_sessions(parts().redis, user_id, session_id) == 0:
        raise NotFound("There is no such session.")
    with writing(parts().engine) as connection:
        audit.record(connection, "end_session", current_user().id, session_id)
    return ""


def _told(one: SignedIn) -> OpenSession:
    began, ends = (datetime.fromtimestamp(moment, UTC) for moment in (one.began, one.ends))
    here = one.id == current_session().id
    return OpenSession(id=one.id, began_at=began, ends_at=ends, address=one.address, current=here)
