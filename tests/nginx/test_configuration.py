"""The configuration is one that every NGINX here takes, without a warning."""

import socket
import ssl
import subprocess
from dataclasses import replace

import pytest
import requests

from launcher import ports
from launcher.settings import Settings
from tests.nginx.conftest import Edge, StartEdge


def test_nginx_finds_nothing_to_say_about_it(edge: Edge) -> None:
    checked = subprocess.run([*edge.command, "-t"], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    assert "warn" not in checked.stderr
    assert "alert" not in checked.stderr


def test_only_this_user_can_read_the_rendered_files(edge: Edge) -> None:
    files = list((edge.settings.data_dir / "nginx").rglob("*.conf"))
    assert files
    assert not [file for file in files if file.stat().st_mode & 0o077]


def test_it_speaks_http2_and_modern_tls(edge: Edge) -> None:
    context = ssl.create_default_context(cafile=str(edge.authority))
    context.set_alpn_protocols(["h2", "http/1.1"])
    plain = socket.create_connection(("127.0.0.1", edge.settings.https_port), 5)
    with context.wrap_socket(plain, server_hostname="localhost") as connection:
        assert connection.selected_alpn_protocol() == "h2"
        assert connection.version() == "TLSv1.3"


def test_it_refuses_tls_1_1(edge: Edge) -> None:
    with pytest.warns(DeprecationWarning), pytest.raises(ssl.SSLError):
        edge.connect(minimum_version=ssl.TLSVersion.TLSv1_1, maximum_version=ssl.TLSVersion.TLSv1_1).close()


def test_plain_http_leads_to_https(start_edge: StartEdge, settings: Settings) -> None:
    http_port = ports.free(1)[0]
    edge = start_edge(replace(settings, http_port=http_port))
    answer = requests.get(f"http://localhost:{http_port}/studies?x=1", allow_redirects=False, timeout=5)
    assert (answer.status_code, answer.headers["Location"]) == (308, f"{edge.settings.public_origin}/studies?x=1")


def test_http_spoken_to_the_https_port_leads_there_too(edge: Edge) -> None:
    port = edge.settings.https_port
    answer = requests.get(f"http://localhost:{port}/", allow_redirects=False, timeout=5)
    assert (answer.status_code, answer.headers["Location"]) == (308, f"https://localhost:{port}/")
