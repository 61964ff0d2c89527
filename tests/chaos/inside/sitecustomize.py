"""Python runs this first in every process of a portal under test (PYTHONPATH). In the worker it lays traps.

A trap is a file in LIGHTBOX_CHAOS_TRAPS; who removes it dies there by SIGKILL. `clock` is none: it holds the seconds
by which the worker's clock is wrong. The product has no part in this.
"""

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


def _lay(traps: Path) -> None:
    from app_service.storage import cache, clock, transitions

    commit, fill, now = transitions.commit, cache.fill, clock.now

    def commit_or_die(*given, **named):  # type: ignore[no-untyped-def]
        _die_at(traps / "before_save")
        return commit(*given, **named)

    def fill_or_die(*given, **named):  # type: ignore[no-untyped-def]
        _die_at(traps / "after_save")
        return fill(*given, **named)

    def wrong_now() -> datetime:
        try:
            return now() + timedelta(seconds=float((traps / "clock").read_text()))
        except FileNotFoundError:
            return now()

    transitions.commit, cache.fill = commit_or_die, fill_or_die
    transitions.now = clock.now = wrong_now


if _TRAPS and "app_service.worker" in sys.orig_argv:
    _lay(Path(_TRAPS))
