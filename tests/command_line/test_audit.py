"""`lightbox audit`: the App tier's own program, by the console script's name."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app_service.accounts import audit
from app_service.storage.database import open_engine, writing
from app_service.storage.migrate import migrate
from command_line.__main__ import main


@pytest.fixture(autouse=True)
def trail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two rows in a database of its own."""
    url = f"sqlite:///{tmp_path}/test.db"
    monkeypatch.setenv("LIGHTBOX_DATABASE_URL", url)
    migrate(url)
    engine = open_engine(url)
    with writing(engine) as connection:
        audit.record(connection, "view", "somebody", "a study")
        audit.record(connection, "commit", None, "a job", details={"attempt": 1})
    engine.dispose()


def lightbox(*words: str) -> Result:
    return CliRunner().invoke(main, ["--address", "https://127.0.0.1:9", "audit", *words])  # asks no portal


def test_it_verifies_exports_and_notes() -> None:
    found = lightbox("verify")
    assert found.exit_code == 0 and found.output.startswith("2:"), found.output
    assert lightbox("note", "restore").exit_code == 0
    rows = [json.loads(line) for line in lightbox("export", "--after", "1").output.splitlines()]
    assert [(row["action"], row["details"]) for row in rows] == [("commit", {"attempt": 1}), ("restore", None)]
    assert lightbox("verify", "--holds", found.output.strip()).exit_code == 0
    assert lightbox("verify", "--holds", f"2:{'f' * 64}").exit_code == 1


def test_it_says_how_it_is_used() -> None:
    assert lightbox().exit_code == 0 and "export" in lightbox("--help").output
    assert lightbox("forge").exit_code == 2
