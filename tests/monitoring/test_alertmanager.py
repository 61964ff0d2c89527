"""A real Alertmanager with our routes: who is told of what, by a real mail and a real webhook."""

import json
import queue
import re
import socketserver
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import requests

from launcher import ports
from tests.monitoring.exporters import MONITORING, program

Told = "queue.Queue[tuple[str, str]]"


class Mail(socketserver.StreamRequestHandler):
    """As much of SMTP (RFC 5321) as it takes to receive a message."""

    def handle(self) -> None:
        self.say("220 here")
        for line in iter(lambda: self.rfile.readline().decode().strip(), ""):
            word = line[:4].upper()
            if word == "QUIT":
                return self.say("221 bye")
            if word == "DATA":
                self.say("354 go on")
                text = "".join(iter(lambda: self.rfile.readline().decode(), ".\r\n"))
                self.server.told.put(("mail", text))  # type: ignore[attr-defined]
            self.say("250 well")
        return None

    def say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


class Hook(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.told.put((self.path, body))  # type: ignore[attr-defined]
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def told() -> Iterator["tuple[Told, int, int]"]:
    """What arrives, and the ports of the mail server and the webhook."""
    arrived: Told = queue.Queue()
    servers = [socketserver.ThreadingTCPServer(("127.0.0.1", 0), Mail), HTTPServer(("127.0.0.1", 0), Hook)]
    for server in servers:
        server.told = arrived  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
    yield arrived, *(int(server.server_address[1]) for server in servers)
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def alertmanager(told: "tuple[Told, int, int]", tmp_path: Path) -> Iterator[str]:
    """Our configuration with the addresses of the receivers here, and in a hurry."""
    _, mail, hook = told
    text = (MONITORING / "alertmanager.yml").read_text()
    text = text.replace("127.0.0.1:25 ", f"127.0.0.1:{mail} ").replace("127.0.0.1:9094", f"127.0.0.1:{hook}")
    text = re.sub(r"group_(wait|interval): \S+", r"group_\1: 1s", text)
    configuration, port = tmp_path / "alertmanager.yml", ports.free(1)[0]
    configuration.write_text(text)
    command = [program("prometheus-alertmanager", "prometheus-alertmanager"), f"--config.file={configuration}"]
    command += [
        f"--storage.path={tmp_path}/data",
        "--cluster.listen-address=",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"
    for _ in range(200):
        try:
            requests.get(f"{url}/-/ready", timeout=2)
            break
        except requests.ConnectionError:
            time.sleep(0.1)
    yield url
    process.terminate()
    process.wait(10)


def fire(url: str, *alerts: tuple[str, str]) -> None:
    body = [{"labels": {"alertname": name, "severity": severity}} for name, severity in alerts]
    assert requests.post(f"{url}/api/v2/alerts", json=body, timeout=5).ok


def gathered(arrived: Told, count: int) -> dict[str, str]:
    """`count` messages: where each came in, with its text."""
    return dict(arrived.get(timeout=60) for _ in range(count))


def test_a_page_goes_out_by_webhook_and_mail(told: "tuple[Told, int, int]", alertmanager: str) -> None:
    fire(alertmanager, ("RedisDown", "page"))
    found = gathered(told[0], 2)
    assert json.loads(found["/alerts"])["alerts"][0]["labels"]["alertname"] == "RedisDown"
    assert "RedisDown" in found["mail"] and "To: root@localhost" in found["mail"]


def test_a_ticket_goes_out_by_mail_alone_and_the_heartbeat_by_its_own_hook(
    told: "tuple[Told, int, int]", alertmanager: str
) -> None:
    fire(alertmanager, ("DeadLetters", "ticket"), ("Watchdog", "none"))
    found = gathered(told[0], 2)
    assert set(found) == {"mail", "/heartbeat"}
    assert "DeadLetters" in found["mail"] and "Watchdog" in found["/heartbeat"]


def test_who_hears_that_a_tier_is_down_need_not_hear_what_follows(
    told: "tuple[Told, int, int]", alertmanager: str
) -> None:
    fire(alertmanager, ("TierDown", "page"), ("QueueOld", "page"), ("StoreFilling", "page"))
    messages = [told[0].get(timeout=60) for _ in range(4)]
    names = {json.loads(text)["alerts"][0]["labels"]["alertname"] for where, text in messages if where == "/alerts"}
    assert names == {"TierDown", "StoreFilling"}
