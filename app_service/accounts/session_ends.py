"""Sessions that end by themselves, unused or at their longest. Redis forgets them without a word, so each stands in one
list by the moment at which it may have ended, and the worker looks at those whose moment has come.
"""

import json
import time
from typing import Any, Literal, NamedTuple

import redis

_WATCHED = "lightbox:sessions:watched"
_A_ROUND = 1000
End = Literal["idle", "absolute"]


class Watched(NamedTuple):
    """A session by its key in Redis; `ends` is when it ends however much it is used, in seconds since 1970."""

    key: str
    id: str
    user_id: str
    role: str
    ends: float


def watch(pipeline: Any, session: Watched, at: float) -> None:
    """From its beginning; `at` is when it ends if it is not used."""
    pipeline.zadd(_WATCHED, {json.dumps(session): at})


def forget(pipeline: Any, *sessions: Watched) -> None:
    """Of sessions that somebody ended."""
    if sessions:
        pipeline.zrem(_WATCHED, *[json.dumps(session) for session in sessions])


def ended(client: "redis.Redis") -> list[tuple[Watched, End]]:
    """The sessions that are over. Those that were used meanwhile are looked at again when they may be over."""
    now, over = time.time(), list[tuple[Watched, End]]()
    members: Any = client.zrangebyscore(_WATCHED, 0, now, start=0, num=_A_ROUND)
    for member in members:
        session = Watched(*json.loads(member))
        left_ms: Any = client.pttl(session.key)
        if session.ends <= now:
            over.append((session, "absolute"))
        elif left_ms > 0:
            client.zadd(_WATCHED, {member: min(now + left_ms / 1000, session.ends)}, xx=True)
        else:
            over.append((session, "idle"))
    return over


def take(client: "redis.Redis", session: Watched) -> bool:
    """Whether it is for this process to note the end: several workers look."""
    return bool(client.zrem(_WATCHED, json.dumps(session)))
