"""Signing in and out."""

from contextlib import suppress
from typing import Any

from apiflask import APIBlueprint
from flask import g
from prometheus_client import Counter
from sqlalchemy.exc import SQLAlchemyError

from app_service.accounts import audit, throttle
from app_service.accounts.bearer import ONESELF, bearer, current_token, current_user
from app_service.accounts.opening import opened_for
from app_service.accounts.passwords import hash_password, matches, outdated
from app_service.accounts.second_factor import has_factor, uses_up
from app_service.accounts.sessions import close_session
from app_service.parts import parts
from app_service.routes.bodies import SignIn
from app_service.storage.database import reading, writing
from app_service.storage.users import find_user, renew_hash
from portal_wire.contract import Session, User
from portal_wire.errors import PortalError, TooManyRequests, Unauthenticated

sessions = APIBlueprint("sessions", __name__, tag="Sessions")
_WRONG = "wrong_credentials"
_REASONS = {
    _WRONG: "The name or the password is wrong.",
    "otp_needed": "This account asks for a code as well.",
    "wrong_otp": "This is not the present code, or it has been used already.",
}
SIGN_INS = Counter("lightbox_app_sign_ins_total", "Attempts to sign in, by outcome.", ["outcome"])
for _outcome in ("right", "wrong", "throttled"):
    SIGN_INS.labels(_outcome)  # there from the start, so that the first one counts


@sessions.post("/v1/sessions")
@sessions.input(SignIn)
@sessions.output(Session, status_code=201)
def sign_in(json_data: SignIn) -> tuple[Session, int, dict[str, str]]:
    """Sign in with a name, a password and, where the account has a second factor, a code.

    The answer's token goes into `Authorization: Bearer`.
    """
    here, name, address = parts(), json_data.username, audit.caller_address()
    try:
        throttle.begin_attempt(here.redis, name, address)
    except TooManyRequests:
        SIGN_INS.labels("throttled").inc()
        g.tried_name = name
        raise
    with throttle.judging(here.redis, name, address):
        with reading(here.engine) as connection:
            g.account = account = find_user(connection, name)
        right = matches(account.password_hash if account else None, json_data.password)
        if account is None or account.disabled or not right:
            refused: str | None = _WRONG
        else:
            refused = _second_refused(account.id, json_data.otp)
        SIGN_INS.labels("wrong" if refused else "right").inc()
        with writing(here.engine) as connection:
            audit.record(
                connection,
                "sign_in",
                account.id if account else None,
                outcome="refused" if refused else "done",
            )
    if account is None or refused:
        raise Unauthenticated(_REASONS[refused or _WRONG], code=refused)
    throttle.succeed(here.redis, name, address)
    opened = opened_for(account)
    if outdated(account.password_hash):
        _hash_anew(account.id, account.password_hash, json_data.password)
    return opened, 201, {"Cache-Control": "no-store"}


def _hash_anew(user_id: str, known: str, password: str) -> None:
    """Where many are signing in, or the database is away, the next time will do: who is signing in is in."""
    with suppress(PortalError, SQLAlchemyError):
        anew = hash_password(password, at_once=True)
        with writing(parts().engine) as connection:
            renew_hash(connection, user_id, known, anew)


def _second_refused(user_id: str, otp: str | None) -> str | None:
    """None where the second factor is right, or there is none; else the code of what is wrong with it."""
    here = parts()
    with writing(here.engine) as connection:
        if not has_factor(connection, user_id):
            return None
        if otp is None:
            return "otp_needed"
        return None if uses_up(connection, user_id, otp, here.settings.account_key) else "wrong_otp"


@sessions.delete("/v1/sessions/current")
@sessions.auth_required(bearer, roles=ONESELF)
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
