"""No thread of the App tier takes a second connection to the database while it holds one: with four of them, a few such
threads would wait for each other. Watched during every test of this folder; what a test itself takes does not count."""

import sys
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.pool import Pool

import app_service

TIER = f"{Path(app_service.__file__).parent}/"
DATABASE = f"{TIER}storage/database.py"


@pytest.fixture(autouse=True)
def one_connection() -> Iterator[list[str]]:
    """Gives where a second one was taken so far; fails a test that leaves any in it."""
    seconds: list[str] = []
    held: Counter[int] = Counter()  # connections by thread

    def taken(_: Any, record: Any, __: Any) -> None:
        if place := _place():
            thread = record.info["thread"] = threading.get_ident()
            if held[thread]:
                seconds.append(place)
            held[thread] += 1

    def given_back(_: Any, record: Any) -> None:
        if thread := record.info.pop("thread", None):
            held[thread] -= 1

    event.listen(Pool, "checkout", taken)
    event.listen(Pool, "checkin", given_back)
    yield seconds
    event.remove(Pool, "checkout", taken)
    event.remove(Pool, "checkin", given_back)
    assert not seconds


def _place() -> str | None:
    """The line of the tier that asks, or None when a test asks."""
    frame = sys._getframe(1)
    while frame.f_back:
        file = frame.f_code.co_filename
        if file.startswith(TIER) and file != DATABASE:
            return f"{file}:{frame.f_lineno}"
        frame = frame.f_back
    return None
