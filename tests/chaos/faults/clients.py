"""Clients hang up amid an upload, or send the same one twenty times at once."""

import random
import socket
import ssl
import uuid
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from tests.chaos.client import Client
from tests.chaos.fault import Fault
from tests.chaos.films import films
from tests.chaos.site import Site

_SHARES = (0.01, 0.5, 0.99)
_AT_ONCE = 20
_FORM = (
    b'--x\r\nContent-Disposition: form-data; name="file"; filename="film.jpg"\r\nContent-Type: image/jpeg\r\n\r\n%b'
    b"\r\n--x--\r\n"
)


def hang_up(site: Site, chance: random.Random) -> None:
    """After so much of the body. None of them becomes a study: the ledger would find one too many."""
    client, address = Client(site.portal), urlsplit(site.portal.url)
    client.get("/v1/studies")
    context = ssl.create_default_context(cafile=str(site.portal.authority))
    for share in _SHARES:
        body = _FORM % films()[chance.randrange(len(films()))]
        head = f"POST /api/v1/studies HTTP/1.1\r\nHost: {address.netloc}\r\nAuthorization: {client.authorization}\r\n"
        head += f"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: {len(body)}\r\n\r\n"
        with (
            socket.create_connection(("127.0.0.1", address.port or 443), 10) as line,
            context.wrap_socket(line, server_hostname="localhost") as safe,
        ):
            safe.sendall(head.encode() + body[: int(len(body) * share)])


def twenty_at_once(site: Site, chance: random.Random) -> None:
    """The same film with the same key: one study."""
    client, headers = Client(site.portal), {"Idempotency-Key": uuid.uuid4().hex}
    client.get("/v1/studies")
    film = films()[0]

    def send(_: int) -> str:
        files = {"file": ("film.jpg", film)}
        return str(client.send("POST", "/v1/studies", headers=headers, files=files).json()["studies"][0]["id"])

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        (study_id,) = set(pool.map(send, range(_AT_ONCE)))
    client.send("DELETE", f"/v1/studies/{study_id}")


FAULTS = [
    Fault("F25", f"one upload is sent {_AT_ONCE} times at once", 10, twenty_at_once),
    Fault("F30", "clients hang up after 1, 50 and 99 % of a film", 10, hang_up),
]
