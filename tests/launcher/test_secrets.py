"""Secrets are made once, and only this user can read them."""

from pathlib import Path

import pytest

from launcher import secrets


def test_a_secret_stays_the_same_and_is_closed(tmp_path: Path) -> None:
    first = secrets.kept(tmp_path / "one")
    assert secrets.kept(tmp_path / "one") == first != secrets.kept(tmp_path / "two")
    assert len(first) >= 32
    assert (tmp_path / "one").stat().st_mode & 0o777 == 0o600


def test_what_the_environment_sets_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in secrets.NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(f"{name}_FILE", raising=False)
    monkeypatch.setenv(secrets.NAMES[0], "given")
    made = secrets.for_tiers(tmp_path)
    assert list(made) == [f"{name}_FILE" for name in secrets.NAMES[1:]]
    assert all(Path(path).read_text() for path in made.values())
