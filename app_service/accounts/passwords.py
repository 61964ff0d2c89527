"""Passwords as argon2id hashes."""

import secrets
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

from app_service.accounts.guessable import guessable
from portal_wire.errors import TooManyRequests, Unprocessable

SHORTEST = 15  # NIST SP 800-63B-4: 15 where a password is all, 8 beside a second factor
SHORTEST_OF_TWO = 8
# Twice what OWASP asks for at least (its Password Storage Cheat Sheet: 46 MiB, gone over once). RFC 9106's low-memory
# profile, 64 MiB three times, takes twice as long: of a small host's two cores that left too little to all others.
COST = replace(RFC_9106_LOW_MEMORY, memory_cost=46 * 1024, time_cost=2, parallelism=1)  # KiB, passes, lanes
_HASHER = PasswordHasher.from_parameters(COST)
# Each takes 46 MiB and a tenth of a second of a core: a whole shift that signs in at once waits in line.
_PLACES, _PATIENCE_S = threading.BoundedSemaphore(4), 5.0


def hash_password(password: str, *, at_once: bool = False) -> str:
    """The hash to store: salted, with its parameters in it. Raises TooManyRequests as `matches` does; `at_once` where
    there is no place without waiting."""
    with _place(0 if at_once else _PATIENCE_S):
        return _HASHER.hash(password)


def matches(password_hash: str | None, password: str) -> bool:
    """Whether the password is right. With no hash it takes as long as with one of today's cost and says no, so that
    names cannot be probed.

    Raises TooManyRequests where so many are being looked at that this one's turn does not come in time.
    """
    try:
        with _place(_PATIENCE_S):
            _HASHER.verify(password_hash or _nobodys(), password)
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None


def outdated(password_hash: str) -> bool:
    """Whether the hash is of another cost than new ones: its password should be hashed anew once it is known."""
    return _HASHER.check_needs_rehash(password_hash)


def _nobodys() -> str:
    """A hash that no password has, in the form of argon2's reference encoding. To make one up costs nothing; a real
    one took a fifth of the time in which a process of the api starts."""
    salt, digest = (b64encode(secrets.token_bytes(size)).rstrip(b"=").decode() for size in (16, 32))
    cost = f"m={_HASHER.memory_cost},t={_HASHER.time_cost},p={_HASHER.parallelism}"
    return f"$argon2id$v=19${cost}${salt}${digest}"


@contextmanager
def _place(patience_s: float) -> Iterator[None]:
    if not _PLACES.acquire(timeout=patience_s):
        detail = "Many people are signing in. Please try again in a moment."
        raise TooManyRequests(detail, code="many_sign_ins", retry_after_s=2)
    try:
        yield
    finally:
        _PLACES.release()


def require_good(password: str, username: str, *, second_factor: bool) -> None:
    """Length is what counts most (NIST SP 800-63B-4 3.1.1.2). Raises Unprocessable, which says what is wanted."""
    shortest = SHORTEST_OF_TWO if second_factor else SHORTEST
    if len(password) < shortest:
        hint = "" if second_factor else f", or {SHORTEST_OF_TWO} with a second factor"
        raise Unprocessable(f"A password needs {shortest} characters or more{hint}.", code="password_too_short")
    if username.casefold() in password.casefold() or len(set(password)) < 5:
        raise Unprocessable(
            "This password is easy to guess: it holds the account's name, or few different characters.",
            code="password_too_easy",
        )
    if guessable(password):
        raise Unprocessable(
            "This password is among the first that are tried: common ones, also two in a row, and the portal's own "
            "words. A few words that have nothing to do with each other are better.",
            code="password_too_common",
        )


def made_up() -> str:
    """A random password of 20 characters, to be changed by its owner."""
    return secrets.token_urlsafe(15)
