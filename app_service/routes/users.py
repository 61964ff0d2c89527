"""Accounts, for an administrator. What changes about one acts at once: its sessions and open pages end."""

import re
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from apiflask import APIBlueprint
from pydantic import BaseModel, StringConstraints
from sqlalchemy import Connection, Row

from app_service.accounts import audit
from app_service.accounts.bearer import ADMIN, bearer, current_user, require_fresh
from app_service.accounts.passwords import hash_password, made_up
from app_service.accounts.second_factor import has_factor
from app_service.accounts.sessions import close_sessions
from app_service.parts import parts
from app_service.routes.bodies import Asked
from app_service.storage.database import reading, writing
from app_service.storage.second_factors import remove_factor, with_factor
from app_service.storage.users import add_user, change_user, find_user, list_users, user_by_id
from portal_wire.errors import Conflict

users = APIBlueprint("users", __name__, tag="Accounts")
Role = Literal["doctor", "admin", "ops", "service"]
USERNAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$")
Username = Annotated[str, StringConstraints(pattern=USERNAME.pattern)]


class Account(BaseModel):
    """An account. A `service` signs in by API tokens alone."""

    id: str
    username: str
    role: Role
    disabled: bool
    temporary_password: bool
    second_factor: bool
    created_at: datetime


_FROM_USER = set(Account.model_fields) - {"second_factor"}


class Accounts(BaseModel):
    items: list[Account]


class AccountWanted(Asked):
    username: Username
    role: Role


class AccountChange(Asked):
    """What is to be different."""

    role: Role | None = None
    disabled: bool | None = None


class NewPassword(BaseModel):
    """Shown once, kept nowhere. Whoever signs in with it must choose another; null for a service."""

    account: Account
    password: str | None


@users.get("/v1/users")
@users.auth_required(bearer, roles=ADMIN)
@users.output(Accounts)
def listed() -> Accounts:
    """Every account, by name."""
    with reading(parts().engine) as connection:
        rows, with_two = list_users(connection), with_factor(connection)
    return Accounts(items=[_told(row, row.id in with_two) for row in rows])


@users.post("/v1/users")
@users.auth_required(bearer, roles=ADMIN)
@users.input(AccountWanted)
@users.output(NewPassword, status_code=201)
def created(json_data: AccountWanted) -> tuple[NewPassword, int, dict[str, str]]:
    """A new account, with a password to begin with."""
    require_fresh()
    name, role = json_data.username, json_data.role
    password = None if role == "service" else made_up()
    hashed = hash_password(password) if password else ""
    with writing(parts().engine) as connection:
        if find_user(connection, name) is not None:
            raise Conflict("There is an account of this name.", code="name_taken")
        user_id = add_user(connection, name, role, hashed, temporary_password=password is not None)
        audit.record(connection, "create_user", current_user().id, user_id, role)
        account = _account(connection, user_id)
    return NewPassword(account=account, password=password), 201, {"Cache-Control": "no-store"}


@users.patch("/v1/users/<uuid:user_id>")
@users.auth_required(bearer, roles=ADMIN)
@users.input(AccountChange)
@users.output(Account)
def changed(user_id: UUID, json_data: AccountChange) -> Account:
    """Disable an account, enable it, give it another role."""
    here, asked, name = parts(), json_data, str(user_id)
    _require_another(name)
    with writing(here.engine) as connection:
        row = user_by_id(connection, name)
        if asked.role not in (None, row.role):
            _change_role(connection, row, str(asked.role))
        if asked.disabled not in (None, row.disabled):
            change_user(connection, name, disabled=asked.disabled)
            audit.record(connection, "disable_user" if asked.disabled else "enable_user", current_user().id, name)
        account = _account(connection, name)
    close_sessions(here.redis, name)  # also where nothing changed: the time before, Redis may have been away
    return account


@users.post("/v1/users/<uuid:user_id>/password")
@users.auth_required(bearer, roles=ADMIN)
@users.output(NewPassword, status_code=201)
def reset(user_id: UUID) -> tuple[NewPassword, int, dict[str, str]]:
    """A new password to begin with, in place of the one that was forgotten."""
    here, name, password = parts(), str(user_id), made_up()
    _require_another(name)
    hashed = hash_password(password)
    with writing(here.engine) as connection:
        if user_by_id(connection, name).role == "service":
            raise Conflict("A service has no password; give it an API token.", code="service_account")
        change_user(connection, name, password_hash=hashed, temporary_password=True)
        audit.record(connection, "reset_password", current_user().id, name)
        account = _account(connection, name)
    close_sessions(here.redis, name)
    return NewPassword(account=account, password=password), 201, {"Cache-Control": "no-store"}


@users.delete("/v1/users/<uuid:user_id>/second-factor")
@users.auth_required(bearer, roles=ADMIN)
@users.output({}, status_code=204)
def without_second_factor(user_id: UUID) -> str:
    """For somebody who has lost it: the password is asked for alone, and another one has to be chosen with it."""
    here, name = parts(), str(user_id)
    _require_another(name)
    with writing(here.engine) as connection:
        user_by_id(connection, name)
        remove_factor(connection, name)
        change_user(connection, name, temporary_password=True)
        audit.record(connection, "remove_second_factor", current_user().id, name)
    close_sessions(here.redis, name)
    return ""


def _change_role(connection: Connection, row: Row[str], role: str) -> None:
    """A person stays a person: what a service may do is tied to tokens, not to a password."""
    if "service" in (row.role, role):
        raise Conflict("A person's account cannot become a service's, nor the other way.", code="service_account")
    change_user(connection, row.id, role=role)
    audit.record(connection, "change_role", current_user().id, row.id, f"{row.role} to {role}")


def _require_another(user_id: str) -> None:
    """So there is always an administrator left; and asked of somebody who signed in just now."""
    require_fresh()
    if user_id == current_user().id:
        raise Conflict("Another administrator has to do this to your account.", code="own_account")


def _account(connection: Connection, user_id: str) -> Account:
    return _told(user_by_id(connection, user_id), has_factor(connection, user_id))


def _told(row: Row[str], second_factor: bool) -> Account:
    return Account(second_factor=second_factor, **{name: row._mapping[name] for name in _FROM_USER})
