"""Bodies that are too large or dishonest end at the edge."""

import time

import pytest

from tests.nginx.conftest import MAX_UPLOAD_BYTES, Edge

HEAD = b"POST /api/v1/studies HTTP/1.1\r\nHost: localhost\r\n"
SMUGGLED = b"GET /v1/smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
DISHONEST = {
    "length and chunks": HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "two lengths": HEAD + b"Content-Length: 3\r\nContent-Length: 43\r\n\r\nabc" + SMUGGLED,
    "length list": HEAD + b"Content-Length: 3, 3\r\n\r\nabc" + SMUGGLED,
    "signed length": HEAD + b"Content-Length: +3\r\n\r\nabc" + SMUGGLED,
    "hidden chunks": HEAD + b"Transfer-Encoding: \x0bchunked\r\nContent-Length: 3\r\n\r\nabc" + SMUGGLED,
    "unknown coding": HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "twice chunked": HEAD + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "old protocol": HEAD.replace(b"1.1", b"1.0") + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "bad chunk": HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n" + SMUGGLED,
    "space before colon": HEAD + b"Content-Length : 3\r\n\r\nabc" + SMUGGLED,
    "null in header": HEAD + b"X-A: a\x00b\r\nContent-Length: 0\r\n\r\n",
}


def test_an_upload_within_the_limit_passes(edge: Edge) -> None:
    answer = edge.ask("POST", "/api/v1/studies", data=b"x" * (MAX_UPLOAD_BYTES - 1))
    assert answer.status_code == 200
    assert edge.app.seen[0].size_bytes == MAX_UPLOAD_BYTES - 1


@pytest.mark.parametrize("path", ["/api/v1/studies", "/uploads"])
def test_an_upload_over_the_limit_is_refused(edge: Edge, path: str) -> None:
    answer = edge.ask("POST", path, data=b"x" * (MAX_UPLOAD_BYTES + 1))
    assert answer.status_code == 413
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert problem == problem | {"status": 413, "code": "too_large", "request_id": answer.headers["X-Request-ID"]}
    assert "2 MiB" in problem["detail"]
    assert (edge.app.seen, edge.ui.seen) == ([], [])


def test_an_upload_over_the_limit_that_names_no_length_is_refused(edge: Edge) -> None:
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    answer = edge.say(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 40 + b"0\r\n\r\n")
    assert answer.split()[1] == b"413"
    assert edge.app.seen == []


def test_a_length_of_4_gb_is_refused_before_any_body(edge: Edge) -> None:
    began = time.monotonic()
    with edge.connect() as connection:
        connection.sendall(HEAD + b"Content-Length: 4294967296\r\n\r\n")
        assert connection.recv(4096).split()[1] == b"413"
    assert time.monotonic() - began < 1


@pytest.mark.parametrize("path", ["/api/v1/sessions", "/sign-in", "/jobs/1/review"])
def test_other_addresses_take_little(edge: Edge, path: str) -> None:
    assert edge.ask("POST", path, data=b"x" * (2**20 + 1)).status_code in (413, 429)
    assert (edge.app.seen, edge.ui.seen) == ([], [])


@pytest.mark.parametrize("kind", DISHONEST)
def test_a_request_with_two_readings_ends_at_the_edge(edge: Edge, kind: str) -> None:
    answer = edge.say(DISHONEST[kind])
    assert answer.split()[1] in (b"400", b"501")
    assert answer.count(b"HTTP/1.1 ") == 1
    assert edge.app.seen == []


LENIENT = {
    "bare line ends": HEAD.replace(b"\r\n", b"\n") + b"Content-Length: 0\n\n",
    "line end in a chunk's extension": HEAD + b"Transfer-Encoding: chunked\r\n\r\n0;a=\nb\r\n\r\n",
}


@pytest.mark.parametrize("kind", LENIENT)
def test_what_the_edge_reads_leniently_it_writes_anew(edge: Edge, kind: str) -> None:
    """RFC 9112 2.2 allows bare line ends. The tier behind gets one request at most, and no reading of its own; newer
    versions of NGINX refuse the second."""
    edge.say(LENIENT[kind] + SMUGGLED)
    assert [(each.path, each.size_bytes) for each in edge.app.seen] in ([], [("/v1/studies", 0)])
    assert not any("transfer-encoding" in each.headers for each in edge.app.seen)


def test_a_slow_upload_holds_no_thread_behind_the_edge(edge: Edge) -> None:
    with edge.connect() as connection:
        connection.sendall(HEAD + b"Content-Length: 6\r\n\r\nabc")
        time.sleep(0.5)
        assert edge.app.seen == []
        connection.sendall(b"def")
        assert connection.recv(4096).split()[1] == b"200"
    assert edge.app.seen[0].size_bytes == 6
