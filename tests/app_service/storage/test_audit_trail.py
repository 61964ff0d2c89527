"""The audit's chain on both databases: one chain whoever writes, changed by nobody, and every tampering is named."""

import io
import json
import threading
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, bindparam, column, insert, table, text
from sqlalchemy.exc import DatabaseError

from app_service import audit as program
from app_service.accounts import audit
from app_service.domain.audit_chain import START, Broken, Link, chained
from app_service.running.audit_patrol import INTACT, AuditPatrol
from app_service.storage import audit_trail, migrate
from app_service.storage.clock import now
from app_service.storage.database import open_engine, reading, writing
from app_service.storage.records import audit as rows
from portal_wire.ids import new_id


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    migrate.migrate(database_url)
    engine = open_engine(database_url)
    yield engine
    engine.dispose()


def act(engine: Engine, times: int = 1) -> None:
    for number in range(times):
        with writing(engine) as connection:
            audit.record(connection, "view", "somebody", f"study-{number}", details={"attempt": number})


def force(engine: Engine, statement: str) -> None:
    """As somebody would who owns the database: without the triggers."""
    with writing(engine) as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("ALTER TABLE audit DISABLE TRIGGER ALL"))
        else:
            for name in ("changed", "removed"):
                connection.execute(text(f"DROP TRIGGER IF EXISTS audit_never_{name}"))
        connection.execute(text(statement))


def run(url: str, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> tuple[int, str]:
    monkeypatch.setenv("LIGHTBOX_DATABASE_URL", url)
    said = io.StringIO()
    with redirect_stdout(said), redirect_stderr(said):
        status = program.main(arguments)
    return status, said.getvalue()


def test_concurrent_writers_keep_one_chain(engine: Engine) -> None:
    threads = [threading.Thread(target=act, args=(engine, 25)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert program.verify(engine).seq == 150


def test_a_transaction_that_fails_leaves_no_row_and_no_gap(engine: Engine) -> None:
    act(engine)
    with pytest.raises(KeyError), writing(engine) as connection:
        audit.record(connection, "delete", "somebody")
        raise KeyError
    act(engine)
    assert program.verify(engine).seq == 2


@pytest.mark.parametrize("statement", ["UPDATE audit SET outcome = 'x'", "DELETE FROM audit"])
def test_the_database_refuses_changes(engine: Engine, statement: str) -> None:
    act(engine)
    with pytest.raises(DatabaseError, match="append-only"), writing(engine) as connection:
        connection.execute(text(statement))
    assert program.verify(engine).seq == 1


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_no_row_is_replaced_on_sqlite(engine: Engine) -> None:
    act(engine)
    with pytest.raises(DatabaseError, match="append-only"), writing(engine) as connection:
        connection.execute(text("INSERT OR REPLACE INTO audit SELECT * FROM audit"))


@pytest.mark.parametrize(
    ("tampering", "named"),
    [
        ("UPDATE audit SET actor_id = 'other' WHERE seq = 3", 3),
        ("UPDATE audit SET at = '2020-01-01 00:00:00' WHERE seq = 3", 3),
        ("UPDATE audit SET object_id = NULL WHERE seq = 3", 3),
        ("DELETE FROM audit WHERE seq = 1", 1),
        ("DELETE FROM audit WHERE seq = 4", 4),
        ("UPDATE audit SET seq = 9 WHERE seq = 4", 4),
        ("UPDATE audit SET previous = hash WHERE seq = 2", 2),
        ("UPDATE audit SET role = 'admin' WHERE seq = 3", 3),
        ("UPDATE audit SET details = NULL WHERE seq = 5", 5),
        ("UPDATE audit SET details = '{\"attempt\": 2}' WHERE seq = 5", 5),
    ],
)
def test_tampering_is_named(
    engine: Engine, database_url: str, monkeypatch: pytest.MonkeyPatch, tampering: str, named: int
) -> None:
    act(engine, 5)
    force(engine, tampering)
    status, said = run(database_url, monkeypatch, "verify")
    assert status == 1 and f"row {named} " in said


def test_a_chain_written_anew_or_cut_is_told_by_the_link_that_was_noted(
    engine: Engine, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    act(engine, 3)
    status, noted = run(database_url, monkeypatch, "verify")
    act(engine)
    assert status == 0 and run(database_url, monkeypatch, "verify", "--holds", noted.strip())[0] == 0
    force(engine, "DELETE FROM audit WHERE seq >= 3")
    assert run(database_url, monkeypatch, "verify")[0] == 0  # the chain alone cannot know
    assert run(database_url, monkeypatch, "verify", "--holds", noted.strip())[0] == 1
    act(engine)
    assert run(database_url, monkeypatch, "verify", "--holds", noted.strip())[0] == 1


def test_exported_rows_are_json_lines(engine: Engine, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    act(engine, 3)
    _, said = run(database_url, monkeypatch, "export", "--after", "1")
    told = [json.loads(line) for line in said.splitlines()]
    assert [row["seq"] for row in told] == [2, 3] and told[1]["previous"] == told[0]["hash"]


def test_the_metric_tells_a_break_and_its_mending(engine: Engine) -> None:
    patrol = AuditPatrol(engine)
    act(engine, 3)
    patrol.go_on()
    assert INTACT._value.get() == 1
    force(engine, "UPDATE audit SET actor_id = 'other' WHERE seq = 2")
    for _ in range(2):
        patrol.go_on()
        assert INTACT._value.get() == 0
    force(engine, "UPDATE audit SET actor_id = 'somebody' WHERE seq = 2")
    patrol.go_on()
    assert INTACT._value.get() == 1
    force(engine, "DELETE FROM audit WHERE seq = 3")
    patrol.go_on()
    assert INTACT._value.get() == 0


def test_a_walk_goes_on_where_the_round_before_stopped(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app_service.running.audit_patrol.ROWS_A_ROUND", 2)
    act(engine, 5)
    force(engine, "UPDATE audit SET actor_id = 'other' WHERE seq = 5")
    patrol = AuditPatrol(engine)
    for said in (1, 1, 0):
        patrol.go_on()
        assert INTACT._value.get() == said


def test_rows_from_before_the_chain_are_chained(database_url: str) -> None:
    migrate_to(database_url, "0004")
    engine = open_engine(database_url)
    old: list[dict[str, Any]] = [
        {"id": new_id(), "at": now(), "action": "view", "outcome": "done", "object_id": str(number)}
        for number in range(3)
    ]
    known = [rows.c[name] for name in old[0]]
    with writing(engine) as connection:
        for row in old:
            names, gaps = ", ".join(row), ", ".join(f":{name}" for name in row)
            typed = text(f"INSERT INTO audit ({names}) VALUES ({gaps})")
            connection.execute(typed.bindparams(*[bindparam(one.name, type_=one.type) for one in known]), row)
    migrate.migrate(database_url)
    act(engine)
    assert program.verify(engine).seq == 4
    with reading(engine) as connection:
        assert [row["object_id"] for row in audit_trail.rows_after(connection, 0)] == ["0", "1", "2", "study-0"]
    engine.dispose()


def test_rows_from_before_roles_and_details_stay_in_the_chain(database_url: str) -> None:
    migrate_to(database_url, "0015")
    engine, link = open_engine(database_url), START
    for number in range(2):
        told = {"id": new_id(), "at": now(), "actor_id": "x", "action": "view", "outcome": "done"}
        row = chained(told | {"object_id": str(number)}, link)
        link = Link(row["seq"], row["hash"])
        with writing(engine) as connection:
            connection.execute(insert(table("audit", *[column(name, rows.c[name].type) for name in row])), row)
    migrate.migrate(database_url)
    act(engine)
    assert program.verify(engine, link).seq == 3
    with pytest.raises(DatabaseError, match="append-only"), writing(engine) as connection:
        connection.execute(text("UPDATE audit SET role = 'admin'"))  # the triggers are still there
    engine.dispose()


def migrate_to(url: str, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrate.__file__).parent / "migrations"))
    config.attributes["database_url"] = url
    command.upgrade(config, revision)


def test_a_link_that_was_never_there_breaks_the_chain(engine: Engine) -> None:
    act(engine, 2)
    with pytest.raises(Broken, match="row 2"):
        program.verify(engine, Link(2, "f" * 64))
