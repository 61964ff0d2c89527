"""What a visitor writes about themselves reaches no tier; what NGINX says about them does."""

import time
from pathlib import Path

import pytest

from tests.nginx.conftest import TOKEN, Edge

FORGED = {
    "X-Service-Token": "forged",
    "X-Forwarded-For": "203.0.113.7",
    "X-Forwarded-Proto": "http",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-User": "admin",
    "X-Forwarded-Prefix": "/evil",
    "X-Real-IP": "203.0.113.7",
    "X-User": "admin",
    "X-Remote-User": "admin",
    "X-Original-URL": "/metrics",
    "X-HTTP-Method-Override": "DELETE",
    "Forwarded": "for=203.0.113.7",
    "Proxy": "http://evil.example",
    "X-Request-ID": "a" * 5000,
}
UNDERSCORED = b"GET /api/v1/me HTTP/1.1\r\nHost: localhost\r\nX_Service_Token: forged\r\nConnection: close\r\n\r\n"


@pytest.mark.parametrize("path", ["/api/v1/me", "/api/v1/sessions", "/api/v1/events", "/", "/sign-in", "/live"])
def test_forged_headers_are_stripped_or_replaced(edge: Edge, path: str) -> None:
    answer = edge.ask("GET", path, headers=FORGED)
    assert answer.status_code == 200
    (seen,) = edge.app.seen if path.startswith("/api/") else edge.ui.seen
    netloc = edge.url.removeprefix("https://")
    says = {name: value for name, value in seen.headers.items() if name in {forged.lower() for forged in FORGED}}
    request_id = says.pop("x-request-id")
    token = {"x-service-token": TOKEN} if path.startswith("/api/") else {}
    assert says == token | {"x-forwarded-for": "127.0.0.1", "x-forwarded-proto": "https", "x-forwarded-host": netloc}
    assert len(request_id) == 32
    assert answer.headers["X-Request-ID"] == request_id
    assert seen.headers["host"] == netloc


def test_a_header_with_underscores_is_no_way_round(edge: Edge) -> None:
    edge.say(UNDERSCORED)
    (seen,) = edge.app.seen
    assert seen.headers["x-service-token"] == TOKEN
    assert "x_service_token" not in seen.headers


def test_cookies_reach_the_pages_and_never_the_api(edge: Edge) -> None:
    for path in ("/api/v1/me", "/"):
        edge.ask("GET", path, headers={"Cookie": "__Host-session=secret", "Authorization": "Bearer abc"})
    assert "cookie" not in edge.app.seen[0].headers
    assert edge.app.seen[0].headers["authorization"] == "Bearer abc"
    assert edge.ui.seen[0].headers["cookie"] == "__Host-session=secret"


def test_each_security_header_stands_once(edge: Edge) -> None:
    headers = edge.ask("GET", "/api/v1/me").raw.headers
    assert headers.getlist("X-Content-Type-Options") == ["nosniff"]
    assert headers.getlist("Strict-Transport-Security") == []  # localhost: it would bind every other server there
    assert "nginx/" not in headers.get("Server", "")


def test_the_log_has_paths_and_nothing_else_of_the_address(edge: Edge) -> None:
    edge.ask("GET", "/studies?q=Doe%5FJohn", headers={"Referer": "https://localhost/?patient=Doe", "User-Agent": "Doe"})
    log = Path(edge.log)
    for _ in range(50):  # NGINX writes the line after it has answered
        if '"uri":"/studies"' in log.read_text():
            break
        time.sleep(0.1)
    assert '"uri":"/studies"' in log.read_text()
    assert "Doe" not in log.read_text()
