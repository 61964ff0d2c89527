"""Typed readers of LIGHTBOX_* variables: a bad value stops the start and names the variable.

Messages state the shape of what came ("7 characters"), never the value: it may be a secret.
"""

import os
from pathlib import Path
from urllib.parse import urlsplit


class SettingsError(ValueError):
    """A setting is missing or wrong. The text names the variable and what was expected."""


def text(name: str, default: str | None = None) -> str:
    """The variable's text, or `default`. Raises SettingsError when neither is there."""
    value = os.environ.get(name) or default
    if value is None:
        raise SettingsError(f"{name} is not set: expected a text.")
    return value


def integer(name: str, default: int, minimum: int = 0, maximum: int = 2**63 - 1) -> int:
    """A whole number between `minimum` and `maximum`, both included."""
    return int(_bounded(name, str(default), minimum, maximum, int))


def number(name: str, default: float, minimum: float = 0.0, maximum: float = 1e12) -> float:
    """A decimal number between `minimum` and `maximum`, both included."""
    return _bounded(name, str(default), minimum, maximum, float)


def url(name: str, default: str | None = None, schemes: tuple[str, ...] = ("http", "https")) -> str:
    """A URL with one of `schemes`, without a trailing slash; from NAME_FILE too, because it may hold a password."""
    value = secret(name, default)
    if urlsplit(value).scheme not in schemes:
        raise SettingsError(f"{name}: expected a URL with {' or '.join(schemes)}, {len(value)} characters came.")
    return value.rstrip("/")


def secret(name: str, default: str | None = None) -> str:
    """A secret from NAME, or from the file that NAME_FILE names (its last line break is dropped)."""
    path = os.environ.get(f"{name}_FILE")
    if path is None:
        return text(name, default)
    try:
        return Path(path).read_text(encoding="utf-8").rstrip("\n")
    except OSError as error:
        raise SettingsError(f"{name}_FILE: the file it names cannot be read ({error.strerror}).") from None


def names(name: str, default: str = "") -> tuple[str, ...]:
    """Words separated by commas; an empty text gives none."""
    return tuple(word.strip() for word in os.environ.get(name, default).split(",") if word.strip())


def _bounded(name: str, default: str, minimum: float, maximum: float, kind: type[int] | type[float]) -> float:
    value = text(name, default)
    try:
        parsed = kind(value)
    except ValueError:
        raise SettingsError(f"{name}: expected a number, {len(value)} characters came.") from None
    if not minimum <= parsed <= maximum:
        raise SettingsError(f"{name}: expected {minimum} to {maximum}, {parsed} came.")
    return parsed
