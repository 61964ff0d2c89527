"""The audit's chain: each row carries the SHA-256 of the row before it, so that none can be changed or taken out.

A row's hash is over compact JSON of all its columns but `hash`, by name, without those that are null (a column may be
added later); `at` in UTC with microseconds. This form never changes: old rows are checked by it. Whoever may write to
the database can make a whole new chain; only a copy of a hash that lies elsewhere shows that.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True)
class Link:
    """A row by its number and hash."""

    seq: int
    hash: str


_WRITE = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode  # json.dumps would make an encoder a row
START = Link(0, "0" * 64)  # what the first row follows


class Broken(Exception):
    """Row `seq` is not what was written; the text says in what way."""

    def __init__(self, seq: int, what: str) -> None:
        super().__init__(f"row {seq} {what}")
        self.seq = seq


def digest(row: Mapping[str, Any]) -> str:
    """The hash that belongs to a row; 64 hexadecimal digits."""
    told = {name: _plain(value) for name, value in row.items() if name != "hash" and value is not None}
    return hashlib.sha256(_WRITE(told).encode()).hexdigest()


def chained(row: dict[str, Any], after: Link) -> dict[str, Any]:
    """The row as the next one `after` a link."""
    linked = row | {"seq": after.seq + 1, "previous": after.hash}
    return linked | {"hash": digest(linked)}


def follow(rows: Iterable[Mapping[str, Any]], after: Link = START) -> Link:
    """The last link of rows that come in order. Raises Broken at the first that is not as it was written."""
    for row in rows:
        if row["seq"] != after.seq + 1:
            raise Broken(after.seq + 1, "is missing")
        if row["previous"] != after.hash:
            raise Broken(row["seq"], "does not follow the row before it")
        if row["hash"] != digest(row):
            raise Broken(row["seq"], "was changed")
        after = Link(row["seq"], row["hash"])
    return after


def _plain(value: object) -> object:
    return value.astimezone(UTC).isoformat(timespec="microseconds") if isinstance(value, datetime) else value
