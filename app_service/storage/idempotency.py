"""Answers that are given again to a request that is sent again with the same Idempotency-Key.

The key is stored in the transaction that stores the study: of twenty equal requests at once one commits, and the
others find its answer. A request that died leaves no key behind. A deleted study leaves the key without the answer: a
request that a cut line held up, and that comes to after the deletion, must not bring the study back.
"""

from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Text, cast, delete, insert, select, update

from app_service.storage.clock import now
from app_service.storage.records import idempotency
from portal_wire.errors import Conflict, Unprocessable

KEPT = timedelta(hours=24)


def recall(connection: Connection, user_id: str, key: str, fingerprint: str) -> dict[str, Any] | None:
    """The answer that was given under this key. Raises Unprocessable when it was given to another request, and
    Conflict when what it tells of was deleted since."""
    mine = (idempotency.c.user_id == user_id) & (idempotency.c.key == key)
    row = connection.execute(select(idempotency.c.fingerprint, idempotency.c.answer).where(mine)).first()
    if row is None:
        return None
    if row.fingerprint != fingerprint:
        raise Unprocessable(
            "This Idempotency-Key was used for another request. Please use a new key for new files.",
            code="idempotency_key_reused",
        )
    if not row.answer:
        raise Conflict(
            "What came of this very upload was deleted since. To have it again, upload it as a new one.",
            code="was_deleted",
        )
    answer: dict[str, Any] = row.answer
    return answer


def remember(connection: Connection, user_id: str, key: str, fingerprint: str, answer: dict[str, Any]) -> None:
    """Keep the answer. Raises sqlalchemy's IntegrityError when another request came first."""
    values = {"user_id": user_id, "key": key, "fingerprint": fingerprint, "answer": answer, "created_at": now()}
    connection.execute(insert(idempotency).values(values))


def forget(connection: Connection, user_id: str, study_id: str) -> None:
    """Empty the answers that tell of a study: it is being deleted."""
    told = cast(idempotency.c.answer, Text).contains(study_id)
    connection.execute(update(idempotency).where(idempotency.c.user_id == user_id, told).values(answer={}))


def expire(connection: Connection) -> None:
    """Remove keys that are older than a day."""
    connection.execute(delete(idempotency).where(idempotency.c.created_at < now() - KEPT))
