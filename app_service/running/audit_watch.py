"""What belongs in the audit though nobody asked for it: sessions that ended by themselves, versions that failed their
checks, a clock that jumped. The worker looks at every round.
"""

import time

from sqlalchemy import Connection

from app_service.accounts import audit
from app_service.accounts.session_ends import End, Watched, ended, take
from app_service.parts import Parts
from app_service.storage.database import writing

JUMP_S = 5.0
_BY_REQUEST = "unloaded"  # an administrator's doing, which has its own row


class AuditWatch:
    """One worker's; what it has noted of versions it notes again after a restart."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._ahead_s = _ahead_s()
        self._unfit: set[tuple[str, str, str]] = set()

    def look(self) -> None:
        """One round."""
        self._clock()
        self._sessions()
        self._versions()

    def _clock(self) -> None:
        """A clock that is set, or a machine that slept: rows before and after are not as far apart as they say."""
        ahead_s = _ahead_s()
        jump_s, self._ahead_s = ahead_s - self._ahead_s, ahead_s
        if abs(jump_s) > JUMP_S:
            with writing(self._parts.engine) as connection:
                audit.record(connection, "clock_jump", None, details={"seconds": round(jump_s)})

    def _sessions(self) -> None:
        for session, how in ended(self._parts.redis):
            with writing(self._parts.engine) as connection:
                if take(self._parts.redis, session):
                    _note_end(connection, session, how)

    def _versions(self) -> None:
        faults = {
            (model.name, version.version, version.not_ready): version.sha256
            for model in self._parts.models.glance()
            for version in model.versions
            if version.not_ready not in (None, _BY_REQUEST)
        }
        for name, version, fault in faults.keys() - self._unfit:
            details = {"model_sha256": faults[name, version, fault], "fault": fault}
            with writing(self._parts.engine) as connection:
                audit.record(connection, "model_unfit", None, f"{name}/{version}", "refused", details=details)
        self._unfit = set(faults)


def _note_end(connection: Connection, session: Watched, how: End) -> None:
    role, session_id = session.role, session.id
    audit.record(connection, "session_ended", session.user_id, session_id, how, role=role, session_id=session_id)


def _ahead_s() -> float:
    return time.time() - time.monotonic()
