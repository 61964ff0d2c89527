"""More at once than the portal takes: whoever comes then is told when to come again, before anything breaks."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace

import pytest

from launcher import ports
from launcher.settings import Settings
from tests.nginx.conftest import MAX_UPLOAD_BYTES, Edge, StartEdge

OF_ONE_ADDRESS = 256  # and twice as many in all


@pytest.fixture(scope="module")
def plain(start_edge: StartEdge, settings: Settings) -> Edge:
    """An edge with a port without TLS, where so many connections are soon made."""
    return start_edge(replace(settings, plain_port=ports.free(1)[0]))


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def _ask(edge: Edge, address: str, request: str) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", edge.settings.plain_port or 0), 20, source_address=(address, 0))
    connection.sendall(f"{request} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n".encode())
    return connection


def _crowd(edge: Edge, stack: ExitStack, address: str) -> None:
    """As many uploads as may be under way, each a moment before its first byte, and a few that are refused."""
    for _ in range(OF_ONE_ADDRESS + 8):
        stack.enter_context(_ask(edge, address, "POST /uploads"))
    _until(503, edge, address)  # NGINX has seen all of them


def _until(status: int, edge: Edge, address: str) -> bytes:
    deadline = time.monotonic() + 60
    while f" {status} ".encode() not in (answer := _answer(edge, address, "POST /api/v1/studies")):
        assert time.monotonic() < deadline, answer
        time.sleep(0.02)
    return answer


def _answer(edge: Edge, address: str, request: str) -> bytes:
    with _ask(edge, address, request) as connection:
        connection.sendall(b"0123456789")
        answer = connection.recv(65536)
        while b"\r\n\r\n" not in answer or not answer.split(b"\r\n\r\n", 1)[1]:
            answer += connection.recv(65536)
    return answer


@pytest.mark.parametrize(("addresses", "another"), [(1, "127.0.0.2"), (2, "127.0.0.5")])
def test_who_comes_into_a_crowd_is_told_when_to_come_again(
    plain: Edge, stack: ExitStack, addresses: int, another: str
) -> None:
    for number in range(addresses):
        assert b" 200 " in _answer(plain, f"127.0.0.{2 + number}", "POST /api/v1/studies")
        _crowd(plain, stack, f"127.0.0.{2 + number}")
    head, _, body = _until(503, plain, another).partition(b"\r\n\r\n")
    assert b"Retry-After: 5" in head and b"application/problem+json" in head
    assert b"The portal is starting or very busy. Nothing was lost; please try again in a moment." in body
    assert b" 200 " in _answer(plain, another, "GET /healthz")  # it lives, and says so
    unknown = _answer(plain, another, "GET /readyz")
    assert b" 404 " in unknown and b"application/problem+json" in unknown  # its own words, in a crowd too
    assert b" 200 " in _answer(plain, another, "GET /live")  # pages that are open are not counted
    assert b" 200 " in _answer(plain, another, "GET /api/v1/events")
    if another != "127.0.0.2":  # all are refused: so is an upload by TLS, whose body is still on its way
        large = plain.ask("POST", "/uploads", headers={"HX-Request": "true"}, data=bytes(MAX_UPLOAD_BYTES))
        assert (large.status_code, large.headers["Retry-After"]) == (503, "5")
    stack.close()
    _until(200, plain, another)
