"""The served models as last seen: asked for at most twice a minute, remembered while the ML tier is away."""

import threading
import time
from collections.abc import Callable

from portal_wire.contract import Model
from portal_wire.errors import NotFound, PortalError, Unavailable

_FRESH_S = 30.0


class ModelList:
    """Safe to share between threads."""

    def __init__(self, ask: Callable[[], list[Model]]) -> None:
        self._ask = ask
        self._lock = threading.Lock()
        self._models: list[Model] = []
        self._asked_at = float("-inf")

    def all(self) -> list[Model]:
        """Every model. Raises Unavailable when the ML tier has not answered even once."""
        if time.monotonic() - self._asked_at > _FRESH_S or not self._models:
            self._refresh()
        if not self._models:
            raise Unavailable("The models are not ready yet. Please try again shortly.", retry_after_s=2)
        return self._models

    def known(self) -> list[Model]:
        """Every model, or none while nothing is known of them; never raises."""
        try:
            return self.all()
        except Unavailable:
            return []

    def one(self, name: str) -> Model:
        """The model of this name. Raises NotFound."""
        for model in self.all():
            if model.name == name:
                return model
        raise NotFound("There is no such model.")

    def _refresh(self) -> None:
        # One thread asks; while something is known, the others go on with that.
        if not self._lock.acquire(blocking=not self._models):
            return
        try:
            if time.monotonic() - self._asked_at > _FRESH_S or not self._models:
                self._models = self._ask()
                self._asked_at = time.monotonic()
        except PortalError:
            self._asked_at = time.monotonic() - _FRESH_S + 2.0
        finally:
            self._lock.release()
