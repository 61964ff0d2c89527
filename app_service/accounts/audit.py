"""Who did what, when: rows that are only ever added. They name objects by id, never by patient or file name."""

from typing import Literal

from flask import g, has_request_context
from sqlalchemy import Connection, insert

from app_service.storage.clock import now
from app_service.storage.records import audit
from portal_wire.ids import new_id

Action = Literal[
    "sign_in",
    "sign_out",
    "upload",
    "view",
    "download",
    "delete",
    "run",
    "cancel",
    "retry",
    "review",
    "activate",
    "shadow",
    "make_available",
    "retire",
    "fit_calibration",
    "use_calibration",
    "use_shipped_values",
]


_ADD = insert(audit)


def record(
    connection: Connection, action: Action, actor_id: str | None, object_id: str | None = None, outcome: str = "done"
) -> None:
    """Add a row in the caller's transaction, so that the deed and its record stand or fall together."""
    request_id = g.get("request_id") if has_request_context() else None
    values = {"id": new_id(), "at": now(), "actor_id": actor_id, "action": action, "object_id": object_id}
    connection.execute(_ADD, values | {"outcome": outcome, "request_id": request_id})
