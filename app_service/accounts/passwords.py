"""Passwords as argon2id hashes, with the library's recommended cost (RFC 9106, low-memory profile)."""

import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

from portal_wire.errors import Unprocessable

SHORTEST = 15  # NIST SP 800-63B-4: 15 where a password is all, 8 beside a second factor
SHORTEST_OF_TWO = 8
_HASHER = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)
_NOBODY = _HASHER.hash("no account has this hash")


def hash_password(password: str) -> str:
    """The hash to store: salted, with its parameters in it."""
    return _HASHER.hash(password)


def matches(password_hash: str | None, password: str) -> bool:
    """Whether the password is right. With no hash it takes as long and says no, so that names cannot be probed."""
    try:
        _HASHER.verify(password_hash or _NOBODY, password)
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None


def require_good(password: str, username: str, *, second_factor: bool) -> None:
    """Length is what counts (NIST SP 800-63B-4 3.1.1.2). Raises Unprocessable, which says what is wanted."""
    shortest = SHORTEST_OF_TWO if second_factor else SHORTEST
    if len(password) < shortest:
        hint = "" if second_factor else f", or {SHORTEST_OF_TWO} with a second factor"
        raise Unprocessable(f"A password needs {shortest} characters or more{hint}.", code="password_too_short")
    if username.casefold() in password.casefold() or len(set(password)) < 5:
        raise Unprocessable(
            "This password is easy to guess: it holds the account's name, or few different characters.",
            code="password_too_easy",
        )


def made_up() -> str:
    """A random password of 20 characters, to be changed by its owner."""
    return secrets.token_urlsafe(15)
