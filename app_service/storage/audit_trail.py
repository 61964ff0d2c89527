"""The audit's rows in SQL, in one chain whoever writes: the next row's number and hash come from the last one.

On PostgreSQL whoever adds to the chain holds a lock until the transaction ends, so it is done last; SQLite has one
writer anyway. Triggers refuse every change of a row (migration 0005).
"""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Executable, insert, select, text

from app_service.domain.audit_chain import START, Link, chained
from app_service.storage.records import audit

_ADD = insert(audit)
_LAST = select(audit.c.seq, audit.c.hash).order_by(audit.c.seq.desc()).limit(1)
_LOCKED = text("SELECT seq, hash FROM audit_locked_head()")  # PostgreSQL's, of migration 0005
_AT_A_TIME = 1000


def append(connection: Connection, acts: list[dict[str, Any]]) -> None:
    """Add rows at the end of the chain, the last thing in a transaction."""
    if not acts:
        return
    last, rows = _link(connection, _LOCKED if connection.dialect.name == "postgresql" else _LAST), []
    for act in acts:
        rows.append(chained(act, last))
        last = Link(rows[-1]["seq"], rows[-1]["hash"])
    connection.execute(_ADD, rows)


def head(connection: Connection) -> Link:
    """The last row."""
    return _link(connection, _LAST)


def hash_of(connection: Connection, seq: int) -> str | None:
    """The hash of a row by its number; of number 0 what the first row follows."""
    return START.hash if seq == 0 else connection.execute(select(audit.c.hash).where(audit.c.seq == seq)).scalar()


def rows_after(connection: Connection, seq: int, most: int | None = None) -> Iterator[dict[str, Any]]:
    """Rows in order, those behind number `seq`; read a thousand at a time."""
    query = select(audit).where(audit.c.seq > seq).order_by(audit.c.seq).limit(most)
    for row in connection.execution_options(yield_per=_AT_A_TIME).execute(query):
        yield row._asdict()


def _link(connection: Connection, query: Executable) -> Link:
    row = connection.execute(query).first()
    return Link(row.seq, row.hash) if row else START
