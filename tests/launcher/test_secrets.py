"""Secrets are made once, and only this user can read them."""

from pathlib import Path

import pytest

from launcher import processes, secrets


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


def test_the_key_of_second_factors_is_told_to_app_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (name,) = secrets.OF_APP
    for each in (name, f"{name}_FILE"):
        monkeypatch.delenv(each, raising=False)
    assert list(secrets.for_app(tmp_path)) == [f"{name}_FILE"]
    assert f"{name}_FILE" not in secrets.for_tiers(tmp_path)
    monkeypatch.setenv(name, "given")
    assert secrets.for_app(tmp_path) == {name: "given"}
    others = processes.environment(processes.Process("ui", []), tmp_path)
    assert name not in others and f"{name}_FILE" not in others
