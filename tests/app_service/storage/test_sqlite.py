"""What makes SQLite safe here, and what would make it lose data."""

import threading
import time
from pathlib import Path

from sqlalchemy import text

from app_service.storage.database import open_engine, reading, writing


def test_every_commit_reaches_the_disk(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}/test.db")
    with reading(engine) as connection:
        found = [connection.execute(text(f"PRAGMA {name}")).scalar() for name in ("journal_mode", "synchronous")]
        assert connection.execute(text("PRAGMA foreign_keys")).scalar() == 1
    assert found == ["wal", 2]
    engine.dispose()


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
