"""The database is locked by somebody, or restarted."""

import random
import sqlite3
import time

from tests.chaos.fault import SERVERS, Fault
from tests.chaos.site import Site

_LOCKED_S = 8.0  # longer than anybody waits for it
_AWAY_S = 5.0


def locked(site: Site, chance: random.Random) -> None:
    """Another program holds the write lock of SQLite."""
    connection = sqlite3.connect(site.portal.data_dir / "lightbox.db", isolation_level=None, timeout=60)
    connection.execute("BEGIN IMMEDIATE")
    time.sleep(_LOCKED_S)
    connection.execute("ROLLBACK")
    connection.close()


def restarted(site: Site, chance: random.Random) -> None:
    site.shared.postgres.stop("fast")
    site.shared.postgres.start()


def killed(site: Site, chance: random.Random) -> None:
    site.shared.postgres.stop("immediate")
    time.sleep(_AWAY_S)
    site.shared.postgres.start()


FAULTS = [
    Fault("D1", f"SQLite is locked by another program for {_LOCKED_S:.0f} s", 15, locked),
    Fault("D2", "PostgreSQL is restarted", 30, restarted, place=SERVERS),
    Fault("D3", f"PostgreSQL is killed, and back after {_AWAY_S:.0f} s", 30, killed, place=SERVERS),
]
