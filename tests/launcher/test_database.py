"""Tables and first accounts, made by App's own commands."""

from pathlib import Path

import pytest

from launcher import database
from launcher.errors import CannotStart


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What App is told; nobody has set a password."""
    for name in ("LIGHTBOX_DOCTOR_PASSWORD", "LIGHTBOX_ADMIN_PASSWORD"):
        monkeypatch.delenv(name, raising=False)
    return {
        "LIGHTBOX_DATABASE_URL": f"sqlite:///{tmp_path}/lightbox.db",
        "LIGHTBOX_INTAKE_SOCKET": str(tmp_path / "intake.sock"),
        "LIGHTBOX_APP_SERVICE_TOKEN": "a",
        "LIGHTBOX_ML_SERVICE_TOKEN": "b",
    }


def test_passwords_are_made_up_once(told: dict[str, str]) -> None:
    database.migrate(told)
    first = database.make_accounts(told)
    assert sorted(first) == ["admin", "doctor"]
    assert len(set(first.values())) == 2
    assert database.make_accounts(told) == {}


def test_a_password_that_is_given_is_taken_and_not_made_up(told: dict[str, str]) -> None:
    database.migrate(told)
    database.make_accounts(told)
    assert database.make_accounts(told | {"LIGHTBOX_DOCTOR_PASSWORD": "another-password"}) == {}


def test_a_database_that_cannot_be_opened_is_one_line(told: dict[str, str]) -> None:
    told["LIGHTBOX_DATABASE_URL"] = "postgresql://nobody@127.0.0.1:1/nothing"
    with pytest.raises(CannotStart) as raised:
        database.migrate(told)
    assert "OperationalError: " in str(raised.value)
    assert "\n" not in str(raised.value)
