"""Prometheus dies: nothing of the portal waits for it."""

import random
import time

import psutil

from tests.chaos.fault import PROMETHEUS, Fault
from tests.chaos.site import Site

_BACK_S = 30.0


def killed(site: Site, chance: random.Random) -> None:
    (before,) = _running(site)
    before.kill()
    deadline = time.monotonic() + _BACK_S
    while not [each for each in _running(site) if each.pid != before.pid]:
        assert time.monotonic() < deadline, "its keeper did not start it again"
        time.sleep(0.1)


def _running(site: Site) -> list[psutil.Process]:
    found = []
    for each in site.portal.processes():
        try:
            line = " ".join(each.cmdline())
        except psutil.Error:
            continue
        if "--storage.tsdb.path" in line and "launcher.keeper" not in line:
            found.append(each)
    return found


FAULTS = [Fault("F33", "Prometheus is killed", 5, killed, needs=PROMETHEUS)]
