"""Python runs this first in every process of a portal under test (PYTHONPATH). In worker and api it lays traps.

A trap is a file in LIGHTBOX_CHAOS_TRAPS. Who removes `before_save` or `after_save` dies there by SIGKILL; `poison`
names a study that ends whoever reads it by SIGSEGV; while `broken_disk` is there, the api's fsync says EIO; `clock`
holds the seconds by which the worker's clock is wrong. The product has no part in this.
"""

import errno
import os
import signal
import sys
from datetime import datetime, timedelta
from pathlib import Path

_TRAPS = os.environ.get("LIGHTBOX_CHAOS_TRAPS")


def _die_at(trap: Path) -> None:
    try:
        trap.unlink()
    except FileNotFoundError:
        return
    os.kill(os.getpid(), signal.SIGKILL)


def _text(trap: Path) -> str:
    """Empty where there is none."""
    try:
        return trap.read_text()
    except FileNotFoundError:
        return ""


def _lay_in_worker(traps: Path) -> None:
    from app_service.running import reading_copy
    from app_service.storage import cache, clock, transitions

    commit, fill, now, read = transitions.commit, cache.fill, clock.now, reading_copy.reading_copy

    def commit_or_die(*given, **named):  # type: ignore[no-untyped-def]
        _die_at(traps / "before_save")
        return commit(*given, **named)

    def fill_or_die(*given, **named):  # type: ignore[no-untyped-def]
        _die_at(traps / "after_save")
        return fill(*given, **named)

    def read_or_die(store, study_id):  # type: ignore[no-untyped-def]
        if _text(traps / "poison") == study_id:
            os.kill(os.getpid(), signal.SIGSEGV)
        return read(store, study_id)

    def wrong_now() -> datetime:
        return now() + timedelta(seconds=float(_text(traps / "clock") or 0))

    transitions.commit, cache.fill = commit_or_die, fill_or_die
    transitions.now = clock.now = wrong_now
    reading_copy.reading_copy = read_or_die


def _lay_in_api(traps: Path) -> None:
    fsync = os.fsync

    def fsync_or_not(number: int) -> None:
        if (traps / "broken_disk").exists():
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        fsync(number)

    os.fsync = fsync_or_not


if _TRAPS and "app_service.worker" in sys.orig_argv:
    _lay_in_worker(Path(_TRAPS))
elif _TRAPS and "app_service/gunicorn.conf.py" in sys.orig_argv:
    _lay_in_api(Path(_TRAPS))
