"""Hundreds of connections that want nothing but to stay: live pages that nobody reads, and senders that never finish.

They come from an address of their own, as another machine's would: what one address may have open is limited.
"""

import random
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from urllib.parse import urlsplit

from tests.chaos.client import Client
from tests.chaos.fault import Fault
from tests.chaos.site import Site

_CONNECTIONS, _LAST_S, _PAUSE_S = 500, 14.0, 2.0  # between two bytes of a slow sender
_STREAMS = 8  # of one doctor, by default
_FROM = ("127.0.0.2", 0)  # the loopback network is 127.0.0.0/8


def unread(site: Site, chance: random.Random) -> None:
    """Live pages: each asks for the stream of events and reads none of it. A doctor's newest end the oldest."""
    head = f"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: {_signed_in(site)}\r\n"
    head += "Connection: close\r\n\r\n"
    stay = _hold(site, head.encode(), lambda line: None)
    assert 1 <= stay <= _STREAMS, f"{stay} of {_CONNECTIONS} streams were let stay"


def slow_heads(site: Site, chance: random.Random) -> None:
    """A header now and then, and never the empty line (slowloris): NGINX hangs up."""
    stay = _hold(site, b"GET / HTTP/1.1\r\nHost: localhost\r\n", lambda line: line.sendall(b"X-More: 1\r\n"))
    assert stay == 0, f"{stay} of {_CONNECTIONS} were let stay"


def slow_bodies(site: Site, chance: random.Random) -> None:
    """A film of which a byte comes now and then: never slow enough to be hung up on, and no study in the end."""
    head = f"POST /api/v1/studies HTTP/1.1\r\nHost: localhost\r\nAuthorization: {_signed_in(site)}\r\n"
    head += "Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 100000\r\n\r\n"
    _hold(site, head.encode(), lambda line: line.sendall(b"x"))


def _signed_in(site: Site) -> str:
    client = Client(site.portal)
    client.get("/v1/studies")
    return client.authorization


def _hold(site: Site, head: bytes, more: "Callable[[ssl.SSLSocket], None]") -> int:
    """How many of the connections are open in the end."""
    context = ssl.create_default_context(cafile=str(site.portal.authority))
    port = urlsplit(site.portal.url).port or 443
    with ExitStack() as stack:
        lines = list[ssl.SSLSocket]()
        for _ in range(_CONNECTIONS):
            with suppress(OSError):  # refused, or closed at once: that is the portal's right
                plain = stack.enter_context(socket.create_connection(("127.0.0.1", port), 5, source_address=_FROM))
                line = stack.enter_context(context.wrap_socket(plain, server_hostname="localhost"))
                line.sendall(head)
                lines.append(line)
        assert lines, "no connection of the flood came through"
        ends = time.monotonic() + _LAST_S
        while time.monotonic() < ends:
            for line in lines:
                with suppress(OSError):
                    more(line)
            time.sleep(_PAUSE_S)
        return sum(map(_open, lines))


def _open(line: ssl.SSLSocket) -> bool:
    """Reads all that has come: an end of it, or nothing more yet."""
    line.settimeout(0.01)
    try:
        while line.recv(65536):
            pass
    except (TimeoutError, ssl.SSLWantReadError):
        return True
    except OSError:
        return False
    return False


FAULTS = [
    Fault("F31", f"{_CONNECTIONS} live pages that nobody reads, for {_LAST_S:.0f} s", 30, unread),
    Fault("F32h", f"{_CONNECTIONS} clients send a header now and then, for {_LAST_S:.0f} s", 30, slow_heads),
    Fault("F32b", f"{_CONNECTIONS} clients send a byte of a film now and then, for {_LAST_S:.0f} s", 30, slow_bodies),
]
