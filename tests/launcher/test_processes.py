"""What each process is told."""

from pathlib import Path

import pytest

from launcher.processes import Process, environment, tiers

PORTS = {"ml": 1, "app": 2, "worker": 3, "ui": 4}
APP_SIDE = {"LIGHTBOX_DATABASE_URL": "sqlite:///x", "LIGHTBOX_INTAKE_SOCKET": "/tmp/intake.sock"}


def told(folder: Path) -> dict[str, dict[str, str]]:
    return {each.name: environment(each, folder) for each in tiers(PORTS, "127.0.0.1:5", APP_SIDE)}


def test_the_database_and_the_passwords_reach_app_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIGHTBOX_DATABASE_URL", "postgresql://user:secret@host/name")
    monkeypatch.setenv("LIGHTBOX_REDIS_URL_FILE", "/run/secrets/redis")
    monkeypatch.setenv("LIGHTBOX_DOCTOR_PASSWORD", "secret")
    for name, environment_of_it in told(tmp_path).items():
        assert environment_of_it.get("LIGHTBOX_DATABASE_URL") == ("sqlite:///x" if name in ("app", "worker") else None)
        assert "LIGHTBOX_REDIS_URL_FILE" not in environment_of_it
        assert "LIGHTBOX_DOCTOR_PASSWORD" not in environment_of_it


def test_a_tier_of_several_processes_sums_its_metrics(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIGHTBOX_UI_WORKERS", "2")
    (tmp_path / "ui").mkdir()
    (tmp_path / "ui" / "left_over.db").touch()
    environments = told(tmp_path)
    assert environments["ui"]["PROMETHEUS_MULTIPROC_DIR"] == str(tmp_path / "ui")
    assert list((tmp_path / "ui").iterdir()) == []
    assert "PROMETHEUS_MULTIPROC_DIR" not in environments["app"]


def test_all_that_serve_say_where_they_are_ready() -> None:
    ready = {each.name: each.ready_url for each in tiers(PORTS, "127.0.0.1:5", APP_SIDE)}
    assert ready["worker"] == "http://127.0.0.1:3/readyz"
    assert [name for name, url in ready.items() if url is None] == ["intake"]


def test_app_and_worker_wait_for_redis() -> None:
    needs = {each.name: each.needs for each in tiers(PORTS, "127.0.0.1:5", APP_SIDE)}
    assert {name for name, need in needs.items() if need == "127.0.0.1:5"} == {"app", "worker"}
    assert Process("x", []).needs is None
