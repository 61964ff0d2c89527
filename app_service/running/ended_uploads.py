"""Throws away uploads straight to the bucket that nobody completed in time, and what came after they were judged."""

from app_service.parts import Parts
from app_service.storage.database import reading, writing
from app_service.storage.direct_uploads import DIRECT, ended, remove_uploads

A_ROUND = 50


def clear_ended(parts: Parts) -> None:
    """One round. The bytes go first: after a crash in between the next round finds the row again."""
    with reading(parts.engine) as connection:
        over = ended(connection, A_ROUND)
    for upload_id in over:
        parts.store.delete_prefix(f"{DIRECT}/{upload_id}")
    if over:
        with writing(parts.engine) as connection:
            remove_uploads(connection, over)
