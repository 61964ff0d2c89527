"""Who did what, when: rows that are only ever added. They name objects by id, never by patient or file name."""

from typing import Any, Literal

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
    "list",
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
    "session_ended",  # by itself: unused, or at its longest
    "limited",  # a 429, once in a while for each limit and person
    "commit",  # a job's answer
    "fence",  # an answer that came when the job was no longer its attempt's
    "break_off",  # an attempt
    "fail",  # a job, for good
    "model_unfit",
    "start",
    "stop",
    "configure",  # settings are others than at the last start
    "clock_jump",
    "back_up",
    "restore",
]


def record(
    connection: Connection,
    action: Action,
    actor_id: str | None,
    object_id: str | None = None,
    outcome: str = "done",
    *,
    role: str | None = None,
    session_id: str | None = None,
    details: dict[str, Any] | None = None,
) -> None:
    """Add a row to the caller's write transaction, so that the deed and its record stand or fall together.

    `role` and `session_id` are those of the request unless given. `details` are numbers, hashes and our own words, as
    JSON has them: nothing that came from outside.
    """
    values = {"id": new_id(), "at": now(), "actor_id": actor_id, "action": action, "object_id": object_id}
    values |= {"outcome": outcome, "request_id": None, "address": None, "session_id": session_id, "role": role}
    values |= {"details": details}
    if has_request_context():
        values |= {"request_id": g.get("request_id"), "address": caller_address()}
        values |= {"session_id": session_id or g.get("session_id"), "role": role or _role(actor_id)}
    connection.get_execution_options()[ACTS].append(values)


def _role(actor_id: str | None) -> str | None:
    """The role of who acts, where that is the caller, or the account that somebody signs in to (`g.account`)."""
    caller, account = g.get("caller"), g.get("account")
    known = [caller.user] if caller else [account] if account else []
    return next((str(one.role) for one in known if one.id == actor_id), None)


def caller_address() -> str | None:
    """Whence the person's request came. Only the portal's own services call here, and each sets this header anew."""
    return (request.headers.get("X-Forwarded-For") or request.remote_addr or "")[:45] or None
