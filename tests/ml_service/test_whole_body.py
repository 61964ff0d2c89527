"""Bodies read from a real connection, between what gunicorn reads before them and after."""

import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Request
from gunicorn.config import Config
from gunicorn.http.parser import RequestParser
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge
from werkzeug.test import EnvironBuilder

from ml_service.whole_body import whole_body

BODY = bytes(range(256)) * 4000  # 1 MB: more than a connection holds, so it comes in many parts
Ends = tuple[socket.socket, socket.socket]


@pytest.fixture
def ends() -> Iterator[Ends]:
    """The caller's end and the server's."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        caller = socket.create_connection(listening.getsockname())
        server, _ = listening.accept()
    with caller, server:
        yield caller, server


def head(length: int | None, path: str = "/") -> bytes:
    size = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
    return f"POST {path} HTTP/1.1\r\nHost: here\r\n{size}\r\n\r\n".encode()


def send(caller: socket.socket, data: bytes, leave: bool = False) -> None:
    def work() -> None:
        caller.sendall(data)
        if leave:
            caller.shutdown(socket.SHUT_WR)

    threading.Thread(target=work, daemon=True).start()


def parsed(server: socket.socket) -> Any:
    return RequestParser(Config(), server, ("127.0.0.1", 1))


def as_flask_sees(message: Any, server: socket.socket) -> Request:
    environ = EnvironBuilder(method="POST").get_environ()
    environ |= {"wsgi.input": message.body, "wsgi.input_terminated": True, "gunicorn.socket": server}
    environ["CONTENT_LENGTH"] = dict(message.headers).get("CONTENT-LENGTH", "")
    return Request(environ)


def test_the_next_request_of_a_caller_that_does_not_wait_is_kept(ends: Ends) -> None:
    caller, server = ends
    send(caller, head(len(BODY)) + BODY + head(3, "/next") + b"end")
    parser = parsed(server)
    assert whole_body(as_flask_sees(next(parser), server)) == BODY
    assert parser.finish_body()
    following = next(parser)
    assert (following.path, whole_body(as_flask_sees(following, server))) == ("/next", b"end")


def test_a_body_that_came_with_its_head_leaves_what_follows(ends: Ends) -> None:
    caller, server = ends
    caller.sendall(head(2) + b"ab" + head(0, "/next"))
    parser = parsed(server)
    assert whole_body(as_flask_sees(next(parser), server)) == b"ab"
    assert next(parser).path == "/next"


def test_a_body_in_chunks_is_read_as_ever(ends: Ends) -> None:
    caller, server = ends
    send(caller, head(None) + b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
    assert whole_body(as_flask_sees(next(parsed(server)), server)) == b"abcde"


def test_a_caller_that_leaves_half_way_ends_the_connection(ends: Ends) -> None:
    caller, server = ends
    send(caller, head(len(BODY)) + BODY[:-1], leave=True)
    parser = parsed(server)
    with pytest.raises(ClientDisconnected):
        whole_body(as_flask_sees(next(parser), server))
    assert not parser.finish_body()


def test_nothing_is_received_of_a_body_that_is_too_large(ends: Ends) -> None:
    caller, server = ends
    caller.sendall(head(len(BODY)))
    request = as_flask_sees(next(parsed(server)), server)
    request.max_content_length = len(BODY) - 1
    with pytest.raises(RequestEntityTooLarge):
        whole_body(request)


def test_another_server_than_gunicorn_is_read_by_werkzeug() -> None:
    assert whole_body(Request(EnvironBuilder(method="POST", data=b"abc").get_environ())) == b"abc"
