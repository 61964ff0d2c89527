"""Requests in flight that have a name, so that whoever named one can ask about it or call it off."""

from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager

from ml_service.batcher import Pass
from portal_wire.errors import Conflict, NotFound


class Running:
    """Passes of the network by request id."""

    def __init__(self) -> None:
        self._passes: dict[str, list[Future[Pass]]] = {}

    @contextmanager
    def named(self, name: str | None) -> Iterator[list[Future[Pass]]]:
        """Gives a list for the request's passes and forgets them at the end. Raises Conflict for a name in use."""
        passes: list[Future[Pass]] = []
        if name is None:
            yield passes
            return
        if self._passes.setdefault(name, passes) is not passes:
            raise Conflict("A request with this id is running.", code="id_in_use")
        try:
            yield passes
        finally:
            del self._passes[name]

    def progress(self, name: str) -> float:
        """Returns the share of the request that is done, 0..1. Raises NotFound once it was answered."""
        passes = self._get(name)
        return sum(one.done() for one in passes) / max(1, len(passes))

    def cancel(self, name: str) -> None:
        """Takes what still waits out of the queue; what the network has begun it finishes."""
        for one in self._get(name):
            one.cancel()

    def _get(self, name: str) -> list[Future[Pass]]:
        if name not in self._passes:
            raise NotFound("No request with this id is running.")
        return self._passes[name]
