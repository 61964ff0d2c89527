"""Readiness: waits, says for what, and names the tier that did not come."""

import http.server
import threading
from collections.abc import Iterator

import pytest

from launcher import ports, ready
from launcher.ready import Announcement


class Answers(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        well = self.path == "/readyz"
        body = b"{}" if well else b'{"dependencies":{"model":"is loading","store":null}}'
        self.send_response(200 if well else 503)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def url() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_all_ready(url: str) -> None:
    assert ready.wait(Announcement({"ui": f"{url}/readyz"}, "", 5, "")) == {}


def test_the_ones_that_are_not_are_named_with_their_reason(
    url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ready, "_TELL_FIRST_S", 0.3)
    silent = f"http://127.0.0.1:{ports.free(1)[0]}/readyz"
    urls = {"ui": f"{url}/readyz", "ml": f"{url}/slow", "app": silent}
    assert ready.wait(Announcement(urls, "", 1, "")) == {"ml": "model: is loading", "app": "no answer"}
    assert "Waiting for ml, app" in capsys.readouterr().out
