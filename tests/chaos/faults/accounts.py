"""An account is disabled while its doctor's film is on its way in."""

import random
import socket
import ssl
import uuid
from typing import Any
from urllib.parse import urlsplit

import requests
from sqlalchemy import func, select

from app_service.storage.database import reading
from app_service.storage.records import studies
from tests.chaos.fault import Fault
from tests.chaos.films import films
from tests.chaos.site import Site

_FORM = (
    b'--x\r\nContent-Disposition: form-data; name="file"; filename="film.jpg"\r\nContent-Type: image/jpeg\r\n\r\n%b'
    b"\r\n--x--\r\n"
)


def disabled(site: Site, chance: random.Random) -> None:
    """Half of the film has come by then. The rest is refused, and nothing is kept of it."""
    admin = _signed_in(site, "admin", site.portal.admin_password)
    name, password = f"locum-{uuid.uuid4().hex[:8]}", uuid.uuid4().hex
    made = _ask(site, admin, "POST", "/v1/users", json={"username": name, "role": "doctor"})
    locum = _signed_in(site, name, made["password"])
    locum = _ask(site, locum, "PUT", "/v1/me/password", json={"current": made["password"], "new": password})["token"]
    body, user_id = _FORM % films()[0], made["account"]["id"]
    head = f"POST /api/v1/studies HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {locum}\r\n"
    head += f"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    context = ssl.create_default_context(cafile=str(site.portal.authority))
    with (
        socket.create_connection(("127.0.0.1", urlsplit(site.portal.url).port or 443), 10) as line,
        context.wrap_socket(line, server_hostname="localhost") as safe,
    ):
        safe.settimeout(30)
        safe.sendall(head.encode() + body[: len(body) // 2])
        _ask(site, admin, "PATCH", f"/v1/users/{user_id}", json={"disabled": True})
        safe.sendall(body[len(body) // 2 :])
        told = safe.recv(65536)
    assert b" 401 " in told.split(b"\r\n")[0], told[:100]
    engine = site.engine()
    with reading(engine) as connection:
        kept = connection.execute(select(func.count()).where(studies.c.owner_id == user_id)).scalar_one()
    engine.dispose()
    assert kept == 0, f"{kept} studies of it are kept"


def _signed_in(site: Site, username: str, password: str) -> str:
    return str(_ask(site, "", "POST", "/v1/sessions", json={"username": username, "password": password})["token"])


def _ask(site: Site, token: str, method: str, path: str, json: dict[str, Any]) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    address, trusted = f"{site.portal.url}/api{path}", str(site.portal.authority)
    answer = requests.request(method, address, json=json, headers=headers, verify=trusted, timeout=30)
    assert answer.ok, f"{method} {path}: {answer.text}"
    return dict(answer.json())


FAULTS = [Fault("F29", "an account is disabled while its film comes in", 10, disabled)]
