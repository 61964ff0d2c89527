"""What makes SQLite safe here, and what would make it lose data."""

import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.exc import OperationalError

from app_service.storage import database
from app_service.storage.database import may_be_committed, open_engine, reading, writing
from app_service.storage.jobs import require_room
from app_service.storage.migrate import migrate
from tests.app_service.one_connection import TIER


def test_every_commit_reaches_the_disk(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}/test.db")
    with reading(engine) as connection:
        found = [connection.execute(text(f"PRAGMA {name}")).scalar() for name in ("journal_mode", "synchronous")]
        assert connection.execute(text("PRAGMA foreign_keys")).scalar() == 1
    assert found == ["wal", 2]
    engine.dispose()


def test_a_busy_moment_opens_no_more_than_four_connections(tmp_path: Path) -> None:
    """Who comes later gets one as soon as somebody has read."""
    engine = open_engine(f"sqlite:///{tmp_path}/test.db")
    opened: list[object] = []
    event.listen(engine, "connect", lambda connection, _: opened.append(connection))
    with ThreadPoolExecutor(20) as readers:
        found = list(readers.map(lambda _: slow_look(engine), range(60)))
    assert found == [1] * 60
    assert len(opened) == 4
    engine.dispose()


def slow_look(engine: Engine) -> int:
    with reading(engine) as connection:
        time.sleep(0.01)
        one: int = connection.execute(text("SELECT 1")).scalar_one()
    return one


def test_readers_do_not_wait_for_a_writer(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}/test.db")
    with writing(engine) as connection:
        connection.execute(text("CREATE TABLE t (x INTEGER)"))
    writes, ends = threading.Event(), threading.Event()

    def hold() -> None:
        with writing(engine) as connection:
            connection.execute(text("INSERT INTO t VALUES (1)"))
            writes.set()
            ends.wait(5)

    thread = threading.Thread(target=hold)
    thread.start()
    writes.wait(5)
    began = time.monotonic()
    with reading(engine) as connection:
        assert connection.execute(text("SELECT count(*) FROM t")).scalar() == 0
    assert time.monotonic() - began < 1
    ends.set()
    thread.join()
    engine.dispose()


def test_the_count_of_open_jobs_does_not_read_all_that_an_owner_ever_had(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/test.db"
    migrate(url)
    engine, plans = open_engine(url), []

    def explain(connection: Connection, cursor: Any, statement: str, parameters: Any, *_: object) -> None:
        if statement.startswith("SELECT"):
            plans.extend(row[3] for row in cursor.execute(f"EXPLAIN QUERY PLAN {statement}", parameters).fetchall())

    event.listen(engine, "before_cursor_execute", explain)
    with reading(engine) as connection:
        require_room(connection, "a", 1, 1)
    assert plans == ["SEARCH jobs USING COVERING INDEX ix_jobs_owner_id_state (owner_id=? AND state=?)"]
    engine.dispose()


def test_a_database_that_another_process_holds_is_an_error_of_the_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "_PATIENCE_S", 0.1)
    engine = open_engine(f"sqlite:///{tmp_path}/test.db")
    with reading(engine):
        pass
    other = sqlite3.connect(tmp_path / "test.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(OperationalError, match="locked") as raised, writing(engine):
        pass
    assert not may_be_committed(raised.value)
    other.execute("ROLLBACK")
    with writing(engine) as connection:
        connection.execute(text("CREATE TABLE t (x INTEGER)"))
    other.close()
    engine.dispose()


def test_a_second_connection_in_one_thread_is_noticed(one_connection: list[str], tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}/test.db")
    nested = "with reading(engine):\n    with reading(engine):\n        pass"
    exec(compile(nested, f"{TIER}made_up.py", "exec"), {"reading": reading, "engine": engine})
    assert one_connection == [f"{TIER}made_up.py:2"]
    one_connection.clear()
    exec(compile(nested, "/elsewhere/made_up.py", "exec"), {"reading": reading, "engine": engine})
    assert not one_connection
    engine.dispose()
