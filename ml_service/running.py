"""Requests in flight: what they asked of a network, so that it can be called off; by name for who gave them one."""

from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager

from ml_service.batcher import Pass
from portal_wire.errors import Conflict, NotFound


class Passes(list["Future[Pass]"]):
    """One request's passes of a network. Once called off, what is added later is called off as well."""

    def __init__(self) -> None:
        super().__init__()
        self._off = False

    def append(self, one: "Future[Pass]") -> None:
        super().append(one)
        if self._off:
            one.cancel()

    def go_on(self) -> None:
        """Raises Conflict once the request was called off: what begins late asks before it begins."""
        if self._off:
            raise Conflict("This request was called off.", code="cancelled")

    def call_off(self) -> None:
        """Takes what still waits out of the queue; what the network has begun it finishes."""
        self._off = True
        for one in list(self):
            one.cancel()


class Running:
    """Passes of the network by request id."""

    def __init__(self) -> None:
        self._passes: dict[str, Passes] = {}

    @contextmanager
    def named(self, name: str | None) -> Iterator[Passes]:
        """Gives a list for the request's passes and forgets them at the end. Raises Conflict for a name in use."""
        passes = Passes()
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
        """Calls the request off. Raises NotFound once it was answered."""
        self._get(name).call_off()

    def _get(self, name: str) -> Passes:
        if name not in self._passes:
            raise NotFound("No request with this id is running.")
        return self._passes[name]
