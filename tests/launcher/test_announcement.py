"""What the person at the terminal reads: new passwords once, never one that they gave."""

from dataclasses import replace
from pathlib import Path

import pytest

from launcher.announcement import announcement
from launcher.settings import Settings, from_environment


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    return replace(from_environment(), data_dir=tmp_path, doctor_password=None, admin_password=None)


def test_a_password_that_was_made_up_is_shown(settings: Settings) -> None:
    text = announcement(settings, {"doctor": "made-up"}, settings.data_dir / "tls" / "ca.pem")
    assert "doctor  made-up   (shown only this once)" in text
    assert "admin   the password set earlier (set LIGHTBOX_ADMIN_PASSWORD for a new one)" in text
    assert settings.public_origin in text


def test_a_password_that_was_given_is_not_repeated(settings: Settings) -> None:
    given = replace(settings, doctor_password="given-by-hand")
    text = announcement(given, {}, settings.data_dir / "tls" / "ca.pem")
    assert "given-by-hand" not in text
    assert "the password in LIGHTBOX_DOCTOR_PASSWORD" in text
