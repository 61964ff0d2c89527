"""Starts and ends of App's processes in the audit, and settings that are others than at the last start.

A database that is away keeps no process from starting: the line in the log is then all there is.
"""

import hashlib
import hmac
import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from app_service.accounts import audit
from app_service.parts import Parts
from app_service.storage.audit_list import last_details
from app_service.storage.database import writing
from portal_wire.errors import Unavailable

Service = Literal["app", "worker"]
_LOG = logging.getLogger("lightbox.audit")
_FILE = "_FILE"
# A portal on one machine draws its inner ports anew at each start. That a service moved to another machine is told.
_INNER_PORT = re.compile(rb"(127\.0\.0\.1|localhost|\[::1\]):\d+")
_DRAWN = ("LIGHTBOX_WORKER_PORT",)


def note_start(parts: Parts, service: Service) -> None:
    """Note that a process of this service began, and which settings changed since the last one did."""
    with _may_fail("start"), writing(parts.engine) as connection:
        audit.record(connection, "start", None, service)
        _note_settings(connection, service, marks(parts.settings.account_key))


def note_stop(parts: Parts, service: Service) -> None:
    """Note that it ends because it was told to; one that is killed has no such row."""
    with _may_fail("stop"), writing(parts.engine) as connection:
        audit.record(connection, "stop", None, service)


def marks(key: str) -> dict[str, str]:
    """A mark for each setting in the environment, by its name: equal for equal values, and telling none of them."""
    found = {name: os.environ[name] for name in sorted(os.environ) if name.startswith("LIGHTBOX") and os.environ[name]}
    for name in _DRAWN:
        found.pop(name, None)
    return {name.removesuffix(_FILE): _mark(key, name, value) for name, value in found.items()}


def _mark(key: str, name: str, value: str) -> str:
    file = Path(value)
    told = file.read_bytes() if name.endswith(_FILE) and file.is_file() else value.encode()
    told = _INNER_PORT.sub(rb"\1", told)
    return hmac.new(key.encode(), name.encode() + b"\0" + told, hashlib.sha256).hexdigest()[:16]


def _note_settings(connection: Connection, service: Service, now: dict[str, str]) -> None:
    before = last_details(connection, "configure", service)
    known: dict[str, str] = (before or {}).get("marks", {})
    changed = sorted(name for name in now.keys() | known.keys() if now.get(name) != known.get(name))
    if changed or before is None:
        outcome = "first" if before is None else "changed"
        audit.record(connection, "configure", None, service, outcome, details={"changed": changed, "marks": now})


@contextmanager
def _may_fail(what: str) -> Iterator[None]:
    try:
        yield
    except (SQLAlchemyError, Unavailable, OSError) as error:
        _LOG.error("not_audited", extra={"facts": {"of": what, "error": type(error).__name__}})
