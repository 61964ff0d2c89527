"""Two clocks: wall time for people, and the database's own clock for leases, so that hosts need not agree."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import DateTime, Dialect, Float, FunctionElement, TypeDecorator
from sqlalchemy.ext.compiler import compiles


def now() -> datetime:
    """This moment in UTC."""
    return datetime.now(UTC)


class database_seconds(FunctionElement[float]):  # noqa: N801 - reads as the SQL function that it is
    """Seconds since 1970 by the clock of the database server."""

    type = Float(53)
    inherit_cache = True


@compiles(database_seconds, "sqlite")
def _on_sqlite(element: object, compiler: object, **options: Any) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(database_seconds, "postgresql")
def _on_postgresql(element: object, compiler: object, **options: Any) -> str:
    return "(extract(epoch from clock_timestamp())::float8)"


class UtcDateTime(TypeDecorator[datetime]):
    """A moment; SQLite forgets the zone, so every value is written in UTC and read back as UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None or value.tzinfo is None:  # a day without a zone is one in UTC
            return value and value.replace(tzinfo=UTC)
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value if value is None or value.tzinfo else value.replace(tzinfo=UTC)
