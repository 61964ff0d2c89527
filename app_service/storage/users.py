"""Accounts: who may sign in."""

from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from app_service.storage.clock import now
from app_service.storage.records import users
from portal_wire.ids import new_id


def find_user(connection: Connection, username: str) -> Row[Any] | None:
    """(id, username, role, password_hash) of an account; names are compared without regard to case."""
    return connection.execute(select(users).where(users.c.username == username.casefold())).first()


def add_user(connection: Connection, username: str, role: str, password_hash: str) -> str:
    """Store an account and return its id."""
    user_id = new_id()
    connection.execute(
        insert(users).values(
            id=user_id, username=username.casefold(), role=role, password_hash=password_hash, created_at=now()
        )
    )
    return user_id


def change_password(connection: Connection, username: str, password_hash: str) -> None:
    """Another password for an account; nothing happens when there is none of this name."""
    changed = update(users).where(users.c.username == username.casefold()).values(password_hash=password_hash)
    connection.execute(changed)
