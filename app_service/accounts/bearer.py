"""Who calls: the Bearer token of a session or an API token, looked up at every request."""

import time
from typing import cast

from apiflask import HTTPTokenAuth
from apiflask.exceptions import HTTPError
from flask import Response, g, request

from app_service.accounts import audit
from app_service.accounts.api_tokens import find_token
from app_service.accounts.sessions import SignedIn, find_session
from app_service.parts import Parts, parts
from app_service.storage.database import writing
from portal_wire.contract import User
from portal_wire.errors import Forbidden, Unauthenticated
from portal_wire.http_server import problem

bearer = HTTPTokenAuth(description="The token that POST /v1/sessions gave, or an API token. Never a cookie.")
_READING = ("archives.archive_of_many",)  # POST that changes nothing
DOCTOR = ["doctor"]  # an admin keeps the portal running and sees no images
DOCTOR_IN_PERSON = ["doctor_in_person"]  # by a session: no program lets others in
ADMIN = ["admin"]
OPERATIONS = ["admin", "ops"]  # how the portal stands, nothing more
FRESH_S = 300
ONESELF = ["oneself"]  # whoever signed in, in what concerns the own account
_BEFORE_A_PASSWORD = ("sessions.me", "sessions.sign_out", "oneself.password_changed")  # that is one's own


def current_user() -> User:
    """Who signed in; only inside a route that requires `bearer`."""
    return cast(SignedIn, bearer.current_user).user


def current_session() -> SignedIn:
    """The session that the request came by."""
    return cast(SignedIn, bearer.current_user)


def require_fresh() -> None:
    """What changes accounts needs somebody who signed in just now, not a screen left open. Raises Forbidden."""
    if time.time() - current_session().began > FRESH_S:
        raise Forbidden(
            "To change accounts, please sign in again: the last time was too long ago.", code="sign_in_again"
        )


def current_token() -> str:
    """The session's token, as it came."""
    authorization = request.authorization
    return (authorization.token if authorization else None) or ""


def who(here: Parts, token: str, *, used: bool = True) -> SignedIn | None:
    """The session or API token behind a Bearer token. A look that is no use does not lengthen a session."""
    found = find_session(here.redis, token, here.settings.session_idle_s, used=used)
    return found or find_token(here.engine, token, used=used)


@bearer.verify_token  # type: ignore[untyped-decorator]
def _find(token: str) -> SignedIn | None:
    used = "X-By-Itself" not in request.headers  # a page that asks while nobody touches it
    found = who(parts(), token, used=used) if token else None
    g.caller, g.session_id = found, found.id if found else None  # for a refusal, and for the audit
    if found is not None and found.limited and request.endpoint not in _BEFORE_A_PASSWORD:
        raise Forbidden("Please choose a password of your own first.", code="password_change_needed")
    return found


@bearer.get_user_roles  # type: ignore[untyped-decorator]
def _rights(caller: SignedIn) -> list[str]:
    if caller.scopes is None:
        return [caller.user.role, *ONESELF, *(DOCTOR_IN_PERSON if caller.user.role == "doctor" else [])]
    reads = request.method in ("GET", "HEAD") or request.endpoint in _READING
    doctors = DOCTOR if ("studies:read" if reads else "studies:write") in caller.scopes else []
    return [*doctors, *(["ops"] if "status:read" in caller.scopes else [])]


def _answer(error: HTTPError) -> Response:
    if error.status_code == 403:
        return problem(_refused(g.caller))
    response = problem(Unauthenticated("Please sign in: the session is missing or over.", code="no_session"))
    response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _refused(caller: SignedIn) -> Forbidden:
    """Why; written down, because it is how somebody who looks for a way in shows."""
    if caller.scopes is not None:
        why = Forbidden("The scopes of this token do not allow it.", code="scope")
    else:
        why = Forbidden(
            "This account may not do that: images are for doctors only, the portal's settings for administrators.",
            code="wrong_role",
        )
    with writing(parts().engine) as connection:
        audit.record(connection, "refused", caller.user.id, request.endpoint, outcome=why.code)
    return why


bearer.error_processor(_answer)
