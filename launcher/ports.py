"""Ports for the inner tiers, and whether the outer ones are free."""

import socket
from contextlib import ExitStack

from launcher.errors import CannotStart


def free(count: int) -> list[int]:
    """`count` different ports of the loopback interface that nobody listens on now."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in sockets]


def require_free(address: str, port: int, variable: str) -> None:
    """Raises CannotStart naming the port and its variable when it cannot be listened on."""
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as NGINX does: TIME_WAIT is no obstacle
        try:
            probe.bind((address, port))
        except OSError as error:
            raise CannotStart(f"port {port} on {address}: {error.strerror}. Choose another with {variable}.") from None
