"""Which version of each model does what, as SQL has it: at most half a second old, in every process."""

import time
from collections.abc import Iterable, Mapping, Set
from contextlib import suppress

from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError

from app_service.domain.versions import Roles, newest_of
from app_service.storage.database import reading, writing
from app_service.storage.version_roles import add_roles, read_roles
from portal_wire.contract import Model

_FRESH_S = 0.5  # a change takes effect within a second, on whichever host the next job begins


class VersionBook:
    """Safe to share between threads: a race costs one more query."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._roles: dict[str, Roles] = {}
        self._read_at = self._changed_at = float("-inf")

    def roles(self) -> Mapping[str, Roles]:
        """The roles by model."""
        began = time.monotonic()
        if began - self._read_at > _FRESH_S:
            with reading(self._engine) as connection:
                roles = read_roles(connection)
            if began <= self._changed_at:  # something was changed while this was read: it may be older than that
                return roles
            self._roles, self._read_at = roles, began
        return self._roles

    def read_again(self) -> None:
        """The next look goes to SQL: something was changed here."""
        self._changed_at = time.monotonic()
        self._read_at = float("-inf")

    def introduce(self, models: Iterable[Model], ready: Set[tuple[str, str]]) -> None:
        """Models seen for the first time: the newest version that is ready becomes active, and stays so until an
        admin activates another. A model with none that is ready waits. `ready` holds (name, version)."""
        known = self.roles()
        for model in models:
            version = newest_of(model, ready)
            if model.name in known or version is None:
                continue
            with suppress(IntegrityError):  # another process was faster
                with writing(self._engine) as connection:
                    add_roles(connection, model.name, Roles(version))
            self.read_again()
