"""Lines are silent, lossy or slow. Packets are dropped by nftables in a network of this run's own (run.py)."""

import random
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.chaos.fault import NFT, SERVERS, Fault
from tests.chaos.site import Site

_SILENT_S, _LOSSY_S, _SLOW_S = 15.0, 10.0, 10.0  # the first is longer than a lease
_LATENCY_S = 0.25  # each way


@contextmanager
def dropping(port: int, percent: int) -> Iterator[None]:
    """Of the packets to and from `port`, so many in a hundred are lost; 100: silence, not a refusal."""
    chance = "" if percent >= 100 else f"numgen random mod 100 < {percent} "
    lost = "".join(f"{side} {port} {chance}drop; " for side in ("tcp dport", "tcp sport"))
    rules = f"table inet chaos {{ chain lost {{ type filter hook input priority 0; {lost}}}; }}"
    subprocess.run(["nft", "-f", "-"], input=rules.encode(), check=True)
    try:
        yield
    finally:
        subprocess.run(["nft", "delete", "table", "inet", "chaos"], check=True)


def lost(what: str, percent: int, for_s: float) -> Callable[[Site, random.Random], None]:
    def happen(site: Site, chance: random.Random) -> None:
        with dropping(site.port_of(what), percent):
            time.sleep(for_s)

    return happen


def slow(site: Site, chance: random.Random) -> None:
    shared = site.shared
    with shared.to_redis.being("pass", _LATENCY_S), shared.to_postgres.being("pass", _LATENCY_S):
        time.sleep(_SLOW_S)


def _fault(name: str, words: str, figure_s: float, what: str, percent: int, for_s: float, place: str) -> Fault:
    return Fault(name, words, figure_s, lost(what, percent, for_s), place=place, needs=NFT)


FAULTS = [
    _fault("F20", f"no packet to Redis arrives for {_SILENT_S:.0f} s", 10, "redis", 100, _SILENT_S, SERVERS),
    _fault("F21", f"no packet to PostgreSQL arrives for {_SILENT_S:.0f} s", 30, "postgres", 100, _SILENT_S, SERVERS),
    _fault("F22", f"no packet to the ML tier arrives for {_SILENT_S:.0f} s", 15, "ml", 100, _SILENT_S, SERVERS),
    _fault("F22m", f"30 % of packets to the ML tier are lost for {_LOSSY_S:.0f} s", 15, "ml", 30, _LOSSY_S, SERVERS),
    _fault("F22r", f"30 % of packets to Redis are lost for {_LOSSY_S:.0f} s", 15, "redis", 30, _LOSSY_S, SERVERS),
    _fault(
        "F22p", f"30 % of packets to PostgreSQL are lost for {_LOSSY_S:.0f} s", 15, "postgres", 30, _LOSSY_S, SERVERS
    ),
    Fault("F22l", f"Redis and PostgreSQL are {2 * _LATENCY_S} s away for {_SLOW_S:.0f} s", 15, slow, place=SERVERS),
]
