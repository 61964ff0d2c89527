"""The driver's connections: several addresses, and the last used first, as a browser does.

aiohttp takes the longest unused first (`BaseConnector._get`): none of many is then ever idle long enough to be closed,
and what five times the load opened would stay open for good.
"""

import socket
import ssl

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.client_reqrep import ConnectionKey

ADDRESSES = tuple(f"127.0.0.{number}" for number in range(2, 6))
_IDLE_S = 20


class _LastUsedFirst(aiohttp.TCPConnector):
    def _release(self, key: ConnectionKey, protocol: ResponseHandler, *, should_close: bool = False) -> None:
        waiting = self._conns[key]
        before = len(waiting)
        super()._release(key, protocol, should_close=should_close)
        if len(waiting) > before:
            waiting.rotate(1)  # it was put last, and the first is taken


def session_from(address: str, authority: str, timeout: aiohttp.ClientTimeout) -> aiohttp.ClientSession:
    """Returns a session whose connections come from `address`; whose portal is known by the file `authority`."""
    connector = _LastUsedFirst(
        limit=0,
        local_addr=(address, 0),
        family=socket.AF_INET,
        ssl=ssl.create_default_context(cafile=authority),
        keepalive_timeout=_IDLE_S,
    )
    return aiohttp.ClientSession(connector=connector, timeout=timeout, cookie_jar=aiohttp.DummyCookieJar())
