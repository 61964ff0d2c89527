"""Who is signed in: opaque tokens, of which Redis knows only the SHA-256, and each account's list of them."""

import hashlib
import json
import secrets
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import redis

from app_service.accounts import session_ends
from app_service.accounts.session_ends import Watched
from app_service.storage.events import rouse
from portal_wire.contract import Session, User
from portal_wire.ids import new_id


@dataclass(frozen=True)
class SignedIn:
    """A live session. `limited`: the password is temporary, so there is nothing to do before it is changed.

    With `scopes` it is an API token, which may do no more than these.
    """

    id: str
    user: User
    began: float
    ends: float
    address: str | None = None
    limited: bool = False
    scopes: tuple[str, ...] | None = None


def open_session(
    client: "redis.Redis",
    user: User,
    idle_s: int,
    absolute_s: int,
    *,
    address: str | None = None,
    limited: bool = False,
) -> Session:
    """A new session with a fresh 32-byte token; it ends after `idle_s` unused and `absolute_s` in any case."""
    token, began = secrets.token_urlsafe(32), time.time()
    opened = SignedIn(new_id(), user, began, began + absolute_s, address, limited)
    pipeline, mine = client.pipeline(), _list(user.id)
    pipeline.set(_key(token), _text(opened), ex=min(idle_s, absolute_s))
    session_ends.watch(pipeline, _watched(_key(token), opened), began + min(idle_s, absolute_s))
    pipeline.zadd(mine, {_key(token): opened.ends})
    pipeline.zremrangebyscore(mine, 0, began)
    pipeline.expire(mine, absolute_s)
    pipeline.execute()
    return Session(token=token, expires_at=datetime.fromtimestamp(opened.ends, UTC), user=user)


def find_session(client: "redis.Redis", token: str, idle_s: int, *, used: bool = True) -> SignedIn | None:
    """A live session, None for any other token. A look that is no use does not lengthen it."""
    text = client.getex(_key(token), ex=idle_s) if used else client.get(_key(token))
    found = _read(text)
    if found is not None and found.ends <= time.time():
        client.delete(_key(token))
        return None
    return found


def sessions_of(client: "redis.Redis", user_id: str) -> list[SignedIn]:
    """An account's live sessions, the newest first."""
    keys: Any = client.zrange(_list(user_id), 0, -1)
    texts: Any = client.mget(keys) if keys else []
    found = [one for text in texts if (one := _read(text)) and one.ends > time.time()]
    return sorted(found, key=lambda one: one.began, reverse=True)


def close_session(client: "redis.Redis", token: str) -> None:
    """Sign out: the token is worthless from now on."""
    opened, pipeline = _read(client.get(_key(token))), client.pipeline()
    pipeline.delete(_key(token))
    if opened is not None:
        session_ends.forget(pipeline, _watched(_key(token), opened))
    pipeline.execute()


def close_sessions(client: "redis.Redis", user_id: str, session_id: str | None = None) -> int:
    """End an account's sessions, or one of them, with their open pages; returns how many there were."""
    keys: Any = client.zrange(_list(user_id), 0, -1)
    texts: Any = client.mget(keys) if keys else []
    found = [(key, opened) for key, text in zip(keys, texts, strict=True) if (opened := _read(text))]
    meant = [(key, opened) for key, opened in found if session_id in (None, opened.id)]
    if meant:
        pipeline = client.pipeline()
        pipeline.delete(*[key for key, _ in meant])
        session_ends.forget(pipeline, *[_watched(key, opened) for key, opened in meant])
        pipeline.execute()
    rouse(client, user_id)
    return len(meant)


def _watched(key: str, opened: SignedIn) -> Watched:
    return Watched(key, opened.id, opened.user.id, opened.user.role, opened.ends)


def _text(opened: SignedIn) -> str:
    return json.dumps(asdict(opened) | {"user": opened.user.model_dump()})


def _read(text: Any) -> SignedIn | None:
    if not isinstance(text, str):
        return None
    kept = json.loads(text)
    return SignedIn(**kept | {"user": User.model_validate(kept["user"])}) if "id" in kept else None


def _key(token: str) -> str:
    return f"lightbox:session:{hashlib.sha256(token.encode()).hexdigest()}"


def _list(user_id: str) -> str:
    return f"lightbox:sessions:{user_id}"
