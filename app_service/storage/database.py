"""One engine a process. SQLite is the embedded default, PostgreSQL comes by URL; both lose no update."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import DBAPIError, OperationalError

from app_service.storage import audit_trail
from portal_wire.errors import Unavailable

ACTS = "lightbox_acts"  # of a write transaction: what its audit rows will say
_READ_ONLY = {"lightbox_read_only": True}
_PATIENCE_S = 5
# Connections to SQLite, each with up to 2 MB of pages and two descriptors, which SQLite keeps for as long as another
# connection is open (sqlite.org/src, os_unix.c, "pending close"). Few, so that all are open soon after the
# start and nothing grows from then on; who computes holds the interpreter, so more of them would read no faster, and
# nobody holds two. The last used comes first: what it has in its cache holds until another one writes, and used in turn
# they took a seventh more time for everything.
_SQLITE_CONNECTIONS = 4
# SQLite has one writer at a time and lets the others poll with growing pauses; in one process a lock wakes the next
# at once, in order of arrival.
_WRITERS: WeakKeyDictionary[Engine, threading.Lock] = WeakKeyDictionary()


def open_engine(url: str) -> Engine:
    """A pooled engine; nothing is connected yet. `url` is sqlite:///… or postgresql://…"""
    if url.startswith("sqlite"):
        engine = create_engine(
            url,
            hide_parameters=True,
            connect_args={"timeout": _PATIENCE_S},
            pool_size=_SQLITE_CONNECTIONS,
            max_overflow=0,
            pool_timeout=_PATIENCE_S,
            pool_use_lifo=True,
        )
        _WRITERS[engine] = threading.Lock()
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    return create_engine(
        url.replace("postgresql://", "postgresql+psycopg://", 1),
        hide_parameters=True,  # they may hold what belongs in no log
        connect_args={"connect_timeout": 2, "options": "-c statement_timeout=10000 -c lock_timeout=5000"},
        pool_size=16,
        max_overflow=64,
        pool_timeout=5,
        pool_pre_ping=True,
    )


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A connection for queries; takes no write lock."""
    with engine.connect().execution_options(**_READ_ONLY) as connection:
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One write transaction: committed at the end, rolled back when an exception leaves it. Keep it short.

    Its audit rows are written last, so that on PostgreSQL the chain is locked no longer than needed.
    """
    acts: list[dict[str, Any]] = []
    with _turn(engine), engine.connect().execution_options(**{ACTS: acts}) as connection, connection.begin():
        yield connection
        audit_trail.append(connection, acts)


def may_be_committed(error: BaseException) -> bool:
    """True for an error of the commit itself: the database may have done it and could not say so any more.

    It belongs to no statement, as does one of connecting, after which there is no harm in being careful too.
    """
    return isinstance(error, DBAPIError) and error.statement is None


@contextmanager
def _turn(engine: Engine) -> Iterator[None]:
    lock = _WRITERS.get(engine)
    if lock is None:
        yield
        return
    if not lock.acquire(timeout=_PATIENCE_S):
        raise Unavailable("The database is busy. Please try again shortly.", retry_after_s=2)
    try:
        yield
    finally:
        lock.release()


def check(engine: Engine) -> None:
    """Raises SQLAlchemyError when the database does not answer."""
    with reading(engine) as connection:
        connection.execute(text("SELECT 1"))


def _prepare_sqlite(connection: Any, record: object) -> None:
    # The driver's own transactions start too late and lose updates; BEGIN is sent by _begin_sqlite instead.
    # https://docs.sqlalchemy.org/en/20/dialects/sqlite.html#serializable-isolation-savepoints-transactional-ddl
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    """By the driver's own connection: SQLAlchemy's way costs as much as a row's insertion."""
    begin = "BEGIN" if connection.get_execution_options().get("lightbox_read_only", False) else "BEGIN IMMEDIATE"
    own: Any = connection.connection.driver_connection
    try:
        own.execute(begin)
    except sqlite3.Error as error:
        raise OperationalError(begin, None, error) from error
