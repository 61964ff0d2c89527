"""What each tier holds of memory and descriptors, looked at every few seconds by a thread."""

import threading
import time
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress

import psutil

from benchmarks.servers import TIERS, RunningPortal

EVERY_S = 3.0
Samples = list[tuple[float, float]]  # monotonic seconds and what was seen
_YOUNG_S = 5.0  # intake forks a child for each file: only what stays counts


class Watch:
    """`rss` (MB) and `descriptors` by tier: (monotonic seconds, value). A tier's processes are added up."""

    def __init__(self, portal: RunningPortal, every_s: float = EVERY_S) -> None:
        self._launcher, self._every_s, self._stop = portal.launcher, every_s, threading.Event()
        self.rss: defaultdict[str, Samples] = defaultdict(list)
        self.descriptors: defaultdict[str, Samples] = defaultdict(list)
        self._known: dict[int, tuple[float, str | None]] = {}  # by process: its start, and its tier
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def processes(self) -> dict[str, list[int]]:
        """The processes of each tier now, to see whether one died meanwhile."""
        found = defaultdict(list)
        for process in self._launcher.children(recursive=True):
            with suppress(psutil.Error):
                if (tier := self._tier(process)) and time.time() - process.create_time() > _YOUNG_S:
                    found[tier].append(process.pid)
        return {tier: sorted(pids) for tier, pids in found.items()}

    def look(self) -> None:
        """One sample."""
        memory: defaultdict[str, float] = defaultdict(float)
        open_now: defaultdict[str, float] = defaultdict(float)
        for process in self._launcher.children(recursive=True):
            with suppress(psutil.Error):
                tier = self._tier(process)
                if tier is None or time.time() - process.create_time() < _YOUNG_S:
                    continue
                memory[tier] += process.memory_info().rss / 1e6
                open_now[tier] += process.num_fds()
        at = time.monotonic()
        for tier, value in memory.items():
            self.rss[tier].append((at, value))
            self.descriptors[tier].append((at, open_now[tier]))

    def _tier(self, process: psutil.Process) -> str | None:
        known = self._known.get(process.pid)
        if known is None or known[0] != process.create_time():
            line = " ".join(process.cmdline())
            tier = next((name for name, word in TIERS.items() if word in line), None)
            known = (process.create_time(), None if "launcher.keeper" in line else tier)
            self._known[process.pid] = known
        return known[1]

    def _watch(self) -> None:
        while not self._stop.wait(self._every_s):
            self.look()


def within(samples: Mapping[str, Samples], began: float, ended: float) -> dict[str, Samples]:
    """What was seen of each tier from `began` to `ended`."""
    return {tier: [each for each in every if began <= each[0] <= ended] for tier, every in samples.items()}
