"""Who is signed in: opaque tokens, of which Redis knows only the SHA-256."""

import hashlib
import json
import secrets
import time
from datetime import UTC, datetime

import redis

from portal_wire.contract import Session, User


def open_session(client: "redis.Redis", user: User, idle_s: int, absolute_s: int) -> Session:
    """A new session with a fresh 32-byte token; it ends after `idle_s` unused and `absolute_s` in any case."""
    token = secrets.token_urlsafe(32)
    ends = time.time() + absolute_s
    client.set(_key(token), json.dumps({"user": user.model_dump(), "ends": ends}), ex=min(idle_s, absolute_s))
    return Session(token=token, expires_at=datetime.fromtimestamp(ends, UTC), user=user)


def find_session(client: "redis.Redis", token: str, idle_s: int, *, used: bool = True) -> User | None:
    """The user of a live session, None for any other token. A look that is no use does not lengthen it."""
    text = client.getex(_key(token), ex=idle_s) if used else client.get(_key(token))
    if not isinstance(text, str):
        return None
    kept = json.loads(text)
    if kept["ends"] <= time.time():
        client.delete(_key(token))
        return None
    return User.model_validate(kept["user"])


def close_session(client: "redis.Redis", token: str) -> None:
    """Sign out: the token is worthless from now on."""
    client.delete(_key(token))


def _key(token: str) -> str:
    return f"lightbox:session:{hashlib.sha256(token.encode()).hexdigest()}"
