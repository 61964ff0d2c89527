"""Secrets are made once, and only this user can read them."""

from pathlib import Path

import pytest

from launcher import data_dir, processes, secrets


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


@pytest.fixture
def nothing_decided(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("KEY", "KEY_FILE", "KMS_KEY", "URL"):
        monkeypatch.delenv(f"LIGHTBOX_STORE_{name}", raising=False)


@pytest.mark.usefixtures("nothing_decided")
def test_a_new_folders_files_are_sealed_and_an_old_ones_stay_as_they_are(tmp_path: Path) -> None:
    with data_dir.prepare(tmp_path):
        made = secrets.store_key(tmp_path)
        key = Path(made["LIGHTBOX_STORE_KEY_FILE"])
        assert key.parent == tmp_path / "secrets" and len(key.read_text()) >= 32 and key.stat().st_mode & 0o077 == 0
        (tmp_path / "objects" / "keys").mkdir()
        assert secrets.store_key(tmp_path) == made
        key.unlink()  # as a folder from before there was one
        assert secrets.store_key(tmp_path) == {} and not key.exists()


@pytest.mark.usefixtures("nothing_decided")
@pytest.mark.parametrize(("name", "value"), [("KEY", ""), ("KEY_FILE", "x"), ("KMS_KEY", "x"), ("URL", "s3://films")])
def test_whoever_decides_how_files_are_kept_has_decided(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"LIGHTBOX_STORE_{name}", value)
    with data_dir.prepare(tmp_path):
        assert secrets.store_key(tmp_path) == {}
        assert not (tmp_path / "secrets" / "store_key").exists()
