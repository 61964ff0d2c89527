"""A tier that asks its callers for certificates: gunicorn's own options there, LIGHTBOX_TLS_CLIENT at the caller."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
import trustme

from portal_wire.errors import Unauthenticated, Unavailable
from portal_wire.http_client import ServiceClient
from tests.portal_wire.certified import TOKEN

ROOT = Path(__file__).parents[2]
CERT_REQUIRED = "2"  # ssl.CERT_REQUIRED


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Of two authorities: the certificate of the tier, of a caller, and of a stranger's caller."""
    folder = tmp_path_factory.mktemp("certificates")
    ours, theirs = trustme.CA(), trustme.CA()
    made = {
        "tier": ours.issue_cert("localhost"),
        "caller": ours.issue_cert("app"),
        "stranger": theirs.issue_cert("app"),
    }
    paths = {name: folder / f"{name}.pem" for name in (*made, "authority")}
    for name, certificate in made.items():
        certificate.private_key_and_cert_chain_pem.write_to_path(paths[name])
    ours.cert_pem.write_to_path(paths["authority"])
    return {name: str(path) for name, path in paths.items()}


@pytest.fixture(scope="module")
def tier(files: dict[str, str]) -> Iterator[str]:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port = listening.getsockname()[1]
    keys = ["--certfile", files["tier"], "--keyfile", files["tier"]]
    asks = ["--ca-certs", files["authority"], "--cert-reqs", CERT_REQUIRED]
    where = ["--bind", f"127.0.0.1:{port}", "--no-control-socket", "tests.portal_wire.certified:app"]
    server = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "--worker-class", "gthread", *keys, *asks, *where], cwd=ROOT
    )
    address, until = f"https://localhost:{port}", time.monotonic() + 60
    while not answers(address, files):
        assert server.poll() is None and time.monotonic() < until
        time.sleep(0.1)
    yield address
    server.terminate()
    server.wait(30)


def answers(address: str, files: dict[str, str]) -> bool:
    try:
        return requests.get(f"{address}/healthz", verify=files["authority"], cert=files["caller"], timeout=10).ok
    except requests.RequestException:
        return False


@pytest.fixture
def environment(files: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("LIGHTBOX_TLS_AUTHORITY", files["authority"])
    monkeypatch.delenv("LIGHTBOX_TLS_CLIENT", raising=False)
    return monkeypatch


def test_a_caller_with_certificate_and_token_is_answered(
    tier: str, files: dict[str, str], environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("LIGHTBOX_TLS_CLIENT", files["caller"])
    assert ServiceClient(tier, TOKEN).request("GET", "/inner").text == "reached"


@pytest.mark.parametrize("shown", [None, "stranger"])
def test_without_a_certificate_or_with_a_strangers_no_request_gets_in(
    tier: str, files: dict[str, str], environment: pytest.MonkeyPatch, shown: str | None
) -> None:
    """The token alone does not help, and not even the probes answer."""
    if shown:
        environment.setenv("LIGHTBOX_TLS_CLIENT", files[shown])
    for path in ("/inner", "/healthz", "/metrics"):
        with pytest.raises(Unavailable):
            ServiceClient(tier, TOKEN).request("GET", path)
    assert answers(tier, files)  # the tier itself is well


def test_a_certificate_does_not_stand_for_the_token(
    tier: str, files: dict[str, str], environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("LIGHTBOX_TLS_CLIENT", files["caller"])
    for token in ("", TOKEN + "x", "another tier's"):
        with pytest.raises(Unauthenticated):
            ServiceClient(tier, token).request("GET", "/inner")
