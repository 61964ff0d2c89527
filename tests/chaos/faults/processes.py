"""Processes die, hang, and are replaced."""

import random
import signal
import time
from collections.abc import Callable
from contextlib import suppress

import psutil

from tests.chaos.fault import Fault
from tests.chaos.site import Site
from tests.end_to_end.portal import TIERS

OFTEN = 20  # where the very moment matters
_HANGS_S = 20.0  # longer than a call to the ML tier may take here
_TRAP_S = 20.0
_GONE = signal.SIGKILL


def killed(tier: str) -> Callable[[Site, random.Random], None]:
    """Every process of the tier, at once; its keeper starts it again."""
    return lambda site, chance: site.portal.send(_GONE, tier)


def trapped(trap: str) -> Callable[[Site, random.Random], None]:
    """The worker dies at one certain place of the next job that comes there."""

    def happen(site: Site, chance: random.Random) -> None:
        place = site.traps / trap
        place.touch()
        deadline = time.monotonic() + _TRAP_S
        while place.exists():
            assert time.monotonic() < deadline, "no job came to the trap"
            time.sleep(0.02)

    return happen


def hangs(site: Site, chance: random.Random) -> None:
    with site.portal.held("ml"):
        time.sleep(_HANGS_S)


def rolling(site: Site, chance: random.Random) -> None:
    """Each tier is told to end, one after the other, and is back before the next."""
    for tier in ("nginx", "ui", "app", "worker", "ml", "redis"):
        before = {each.pid for each in site.portal.tier(tier)}
        site.portal.send(signal.SIGTERM, tier)
        deadline = time.monotonic() + 30
        while not {each.pid for each in site.portal.tier(tier)} - before:
            assert time.monotonic() < deadline, f"{tier} did not come back"
            time.sleep(0.1)
        time.sleep(1.0)


def power_cut(site: Site, chance: random.Random) -> None:
    """Everything at once, the launcher too; then the portal is started on what lies on the disk."""
    for each in site.portal.processes():
        with suppress(psutil.NoSuchProcess):
            each.kill()
    site.portal.process.wait()
    site.start_again()


FAULTS = [
    Fault("F01", "nginx is killed", 5, killed("nginx")),
    Fault("F02", "the pages (UI) are killed", 5, killed("ui")),
    Fault("F03", "the api is killed amid uploads", 5, killed("app"), OFTEN),
    Fault("F03i", "the sandbox of intake is killed amid uploads", 5, killed("intake"), OFTEN),
    Fault("F04", "the ML tier is killed amid inferences", 25, killed("ml"), OFTEN),
    Fault("F04w", "the worker is killed amid jobs", 25, killed("worker"), OFTEN),
    Fault("F05", "the worker dies after the answer, before it is saved", 25, trapped("before_save"), OFTEN),
    Fault("F06", "the worker dies after saving, before it acknowledges", 25, trapped("after_save"), OFTEN),
    Fault("F16", f"the ML tier hangs for {_HANGS_S:.0f} s", 90, hangs),
    Fault("F27", f"each of {len(TIERS) - 1} tiers is restarted, one after the other", 60, rolling),
    Fault("F34", "everything is killed at once, and started again", 90, power_cut),
]
