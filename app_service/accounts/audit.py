"""Who did what, when: rows that are only ever added. They name objects by id, never by patient or file name."""

from typing import Literal

from flask import g, has_request_context, request
from sqlalchemy import Connection

from app_service.storage.clock import now
from app_service.storage.database import ACTS
from portal_wire.ids import new_id

Action = Literal[
    "sign_in",
    "sign_out",
    "upload",
    "begin_upload",
    "abandon_upload",
    "view",
    "preview",
    "download",
    "delete",
    "run",
    "cancel",
    "retry",
    "review",
    "correct",
    "undo_correction",
    "activate",
    "shadow",
    "make_available",
    "retire",
    "fit_calibration",
    "use_calibration",
    "use_shipped_values",
    "read_audit",
    "refused",
    "create_user",
    "disable_user",
    "enable_user",
    "change_role",
    "reset_password",
    "change_password",
    "end_session",
    "create_token",
    "revoke_token",
    "add_second_factor",
    "remove_second_factor",
    "use_recovery_code",
    "share",
    "revoke_share",
    "open_share",
    "open_in_emergency",
    "end_emergency",
]


def record(
    connection: Connection, action: Action, actor_id: str | None, object_id: str | None = None, outcome: str = "done"
) -> None:
    """Add a row to the caller's write transaction, so that the deed and its record stand or fall together."""
    values = {"id": new_id(), "at": now(), "actor_id": actor_id, "action": action, "object_id": object_id}
    values |= {"outcome": outcome, "request_id": None, "address": None, "session_id": None}
    if has_request_context():
        values |= {"request_id": g.get("request_id"), "address": caller_address(), "session_id": g.get("session_id")}
    connection.get_execution_options()[ACTS].append(values)


def caller_address() -> str | None:
    """Whence the person's request came. Only the portal's own services call here, and each sets this header anew."""
    return (request.headers.get("X-Forwarded-For") or request.remote_addr or "")[:45] or None
