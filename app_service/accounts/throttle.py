"""Against guessing: five wrong passwords in five minutes close an account's sign-in until the window ends."""

import hashlib

import redis

from portal_wire.errors import TooManyRequests

WRONG_ALLOWED = 5
WINDOW_S = 300


def begin_attempt(client: "redis.Redis", username: str) -> None:
    """Count an attempt before its password is looked at, so that guesses in parallel count too.

    Raises TooManyRequests, with the wait, when there were too many. Unknown names are counted alike.
    """
    key = _key(username)
    pipeline = client.pipeline()
    pipeline.incr(key)
    pipeline.expire(key, WINDOW_S, nx=True)
    pipeline.ttl(key)
    count, _, wait_s = pipeline.execute()
    if count > WRONG_ALLOWED:
        raise TooManyRequests(
            f"Too many wrong passwords. Please try again in {max(1, -(-wait_s // 60))} min.",
            code="too_many_sign_ins",
            retry_after_s=max(1, wait_s),
        )


def succeed(client: "redis.Redis", username: str) -> None:
    """The password was right: forget the wrong ones."""
    client.delete(_key(username))


def _key(username: str) -> str:
    return f"lightbox:sign_in:{hashlib.sha256(username.casefold().encode()).hexdigest()}"
