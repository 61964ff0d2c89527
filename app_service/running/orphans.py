"""Clears away what lies in the store and belongs to no row: left by a process that died between files and rows.

Also by a commit of which nobody heard whether it took place: then the files wait here until it is certain.
"""

import logging
import time
from uuid import UUID

from sqlalchemy import Column, select

from app_service.parts import Parts
from app_service.running.metrics import RECONCILED
from app_service.storage.database import reading
from app_service.storage.direct_uploads import DIRECT
from app_service.storage.records import direct_uploads, jobs, studies

_LOG = logging.getLogger("lightbox.worker")
SWEEP_EVERY_S = 3600.0
KEPT_S = 24 * 3600.0  # an upload that is still on its way has files and no row
MOST = 100  # more than crashes leave; after the restore of an old database these are perhaps the only copies
_AT_A_TIME = 500
_OWNERS: dict[str, Column[str]] = {"studies": studies.c.id, "jobs": jobs.c.id, DIRECT: direct_uploads.c.id}


def sweep(parts: Parts, kept_s: float = KEPT_S) -> None:
    """Deletes files of studies, jobs and direct uploads that SQL does not know and whose id is older than `kept_s`
    seconds.

    More than MOST are left for a person to judge, and a line in the log says so.
    """
    for prefix, column in _OWNERS.items():
        found = _unknown(parts, prefix, column, kept_s)
        if len(found) > MOST:
            _LOG.error("store_has_orphans", extra={"facts": {"of": prefix, "count": len(found)}})
            continue
        for name in found:
            parts.store.delete_prefix(f"{prefix}/{name}")
            RECONCILED.labels("orphaned").inc()


def _unknown(parts: Parts, prefix: str, column: Column[str], kept_s: float) -> list[str]:
    old = [name for name in parts.store.names(prefix) if _age_s(name) >= kept_s]
    found = []
    for start in range(0, len(old), _AT_A_TIME):
        some = old[start : start + _AT_A_TIME]
        with reading(parts.engine) as connection:
            known = set(connection.execute(select(column).where(column.in_(some))).scalars())
        found += [name for name in some if name not in known]
    return found


def _age_s(name: str) -> float:
    """By the time that is in an id (UUIDv7, RFC 9562 §5.7); of anything else -1: it is not ours to delete."""
    try:
        made = UUID(name)
    except ValueError:
        return -1.0
    return time.time() - (made.int >> 80) / 1000 if made.version == 7 else -1.0
