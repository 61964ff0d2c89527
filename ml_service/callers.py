"""Notices callers that have gone: what they asked for is called off, so that it costs the network nothing."""

import select
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from ml_service.running import Passes

# Closed by the other side, or half-closed: no HTTP client that waits for an answer does that.
_GONE = select.EPOLLRDHUP | select.EPOLLHUP | select.EPOLLERR


class Callers:
    """The connections of requests in flight, watched by one thread that sleeps until one is closed."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._passes: dict[int, Passes] = {}
        threading.Thread(target=self._watch, name="callers", daemon=True).start()

    @contextmanager
    def watched(self, environ: Mapping[str, Any], passes: Passes) -> Iterator[None]:
        """Calls `passes` off when the request's connection closes before the block ends.

        A server that does not give the connection (`gunicorn.socket`, `werkzeug.socket`) is not watched.
        """
        connection = environ.get("gunicorn.socket") or environ.get("werkzeug.socket")
        if not isinstance(connection, socket.socket):
            yield
            return
        number = connection.fileno()
        self._passes[number] = passes
        self._epoll.register(number, _GONE | select.EPOLLONESHOT)
        try:
            yield
        finally:
            self._passes.pop(number, None)
            with suppress(OSError):  # closed meanwhile: it has left by itself
                self._epoll.unregister(number)

    def _watch(self) -> None:
        while True:
            for number, _ in self._epoll.poll():
                passes = self._passes.get(number)
                if passes is not None and _closed(number):
                    passes.call_off()


def _closed(number: int) -> bool:
    """Asks again: between the event and now the number may have passed to another connection."""
    asked = select.poll()
    asked.register(number, select.POLLRDHUP)
    return bool(asked.poll(0))
