"""Two hosts with folders of their own, and only SQL, Redis and S3 between them: one of them goes, or is older."""

import random
import signal
import time
from contextlib import suppress

import psutil

from tests.chaos.client import Client
from tests.chaos.fault import HISTORY, OLD_AND_NEW, TWO_HOSTS, Fault
from tests.chaos.films import films
from tests.chaos.site import Site

_AWAY_S = 10.0


def worker_elsewhere(site: Site, chance: random.Random) -> None:
    """The host of the api loses its worker for a while: all jobs are run by the other host."""
    client, keeper = Client(site.portal), site.keeper_of("worker")
    keeper.suspend()
    try:
        site.portal.send(signal.SIGKILL, "worker")
        back = time.monotonic() + _AWAY_S
        sent = client.send("POST", "/v1/studies", files={"file": ("film.jpg", films()[0])}).json()
        state = client.ended(sent["jobs"][0]["id"], _AWAY_S)["state"]
        time.sleep(max(0.0, back - time.monotonic()))
    finally:
        keeper.resume()
    client.send("DELETE", f"/v1/studies/{sent['studies'][0]['id']}")
    assert state == "succeeded", f"what came meanwhile is {state}"


def host_gone(site: Site, chance: random.Random) -> None:
    """Every process of the second host dies, amid its jobs; the first one takes them over. It comes back later."""
    assert site.second
    for each in site.second.processes():
        with suppress(psutil.NoSuchProcess):
            each.kill()
    site.second.process.wait()
    site.second_is_gone = True


_ELSEWHERE = f"the api's host has no worker for {_AWAY_S:.0f} s; the other host's runs its jobs"
FAULTS = [
    Fault("H1", _ELSEWHERE, 25, worker_elsewhere, place=TWO_HOSTS),
    Fault(
        "F28",
        f"{_ELSEWHERE}; that one is of the code from before the tables last changed",
        25,
        worker_elsewhere,
        place=OLD_AND_NEW,
        needs=HISTORY,
    ),
    Fault("H2", "the host of the other worker dies", 25, host_gone, place=TWO_HOSTS),
]
