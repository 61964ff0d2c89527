"""The ML tier is slow, or gets no memory."""

import random
import resource
import time
from contextlib import suppress

import cv2
import numpy as np
import psutil

from tests.chaos.client import OVER, Client
from tests.chaos.fault import Fault
from tests.chaos.site import Site

_SLOW_S, _TURN_S, _RUNS = 10.0, 0.1, 0.1  # it may run for a tenth of each turn
_LACK_S = 8.0


def slow(site: Site, chance: random.Random) -> None:
    """Ten times slower: stopped for nine tenths of the time."""
    ends = time.monotonic() + _SLOW_S
    while time.monotonic() < ends:
        with site.portal.held("ml"):
            time.sleep(_TURN_S * (1 - _RUNS))
        time.sleep(_TURN_S * _RUNS)


def no_memory(site: Site, chance: random.Random) -> None:
    """Nothing that needs new addresses gets them (RLIMIT_AS), whether the tier survives that or not. What it has
    would do for small films. A large one comes that it cannot read: more than malloc keeps for later (32 MiB,
    mallopt(3)). That one ends answered, or as failed after three times."""
    client, starved = Client(site.portal), site.portal.tier("ml")
    for each in starved:
        each.rlimit(psutil.RLIMIT_AS, (each.memory_info().vms, resource.RLIM_INFINITY))
    try:
        film = cv2.imencode(".png", np.tile(np.arange(6000, dtype=np.uint16) // 24, (6000, 1)).astype(np.uint8))[1]
        sent = client.send("POST", "/v1/studies", files={"file": ("film.png", film.tobytes())}).json()
        time.sleep(_LACK_S)
    finally:
        for each in starved:
            with suppress(psutil.NoSuchProcess):
                each.rlimit(psutil.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    job = client.ended(sent["jobs"][0]["id"], 60)
    assert job["state"] in OVER, "the large film was not answered"
    client.send("DELETE", f"/v1/studies/{sent['studies'][0]['id']}")
    assert job["attempt"] > 1, "there was memory enough for the large film"


FAULTS = [
    Fault("F17", f"the ML tier is ten times slower for {_SLOW_S:.0f} s", 45, slow),
    Fault("F18", f"the ML tier gets no memory for {_LACK_S:.0f} s", 60, no_memory),
]
