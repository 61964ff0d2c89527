"""Keeps the leases of running jobs alive, for all threads of a worker with one statement."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from app_service.domain.job import RENEW_EVERY_S
from app_service.storage import transitions
from app_service.storage.cache import Key
from app_service.storage.database import writing
from portal_wire.errors import Unavailable

_LOG = logging.getLogger("lightbox.worker")


class Leases:
    """The attempts that this process holds."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._held: set[Key] = set()
        self._lock = threading.Lock()

    @contextmanager
    def hold(self, key: Key) -> Iterator[None]:
        """Renew the lease of an attempt for as long as the block runs."""
        with self._lock:
            self._held.add(key)
        try:
            yield
        finally:
            with self._lock:
                self._held.discard(key)

    def keep(self, stop: threading.Event) -> None:
        """Renew until `stop`; a failed round is tried again, the lease outlives two of them."""
        while not stop.wait(RENEW_EVERY_S):
            self.renew()

    def renew(self) -> None:
        """Lengthen every lease held now."""
        with self._lock:
            held = list(self._held)
        if not held:
            return
        try:
            with writing(self._engine) as connection:
                transitions.renew(connection, held)
        except (SQLAlchemyError, Unavailable) as error:
            _LOG.warning("leases_not_renewed", extra={"facts": {"error": type(error).__name__}})
