"""API tokens: what a program shows in place of a session. Each may do less than its account, until a day."""

import hashlib
import secrets
from typing import Literal, get_args

from sqlalchemy import Engine

from app_service.accounts.sessions import SignedIn
from app_service.storage.api_tokens import is_stale, live_token, note_use
from app_service.storage.database import reading, writing
from portal_wire.contract import User

Scope = Literal["studies:read", "studies:write", "status:read"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
# What a token of an account may be given: an administrator's sees no images either.
OFFERED: dict[str, tuple[Scope, ...]] = {
    "doctor": ("studies:read", "studies:write"),
    "service": SCOPES,
    "admin": ("status:read",),
    "ops": ("status:read",),
}
_PREFIX = "lbx_"  # so that scanners of source code and logs know one


def new_token() -> str:
    """32 random bytes as text."""
    return _PREFIX + secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """What is kept of it."""
    return hashlib.sha256(token.encode()).hexdigest()


def find_token(engine: Engine, token: str, *, used: bool = True) -> SignedIn | None:
    """Whose token it is and what it may do; None for any other text."""
    if not token.startswith(_PREFIX):
        return None
    with reading(engine) as connection:
        row = live_token(connection, token_hash(token))
    if row is None:
        return None
    if used and is_stale(row.last_used_at):
        with writing(engine) as connection:
            note_use(connection, row.id)
    user = User(id=row.user_id, username=row.username, role=row.role)
    offered = OFFERED[row.role]  # the role may have changed since
    return SignedIn(row.id, user, 0.0, 0.0, scopes=tuple(scope for scope in row.scopes if scope in offered))
