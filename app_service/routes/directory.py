"""Signing in by the hospital's own directory. The page sends the browser there and brings back what it answers."""

import hashlib
import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

from apiflask import APIBlueprint
from flask import g
from pydantic import BaseModel, StringConstraints
from sqlalchemy import Connection, Row

from app_service.accounts import audit
from app_service.accounts.directory_settings import Asked as AskedThere
from app_service.accounts.directory_settings import Person
from app_service.accounts.opening import opened_for
from app_service.accounts.sessions import close_sessions
from app_service.parts import parts
from app_service.routes.bodies import Asked
from app_service.routes.sessions import SIGN_INS
from app_service.routes.users import USERNAME
from app_service.storage.database import writing
from app_service.storage.users import add_user, change_user, find_external, find_user, user_by_id
from portal_wire.contract import Session
from portal_wire.errors import NotFound, Unauthenticated

if TYPE_CHECKING:
    from app_service.accounts.directory import Directory

directory = APIBlueprint("directory", __name__, tag="Sessions")
_WAIT_S = 600  # for somebody to sign in there
_Text = Annotated[str, StringConstraints(min_length=1, max_length=2000)]


class SignInThere(Asked):
    """`redirect_uri` is where the directory sends the browser afterwards; it knows the address beforehand."""

    redirect_uri: Annotated[str, StringConstraints(pattern=r"^https:[^\s?#]{1,300}$")]


class Address(BaseModel):
    """Where to send the browser. `state` comes back with it, and must be the same browser's."""

    address: str
    state: str


class CameBack(Asked):
    state: _Text
    code: _Text


@directory.post("/v1/directory")
@directory.input(SignInThere)
@directory.output(Address, status_code=201)
def begun(json_data: SignInThere) -> tuple[Address, int, dict[str, str]]:
    """Begin to sign in by the directory."""
    address, state, asked = _directory().ask(json_data.redirect_uri)
    parts().redis.set(_key(state), json.dumps(asdict(asked)), ex=_WAIT_S)
    return Address(address=address, state=state), 201, {"Cache-Control": "no-store"}


@directory.post("/v1/directory/sessions")
@directory.input(CameBack)
@directory.output(Session, status_code=201)
def signed_in(json_data: CameBack) -> tuple[Session, int, dict[str, str]]:
    """Sign in with what the directory answered. An account is made for who has a role and comes for the first time."""
    here, there = parts(), _directory()
    kept: Any = here.redis.getdel(_key(json_data.state))  # once
    if kept is None:
        raise Unauthenticated("This took too long, or was done already. Please sign in again.", code="oidc")
    try:
        person = there.person(json_data.code, AskedThere(**json.loads(kept)))
        with writing(here.engine) as connection:
            account, changed = _account(connection, person)
            g.account = account
            audit.record(
                connection,
                "sign_in",
                account.id if account else None,
                outcome="done" if account else "refused",
            )
        if account is None:
            raise Unauthenticated(_REFUSED, code="oidc_no_role")
    except Unauthenticated:
        SIGN_INS.labels("wrong").inc()
        raise
    if changed:
        close_sessions(here.redis, account.id)
    SIGN_INS.labels("right").inc()
    return opened_for(account), 201, {"Cache-Control": "no-store"}


_REFUSED = "The directory knows you, but you have no role in this portal. Please ask whoever runs it."


def _account(connection: Connection, person: Person) -> tuple[Row[Any] | None, bool]:
    """The person's account and whether its role is another now; None for who may not in."""
    row = find_external(connection, person.external_id)
    if row is None:
        if person.role is None or not USERNAME.fullmatch(person.username):
            return None, False
        if find_user(connection, person.username) is not None:
            return None, False  # somebody else's, made here: a name alone takes over no account
        user_id = add_user(connection, person.username, person.role, "", external_id=person.external_id)
        audit.record(connection, "create_user", None, user_id, person.role)
        return user_by_id(connection, user_id), False
    if person.role is None or row.disabled:
        return None, False
    if row.role == person.role:
        return row, False
    change_user(connection, row.id, role=person.role)
    audit.record(connection, "change_role", None, row.id, f"{row.role} to {person.role}")
    return user_by_id(connection, row.id), True


def _directory() -> "Directory":
    found = parts().directory
    if found is None:
        raise NotFound("This portal has no directory to sign in by.", code="oidc_off")
    return found


def _key(state: str) -> str:
    return f"lightbox:directory:{hashlib.sha256(state.encode()).hexdigest()}"
