"""How far running attempts are, in Redis: it may be lost at any time, and is told anew half a second later."""

from collections.abc import Sequence

import redis
from redis.client import Pipeline

from app_service.storage.cache import Key

_KEPT_S = 60


def keep(pipeline: Pipeline, key: Key, share: float) -> None:
    """Keep the share, 0..1, of an attempt that is done."""
    pipeline.set(_name(key), share, ex=_KEPT_S)


def find(client: "redis.Redis", keys: Sequence[Key]) -> dict[Key, float]:
    """The shares that are known; none while Redis is away."""
    if not keys:
        return {}
    try:
        texts = client.mget([_name(key) for key in keys])
    except redis.RedisError:
        return {}
    return {key: float(text) for key, text in zip(keys, texts, strict=True) if text}


def _name(key: Key) -> str:
    return f"lightbox:progress:{key[0]}:{key[1]}"
