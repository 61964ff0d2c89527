"""The calling end: one pooled HTTP client per service behind, that raises the errors of `portal_wire.errors`."""

import logging
import os
import socket
from collections.abc import Mapping
from contextvars import ContextVar
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection

from portal_wire.errors import Unavailable, from_problem

# Connections that stay open unused; a busy moment's are closed after it, which the library would log each time as text.
_SPARE = 8
logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)
# Set by http_server for each request, so that one id follows a request through every tier.
current_request_id: ContextVar[str | None] = ContextVar("current_request_id", default=None)


class Kept(HTTPAdapter):
    """Finds out in a minute that the other end is gone (RFC 9293, 3.8.4), however long an answer may take."""

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        kept = [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)]
        for option, value in (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3)):
            kept += [(socket.IPPROTO_TCP, getattr(socket, option), value)] if hasattr(socket, option) else []
        super().init_poolmanager(*args, socket_options=[*HTTPConnection.default_socket_options, *kept], **options)


class ServiceClient:
    """Calls one service. Safe to share between threads: it keeps no cookies and no per-call state."""

    def __init__(self, base_url: str, service_token: str, timeout_s: float = 30.0) -> None:
        self._base_url = base_url
        self._timeout_s = timeout_s
        self._session = requests.Session()
        self._session.headers["X-Service-Token"] = service_token
        self._session.trust_env = False  # inner calls never go through a proxy
        self._session.verify = os.environ.get("LIGHTBOX_TLS_AUTHORITY") or True
        self._session.cert = os.environ.get("LIGHTBOX_TLS_CLIENT")  # one file: certificate and key
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        # No retries here: only the caller knows whether its call may be repeated.
        self._session.mount(base_url, Kept(pool_maxsize=_SPARE))

    def request(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        timeout_s: float | None = None,
        **options: Any,
    ) -> requests.Response:
        """The answer, with a status below 400.

        `options` go to requests (json, data, params, stream, …). Connecting may take 2 s, each read `timeout_s`.
        Raises the PortalError that the service answered, or Unavailable when it cannot be reached in time.
        """
        sent = dict(headers or {})
        if request_id := current_request_id.get():
            sent.setdefault("X-Request-ID", request_id)
        try:
            url, wait = self._base_url + path, (2.0, timeout_s or self._timeout_s)
            response = self._session.request(method, url, headers=sent, timeout=wait, allow_redirects=False, **options)
        except requests.RequestException as error:
            raise Unavailable("A service behind this one does not answer.", retry_after_s=2) from error
        if response.status_code >= 400:
            raise from_problem(response.status_code, _json_or_none(response), response.headers)
        return response


def _json_or_none(response: requests.Response) -> object:
    try:
        return response.json()
    except ValueError:
        return None
    finally:
        response.close()
