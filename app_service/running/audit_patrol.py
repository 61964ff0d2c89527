"""Walks along the audit's chain while the portal runs, some rows a round, from the first to the last and again.

A round costs the same however long the chain is: a million rows are walked in under an hour, the last one is looked
for at every round.
"""

import logging
import math
import time

from prometheus_client import Gauge
from sqlalchemy import Engine

from app_service.domain.audit_chain import START, Broken, follow
from app_service.storage.audit_trail import hash_of, head, rows_after
from app_service.storage.database import reading

ROWS_A_ROUND = 1500
_TELL_EVERY_S = 3600
# Of the worker alone: only its module imports this one. Not a number until something has been checked.
INTACT = Gauge(
    "lightbox_app_audit_chain_intact_info",
    "1 while every row of the audit trail follows the one before it, 0 once one does not.",
    multiprocess_mode="livemin",
)
INTACT.set(math.nan)
_LOG = logging.getLogger("lightbox.worker")


class AuditPatrol:
    """One walker; what it found wrong stays wrong until a whole walk finds nothing."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._at = self._last = START
        self._intact = True  # as far as this walk has come
        self._told = -math.inf

    def go_on(self) -> None:
        """One round."""
        try:
            self._walk()
        except Broken as broken:
            if self._intact:
                _LOG.error("audit_chain_broken", extra={"facts": {"row": broken.seq}})
            self._at, self._intact = START, False
            INTACT.set(0)

    def _walk(self) -> None:
        with reading(self._engine) as connection:
            if hash_of(connection, self._last.seq) != self._last.hash:
                raise Broken(self._last.seq, "is gone")
            self._last = head(connection)
            self._at = follow(rows_after(connection, self._at.seq, ROWS_A_ROUND), self._at)
        if self._at.seq >= self._last.seq:
            self._at, self._intact = START, True
        if self._intact:
            INTACT.set(1)
            self._tell()

    def _tell(self) -> None:
        """The last link goes into the logs, which are kept elsewhere: `verify --holds` compares."""
        if time.monotonic() - self._told >= _TELL_EVERY_S:
            self._told = time.monotonic()
            _LOG.info("audit_head", extra={"facts": {"row": self._last.seq, "hash": self._last.hash}})
