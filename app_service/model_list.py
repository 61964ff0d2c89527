"""The served models as last seen: asked for at most twice a minute, remembered while the ML tier is away.

Once they are known nobody waits for the ML tier: who comes when they are old gets them as they are, and a thread of its
own asks anew. A tier that hangs would else hold every upload and every page for its whole time limit.

The ML tier says which versions there are; which of them answers is decided here (`version_book.py`).
"""

import threading
import time
from collections.abc import Callable, Mapping

from app_service.domain.versions import Roles, in_roles
from app_service.ml_client import Served
from app_service.version_book import VersionBook
from portal_wire.contract import Model
from portal_wire.errors import NotFound, PortalError, Unavailable

_FRESH_S = 30.0
_SOON_S = 2.0
_NEVER = float("-inf")


class ModelList:
    """Safe to share between threads."""

    def __init__(self, ask: Callable[[], Served], book: VersionBook) -> None:
        self._ask = ask
        self._book = book
        self._lock = threading.Lock()
        self._models: list[Model] = []
        self._asked_at = _NEVER
        self._shown: tuple[list[Model], Mapping[str, Roles], list[Model]] = ([], {}, [])

    def all(self) -> list[Model]:
        """Every model. Raises Unavailable when the ML tier has not answered even once."""
        if not self._models or self._asked_at == _NEVER:
            self._refresh()
        else:
            self.glance()
        if not self._models:
            raise Unavailable("The models are not ready yet. Please try again shortly.", retry_after_s=2)
        models, roles, shown = self._shown
        if models is not self._models or roles != self._book.roles():
            models, roles = self._models, self._book.roles()
            shown = in_roles(models, roles)
            self._shown = (models, roles, shown)
        return shown

    def ask_again(self) -> None:
        """Ask the ML tier anew at the next look, which waits for the answer."""
        self._asked_at = _NEVER

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

    def seen(self, name: str) -> Model:
        """The model of this name as last seen, however long ago: what a model is for does not change. Asks only for
        one never seen. Raises NotFound."""
        for model in self._models:
            if model.name == name:
                return model
        self.ask_again()
        return self.one(name)

    def glance(self) -> list[Model]:
        """Every model as last seen, or none; waits for nobody. When that was long ago a thread of its own asks anew."""
        if self._old() and not self._lock.locked():
            threading.Thread(target=self._refresh, name="models", daemon=True).start()
        return self._models

    def sha256(self, name: str, version: str) -> str | None:
        """The hash of a version as last seen, if it was; asks nobody."""
        return next(
            (
                one.sha256
                for model in self._models
                if model.name == name
                for one in model.versions
                if one.version == version
            ),
            None,
        )

    def _old(self) -> bool:
        return time.monotonic() - self._asked_at > _FRESH_S

    def _refresh(self) -> None:
        # One thread asks; while something is known, the others go on with that.
        if not self._lock.acquire(blocking=not self._models):
            return
        try:
            if self._old() or not self._models:
                served = self._ask()
                self._book.introduce(served.models, served.ready)
                self._models = served.models
                complete = all(model.name in self._book.roles() for model in served.models)
                self._asked_at = time.monotonic() - (0 if complete else _FRESH_S - _SOON_S)
        except PortalError:
            self._asked_at = time.monotonic() - _FRESH_S + _SOON_S
        finally:
            self._lock.release()
