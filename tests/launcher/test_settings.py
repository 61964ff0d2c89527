"""What `make run` reads from the environment."""

import os

import pytest

from launcher.settings import REPOSITORY, from_environment
from portal_wire.env import SettingsError


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("LIGHTBOX_")]:
        monkeypatch.delenv(name)


def test_without_any_setting_everything_has_a_value() -> None:
    settings = from_environment()
    assert settings.public_origin == "https://localhost:8443"
    assert settings.data_dir == REPOSITORY / "var"
    assert (settings.redis_url, settings.database_url, settings.doctor_password, settings.http_port) == (None,) * 4
    assert settings.host_names[:2] == ("localhost", "127.0.0.1")


def test_the_public_name_comes_first_and_each_name_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIGHTBOX_PUBLIC_ORIGIN", "https://films.hospital.example")
    names = from_environment().host_names
    assert names[0] == "films.hospital.example"
    assert len(names) == len(set(names))


def test_one_that_binds_to_all_is_reached_on_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIGHTBOX_BIND_ADDRESS", "0.0.0.0")
    assert from_environment().edge_host == "127.0.0.1"


@pytest.mark.parametrize(
    ("name", "value"),
    [("LIGHTBOX_HTTPS_PORT", "web"), ("LIGHTBOX_HTTPS_PORT", "70000"), ("LIGHTBOX_PUBLIC_ORIGIN", "http://x")],
)
def test_a_wrong_value_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=name):
        from_environment()
