"""Deletes studies that are older than the site keeps them (LIGHTBOX_RETENTION_DAYS), as if their doctors had."""

from datetime import timedelta

from sqlalchemy import select

from app_service.deletion import delete_study
from app_service.parts import Parts
from app_service.running.metrics import RETIRED
from app_service.storage.clock import now
from app_service.storage.database import reading
from app_service.storage.records import studies

A_ROUND = 200  # so that the first round after the setting does not hold up the others


def delete_old(parts: Parts) -> int:
    """One round; returns how many went. The oldest first; nothing at all while the setting is 0."""
    days = parts.settings.retention_days
    if days == 0:
        return 0
    old = select(studies.c.id, studies.c.owner_id).where(studies.c.uploaded_at < now() - timedelta(days=days))
    with reading(parts.engine) as connection:
        rows = connection.execute(old.order_by(studies.c.id).limit(A_ROUND)).all()
    gone = sum(delete_study(parts, row.id, row.owner_id, None, "too_old") for row in rows)
    RETIRED.inc(gone)
    return gone
