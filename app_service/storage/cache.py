"""Finished answers in Redis, by job and attempt: such a pair never changes, so a cached one is never stale."""

from collections.abc import Sequence

import redis
from prometheus_client import Counter
from pydantic import BaseModel

from portal_wire.contract import Artifact, Result

# As long as pages that wait for it ask again and again; whoever comes later reads SQL, and Redis, which must never be
# full, does not hold a day's answers of a kilobyte each.
_KEPT_S = 600
_READS = Counter("lightbox_app_result_cache_reads_total", "Finished results asked for, by cache outcome.", ["outcome"])

Key = tuple[str, int]


class Answer(BaseModel):
    """What one attempt of a job brought."""

    result: Result
    artifacts: list[Artifact]


def fill(client: "redis.Redis", key: Key, answer: Answer) -> None:
    """Keep an answer that is committed; without Redis it is simply read from SQL."""
    try:
        client.set(_name(key), answer.model_dump_json(), ex=_KEPT_S)
    except redis.RedisError:
        return


def find(client: "redis.Redis", keys: Sequence[Key]) -> dict[Key, Answer]:
    """The answers that the cache has; it may lack any, and has none while Redis is away."""
    if not keys:
        return {}
    try:
        texts = client.mget([_name(key) for key in keys])
    except redis.RedisError:
        texts = [None] * len(keys)
    found = {key: Answer.model_validate_json(text) for key, text in zip(keys, texts, strict=True) if text}
    _READS.labels("hit").inc(len(found))
    _READS.labels("miss").inc(len(keys) - len(found))
    return found


def forget(client: "redis.Redis", keys: Sequence[Key]) -> None:
    """Remove the answers of a deleted study."""
    if keys:
        client.delete(*[_name(key) for key in keys])


def _name(key: Key) -> str:
    return f"lightbox:answer:{key[0]}:{key[1]}"
