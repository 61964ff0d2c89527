"""API tokens in SQL: found by their hash, so that one which is revoked or whose account is disabled is dead at once."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from app_service.storage.clock import now
from app_service.storage.records import api_tokens, users
from portal_wire.errors import NotFound
from portal_wire.ids import new_id

_USED_TO_THE_MINUTE = timedelta(minutes=1)  # so that a busy token does not write at every request


def add_token(
    connection: Connection, user_id: str, name: str, scopes: list[str], expires_at: datetime, by: str, token_hash: str
) -> Row[Any]:
    """Store one; returns its row."""
    values: dict[str, Any] = {"id": new_id(), "user_id": user_id, "name": name, "scopes": scopes, "hash": token_hash}
    values |= {"created_at": now(), "created_by": by, "expires_at": expires_at}
    connection.execute(insert(api_tokens).values(values))
    return connection.execute(select(api_tokens).where(api_tokens.c.id == values["id"])).one()


def live_token(connection: Connection, token_hash: str) -> Row[Any] | None:
    """(id, scopes, last_used_at, user_id, username, role) of a token that still counts."""
    mine = (api_tokens.c.hash == token_hash, api_tokens.c.expires_at > now(), users.c.disabled.is_(False))
    columns = [api_tokens.c[name] for name in ("id", "scopes", "last_used_at", "user_id")]
    columns += [users.c.username, users.c.role]
    return connection.execute(select(*columns).join(users, users.c.id == api_tokens.c.user_id).where(*mine)).first()


def is_stale(last_used_at: datetime | None) -> bool:
    """Whether the time of last use is worth writing again."""
    return last_used_at is None or now() - last_used_at > _USED_TO_THE_MINUTE


def note_use(connection: Connection, token_id: str) -> None:
    """It was used now."""
    connection.execute(update(api_tokens).where(api_tokens.c.id == token_id).values(last_used_at=now()))


def tokens_of(connection: Connection, user_id: str) -> list[Row[Any]]:
    """An account's tokens, also those whose time is over, the newest first."""
    query = select(api_tokens).where(api_tokens.c.user_id == user_id)
    return list(connection.execute(query.order_by(api_tokens.c.id.desc())))


def remove_token(connection: Connection, user_id: str, token_id: str) -> None:
    """Raises NotFound when it is none of this account's."""
    mine = (api_tokens.c.user_id == user_id, api_tokens.c.id == token_id)
    if connection.execute(delete(api_tokens).where(*mine)).rowcount == 0:
        raise NotFound("There is no such token.")
