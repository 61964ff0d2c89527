"""Against guessing: five wrong passwords in five minutes close an account's sign-in until the window ends.

So do many from one address, for that address: there may be a whole hospital behind it.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import redis

from portal_wire.errors import TooManyRequests

WRONG_ALLOWED = 5
WRONG_ALLOWED_FROM_ADDRESS = 50
SEARCHES_ALLOWED = 10  # that found nothing
UNKNOWN_ALLOWED = 1000  # things that are not there, or not the caller's
WINDOW_S = 300


def begin_attempt(client: "redis.Redis", username: str, address: str | None = None) -> None:
    """Count an attempt before its password is looked at, so that guesses in parallel count too.

    Raises TooManyRequests, with the wait, when there were too many. Unknown names are counted alike.
    """
    limits = {_key(username): WRONG_ALLOWED} | ({_key(address, "from"): WRONG_ALLOWED_FROM_ADDRESS} if address else {})
    pipeline = client.pipeline()
    for key in limits:
        pipeline.incr(key)
        pipeline.expire(key, WINDOW_S, nx=True)
        pipeline.ttl(key)
    said = pipeline.execute()
    waits = [
        wait_s for allowed, count, wait_s in zip(limits.values(), said[::3], said[2::3], strict=True) if count > allowed
    ]
    if waits:
        raise TooManyRequests(
            f"Too many wrong passwords. Please try again in {max(1, -(-max(waits) // 60))} min.",
            code="too_many_sign_ins",
            retry_after_s=max(1, *waits),
        )


@contextmanager
def judging(client: "redis.Redis", username: str, address: str | None = None) -> Iterator[None]:
    """Around the look at a password: one that breaks off, because the database is away, was no guess.

    Else whoever tries again and again during an outage would be locked out after it.
    """
    try:
        yield
    except Exception:
        pipeline = client.pipeline()
        for key in (_key(username), *([_key(address, "from")] if address else ())):
            pipeline.decr(key)
            pipeline.expire(key, WINDOW_S, nx=True)
        pipeline.execute()
        raise


def succeed(client: "redis.Redis", username: str, address: str | None = None) -> None:
    """The password was right: forget the account's wrong ones, and do not count it against the address."""
    client.delete(_key(username))
    if address:
        client.decr(_key(address, "from"))


def begin_search(client: "redis.Redis", user_id: str) -> None:
    """Count a search in an emergency, until it finds something. Raises TooManyRequests when too many found nothing."""
    pipeline = client.pipeline()
    pipeline.incr(_key(user_id, "search"))
    pipeline.expire(_key(user_id, "search"), WINDOW_S, nx=True)
    pipeline.ttl(_key(user_id, "search"))
    count, _, wait_s = pipeline.execute()
    if count > SEARCHES_ALLOWED:
        raise TooManyRequests(
            f"Too many searches found nothing. Please try again in {max(1, -(-wait_s // 60))} min.",
            code="too_many_searches",
            retry_after_s=max(1, wait_s),
        )


def search_found(client: "redis.Redis", user_id: str) -> None:
    """It was no guess."""
    client.decr(_key(user_id, "search"))


def count_unknown(client: "redis.Redis", user_id: str) -> None:
    """Count an id that is unknown to this caller. Raises TooManyRequests for whoever tries one after the other.

    What is the caller's own is still answered: there is nothing to be learnt from it.
    """
    pipeline = client.pipeline()
    pipeline.incr(_key(user_id, "unknown"))
    pipeline.expire(_key(user_id, "unknown"), WINDOW_S, nx=True)
    pipeline.ttl(_key(user_id, "unknown"))
    count, _, wait_s = pipeline.execute()
    if count > UNKNOWN_ALLOWED:
        raise TooManyRequests(
            "Too many things were asked for that are not there. Please try again in some minutes.",
            code="too_many_unknown",
            retry_after_s=max(1, wait_s),
        )


def _key(whom: str, kind: str = "as") -> str:
    return f"lightbox:sign_in:{kind}:{hashlib.sha256(whom.casefold().encode()).hexdigest()}"
