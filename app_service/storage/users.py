"""Accounts: who may sign in, and as what."""

from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, insert, select, update

from app_service.storage.clock import now
from app_service.storage.records import users
from portal_wire.errors import NotFound
from portal_wire.ids import new_id

_BY_ID = select(users).where(users.c.id == bindparam("user"))  # built once: every upload asks


def find_user(connection: Connection, username: str) -> Row[Any] | None:
    """An account's row; names are compared without regard to case."""
    return connection.execute(select(users).where(users.c.username == username.casefold())).first()


def find_external(connection: Connection, external_id: str) -> Row[Any] | None:
    """The account of who signs in by the hospital's directory."""
    return connection.execute(select(users).where(users.c.external_id == external_id)).first()


def user_by_id(connection: Connection, user_id: str) -> Row[Any]:
    """An account's row. Raises NotFound."""
    row = connection.execute(_BY_ID, {"user": user_id}).first()
    if row is None:
        raise NotFound("There is no such account.")
    return row


def list_users(connection: Connection) -> list[Row[Any]]:
    """Every account, by name."""
    return list(connection.execute(select(users).order_by(users.c.username)))


def add_user(
    connection: Connection,
    username: str,
    role: str,
    password_hash: str,
    *,
    temporary_password: bool = False,
    external_id: str | None = None,
) -> str:
    """Store an account and return its id."""
    values: dict[str, Any] = {
        "id": new_id(),
        "username": username.casefold(),
        "role": role,
        "password_hash": password_hash,
    }
    values |= {"created_at": now(), "temporary_password": temporary_password, "external_id": external_id}
    connection.execute(insert(users).values(values))
    return str(values["id"])


def renew_hash(connection: Connection, user_id: str, known: str, anew: str) -> None:
    """Store the same password's new hash, unless the password was changed meanwhile."""
    same = and_(users.c.id == user_id, users.c.password_hash == known)
    connection.execute(update(users).where(same).values(password_hash=anew))


def change_user(connection: Connection, user_id: str, **values: Any) -> None:
    """Change columns of an account. Sign-ins that were under way at that moment come to nothing: see `generation`."""
    changed = update(users).where(users.c.id == user_id)
    connection.execute(changed.values(generation=users.c.generation + 1, **values))
