"""Signing in and out."""

from typing import Any

from apiflask import APIBlueprint
from prometheus_client import Counter

from app_service.accounts import audit, throttle
from app_service.accounts.bearer import bearer, current_token, current_user
from app_service.accounts.opening import opened_for
from app_service.accounts.passwords import matches
from app_service.accounts.sessions import close_session
from app_service.parts import parts
from app_service.routes.bodies import SignIn
from app_service.storage.database import reading, writing
from app_service.storage.users import find_user
from portal_wire.contract import Session, User
from portal_wire.errors import TooManyRequests, Unauthenticated

sessions = APIBlueprint("sessions", __name__, tag="Sessions")
_SIGN_INS = Counter("lightbox_app_sign_ins_total", "Attempts to sign in, by outcome.", ["outcome"])
for _outcome in ("right", "wrong", "throttled"):
    _SIGN_INS.labels(_outcome)  # there from the start, so that the first one counts


@sessions.post("/v1/sessions")
@sessions.input(SignIn)
@sessions.output(Session, status_code=201)
def sign_in(json_data: SignIn) -> tuple[Session, int, dict[str, str]]:
    """Sign in with a name and a password; the answer's token goes into `Authorization: Bearer`."""
    here, name, address = parts(), json_data.username, audit.caller_address()
    try:
        throttle.begin_attempt(here.redis, name, address)
    except TooManyRequests:
        _SIGN_INS.labels("throttled").inc()
        raise
    with reading(here.engine) as connection:
        account = find_user(connection, name)
    right = matches(account.password_hash if account else None, json_data.password)
    right = right and account is not None and not account.disabled
    _SIGN_INS.labels("right" if right else "wrong").inc()
    with writing(here.engine) as connection:
        audit.record(connection, "sign_in", account.id if account else None, outcome="done" if right else "refused")
    if account is None or not right:
        raise Unauthenticated("The name or the password is wrong.", code="wrong_credentials")
    throttle.succeed(here.redis, name, address)
    return opened_for(account), 201, {"Cache-Control": "no-store"}


@sessions.delete("/v1/sessions/current")
@sessions.auth_required(bearer)
@sessions.output({}, status_code=204)
def sign_out() -> str:
    """Sign out: the token is worthless from now on."""
    close_session(parts().redis, current_token())
    with writing(parts().engine) as connection:
        audit.record(connection, "sign_out", current_user().id)
    return ""


@sessions.get("/v1/me")
@sessions.auth_required(bearer)
@sessions.output(User)
def me() -> Any:
    """Who is signed in."""
    return current_user()
