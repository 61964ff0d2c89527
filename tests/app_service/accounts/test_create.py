"""Making the first accounts."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from app_service.accounts.passwords import hash_password, matches
from app_service.storage.database import open_engine, reading, writing
from app_service.storage.migrate import migrate
from app_service.storage.users import change_user, find_user


def create(database_url: str, password: str) -> subprocess.CompletedProcess[str]:
    settings = {
        "LIGHTBOX_DATABASE_URL": database_url,
        "LIGHTBOX_INTAKE_SOCKET": "/nowhere",
        "LIGHTBOX_ML_SERVICE_TOKEN": "x",
        "LIGHTBOX_APP_SERVICE_TOKEN": "y",
        "LIGHTBOX_DOCTOR_PASSWORD": password,
        "LIGHTBOX_ADMIN_PASSWORD": password,
    }
    command = [sys.executable, "-m", "app_service.accounts.create"]
    return subprocess.run(command, env=os.environ | settings, capture_output=True, text=True, check=True)


def test_given_passwords_are_taken_each_time_and_never_printed(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/test.db"
    migrate(url)
    first, second = create(url, "the first password"), create(url, "another password")
    assert "password" not in first.stdout + first.stderr + second.stdout + second.stderr
    with reading(open_engine(url)) as connection:
        doctor, admin = find_user(connection, "doctor"), find_user(connection, "ADMIN")
    assert doctor and admin and (doctor.role, admin.role) == ("doctor", "admin")
    assert matches(doctor.password_hash, "another password")
    assert not matches(doctor.password_hash, "the first password")


def test_a_password_that_its_owner_chose_stays_until_another_is_given(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/test.db"
    migrate(url)
    create(url, "the first password")
    engine = open_engine(url)
    with writing(engine) as connection:
        doctor = find_user(connection, "doctor")
        assert doctor
        change_user(connection, doctor.id, password_hash=hash_password("chosen by the doctor"))
    for given, holds in (
        ("the first password", "chosen by the doctor"),
        ("for a lost password", "for a lost password"),
    ):
        create(url, given)
        with reading(engine) as connection:
            doctor = find_user(connection, "doctor")
        assert doctor and matches(doctor.password_hash, holds)


def test_a_given_password_is_long_enough(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/test.db"
    migrate(url)
    with pytest.raises(subprocess.CalledProcessError) as refused:
        create(url, "short")
    assert "LIGHTBOX_DOCTOR_PASSWORD: expected 15 characters or more, 5 came." in refused.value.stderr


def test_a_password_that_nobody_gave_is_made_up_and_told_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/test.db"
    migrate(url)
    told = json.loads(create(url, "").stdout)
    assert set(told) == {"doctor", "admin"} and min(map(len, told.values())) >= 16
    assert json.loads(create(url, "").stdout) == {}
    with reading(open_engine(url)) as connection:
        doctor = find_user(connection, "doctor")
    assert doctor and matches(doctor.password_hash, told["doctor"])


def test_passwords_are_stored_as_argon2id() -> None:
    stored = hash_password("secret")
    assert stored.startswith("$argon2id$") and "secret" not in stored
    assert matches(stored, "secret") and not matches(stored, "Secret") and not matches(None, "secret")
