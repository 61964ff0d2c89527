"""Who answers what."""

import time

import pytest

from tests.nginx.conftest import Edge

INSIDE_ONLY = ["/metrics", "/readyz", "/api/metrics", "/api/readyz", "/api/healthz", "/metrics/", "/api//metrics"]
DISGUISED = ["/api/./metrics", "/api/x/../metrics", "/api/%6detrics", "/%6Detrics", "//metrics", "/.git/config"]


@pytest.mark.parametrize("path", INSIDE_ONLY + DISGUISED)
def test_probes_of_the_inside_stay_inside(edge: Edge, path: str) -> None:
    answer = edge.ask("GET", path)
    assert answer.status_code == 404
    assert (edge.app.seen, edge.ui.seen) == ([], [])


def test_the_edge_says_that_it_lives(edge: Edge) -> None:
    assert edge.ask("GET", "/healthz").json() == {"status": "alive"}


def test_the_api_goes_to_app_without_its_prefix(edge: Edge) -> None:
    edge.ask("PUT", "/api/v1/jobs/1/review?x=1", data=b"{}")
    assert [(seen.method, seen.path) for seen in edge.app.seen] == [("PUT", "/v1/jobs/1/review?x=1")]


def test_everything_else_goes_to_ui(edge: Edge) -> None:
    edge.ask("GET", "/studies?cursor=x")
    assert [(seen.method, seen.path) for seen in edge.ui.seen] == [("GET", "/studies?cursor=x")]


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "", "localhost@evil.example"])
def test_a_foreign_host_is_turned_away(edge: Edge, host: str) -> None:
    answer = edge.say(f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
    assert answer.split()[1] in (b"421", b"400")
    assert (edge.app.seen, edge.ui.seen) == ([], [])


def test_an_absolute_address_counts_more_than_the_host_header(edge: Edge) -> None:
    answer = edge.say(b"GET https://evil.example/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert answer.split()[1] == b"421"


def test_pages_live_under_one_name_and_the_api_under_all(edge: Edge) -> None:
    other = {"Host": f"127.0.0.1:{edge.settings.https_port}"}
    page = edge.ask("GET", "/studies?x=1", headers=other)
    assert (page.status_code, page.headers["Location"]) == (308, f"{edge.url}/studies?x=1")
    assert edge.ask("GET", "/api/v1/me", headers=other).status_code == 200


@pytest.mark.parametrize("path", ["/live", "/studies/0190-ab/live", "/api/v1/events"])
def test_live_events_arrive_as_they_happen(edge: Edge, path: str) -> None:
    with edge.connect() as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        began = time.monotonic()
        while b"data:" not in connection.recv(65536):
            pass
        assert time.monotonic() - began < 0.8  # the stub sends its second event after 1 s


def test_static_files_come_from_the_disk(edge: Edge) -> None:
    assert edge.ask("GET", "/static/nothing.css").status_code == 404
    assert edge.ui.seen == []


@pytest.mark.parametrize("path", ["/static/../settings.py", "/static/%2e%2e/settings.py", "/static/./../settings.py"])
def test_nothing_beside_the_static_files_is_served(edge: Edge, path: str) -> None:
    edge.ask("GET", path)
    assert len(edge.ui.seen) == 1  # resolved first, and then it is no static address: UI answers, not the disk


def test_sign_in_is_limited_and_its_page_is_not(edge: Edge) -> None:
    attempts = [edge.ask("POST", "/sign-in", data=b"x") for _ in range(30)]
    refused = [answer for answer in attempts if answer.status_code == 429]
    assert refused
    assert refused[0].headers["Content-Type"] == "application/problem+json"
    assert refused[0].headers["Retry-After"] == "5"
    assert edge.ask("GET", "/sign-in").status_code == 200
    ways = [("POST", path) for path in ("/api/v1/sessions", "/api/v1/directory", "/api/v1/directory/sessions")]
    ways += [("GET", path) for path in ("/directory", "/directory/return?state=a&code=b")]
    for method, path in ways:  # one count for all; one attempt a second is let through
        answers = {edge.ask(method, path, data=b"{}" if method == "POST" else None).status_code for _ in range(5)}
        assert 429 in answers, path
