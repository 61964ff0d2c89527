"""The edge of a container: NGINX before tiers elsewhere, and without TLS behind a cloud's own."""

import subprocess
import time
from pathlib import Path

import pytest
import requests

from launcher.edge import prepare
from launcher.settings import from_environment
from portal_wire.env import SettingsError
from tests.conftest import free_port


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    ports = {"LIGHTBOX_HTTPS_PORT": str(free_port()), "LIGHTBOX_PLAIN_PORT": str(free_port())}
    told = ports | {
        "LIGHTBOX_DATA_DIR": str(tmp_path),
        "LIGHTBOX_PUBLIC_ORIGIN": "https://portal.example",
        "LIGHTBOX_UI_URL": "http://127.0.0.1:1",
        "LIGHTBOX_APP_URL": "http://127.0.0.2:5000",
        "LIGHTBOX_APP_SERVICE_TOKEN": "t" * 32,
    }
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    return told


def test_tiers_are_where_the_environment_says(told: dict[str, str], tmp_path: Path) -> None:
    prepare(from_environment())
    written = (tmp_path / "nginx" / "http" / "upstreams.conf").read_text(encoding="utf-8")
    assert "server 127.0.0.1:1 " in written and "server 127.0.0.2:5000 " in written


def test_a_missing_tier_is_named(told: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LIGHTBOX_APP_URL")
    with pytest.raises(SettingsError, match="LIGHTBOX_APP_URL"):
        prepare(from_environment())


def test_a_certificate_that_is_given_is_used(
    told: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIGHTBOX_TLS_CHAIN", "/run/tls/tls.crt")
    monkeypatch.setenv("LIGHTBOX_TLS_KEY", "/run/tls/tls.key")
    prepare(from_environment())
    assert "/run/tls/tls.key" in (tmp_path / "nginx" / "http" / "tls.conf").read_text(encoding="utf-8")


def test_behind_a_clouds_tls_the_portal_answers_to_its_own_name_only(told: dict[str, str]) -> None:
    nginx = subprocess.Popen(prepare(from_environment()), stdout=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{told['LIGHTBOX_PLAIN_PORT']}/healthz"
    try:
        assert status(url, "portal.example") == 200
        assert status(url, "other.example") == 421
    finally:
        nginx.terminate()
        nginx.wait(10)


def status(url: str, host: str) -> int:
    for _ in range(100):
        try:
            return requests.get(url, headers={"Host": host}, timeout=5).status_code
        except requests.ConnectionError:
            time.sleep(0.1)
    raise AssertionError("NGINX did not answer")
