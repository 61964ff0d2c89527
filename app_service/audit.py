"""The audit trail from outside: `lightbox audit verify`, `… export` and `… note`, or `python -m app_service.audit …`.

`verify` follows the whole chain, prints its last link as SEQ:HASH and exits 0, or names the first broken row and exits
1. Keep that link elsewhere: `verify --holds SEQ:HASH` also tells whether the chain still goes through it, which it
does not when rows were taken from its end or the whole was written anew. `export` prints rows as JSON lines, oldest
first, with `--after SEQ` only later ones; both change nothing. `note back_up` and `note restore` add a row, for the
programs that do it. All need LIGHTBOX_DATABASE_URL (or LIGHTBOX_DATA_DIR) alone.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Engine

from app_service.accounts import audit
from app_service.domain.audit_chain import START, Broken, Link, follow
from app_service.settings import database_url
from app_service.storage.audit_trail import rows_after
from app_service.storage.database import open_engine, reading, writing

_AS_WRITTEN = argparse.RawDescriptionHelpFormatter


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status."""
    parser = argparse.ArgumentParser(prog="lightbox audit", description=__doc__, formatter_class=_AS_WRITTEN)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("verify").add_argument("--holds", metavar="SEQ:HASH", type=_link, default=START)
    commands.add_parser("export").add_argument("--after", metavar="SEQ", type=int, default=0)
    commands.add_parser("note").add_argument("what", choices=("back_up", "restore"))
    asked = parser.parse_args(arguments)
    engine = open_engine(database_url())
    if asked.command == "note":
        with writing(engine) as connection:
            audit.record(connection, asked.what, None)
        return 0
    if asked.command == "export":
        export(engine, asked.after)
        return 0
    try:
        last = verify(engine, asked.holds)
    except Broken as broken:
        sys.stderr.write(f"The audit trail is broken: {broken}.\n")
        return 1
    sys.stdout.write(f"{last.seq}:{last.hash}\n")
    return 0


def verify(engine: Engine, holds: Link = START) -> Link:
    """Follow the whole chain to its last link. Raises Broken, also where it does not go through `holds`."""
    with reading(engine) as connection:
        rows = rows_after(connection, 0)
        last = follow(_through(rows, holds))
    if last.seq < holds.seq:
        raise Broken(last.seq + 1, "is missing")
    return last


def export(engine: Engine, after: int) -> None:
    """Print rows as JSON lines."""
    with reading(engine) as connection:
        for row in rows_after(connection, after):
            sys.stdout.write(json.dumps(row | {"at": row["at"].isoformat()}) + "\n")


def _through(rows: Iterator[dict[str, Any]], holds: Link) -> Iterator[dict[str, Any]]:
    for row in rows:
        if row["seq"] == holds.seq and row["hash"] != holds.hash:
            raise Broken(holds.seq, "is not the one that was noted")
        yield row


def _link(text: str) -> Link:
    seq, _, digest = text.partition(":")
    return Link(int(seq), digest)


if __name__ == "__main__":
    sys.exit(main())
