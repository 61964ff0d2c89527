"""The store for files has no room, is busy, does not answer, or tears what it sends."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.chaos.fault import SERVERS, Fault
from tests.chaos.site import Site

_BAD_S = 8.0
_BLOCK = 4096


def s3(manner: str) -> Callable[[Site, random.Random], None]:
    def happen(site: Site, chance: random.Random) -> None:
        with site.shared.to_s3.being(manner):
            time.sleep(_BAD_S)

    return happen


@contextmanager
def filled(volume: Path) -> Iterator[None]:
    """A file takes all that is left of a volume meanwhile."""
    stopper = volume / "stopper"
    with suppress(OSError), stopper.open("wb", buffering=0) as file:
        while file.write(bytes(_BLOCK)) == _BLOCK:
            pass
    try:
        yield
    finally:
        stopper.unlink()


def full(site: Site, chance: random.Random) -> None:
    """The store's volume, which is a small one of its own (site.py)."""
    with filled(site.volume):
        time.sleep(_BAD_S)


FAULTS = [
    Fault("F13", f"the store's volume is full for {_BAD_S:.0f} s", 10, full, needs_namespaces=True),
    Fault("F15b", f"S3 answers 503 Slow Down for {_BAD_S:.0f} s", 60, s3("busy"), place=SERVERS),
    Fault("F15h", f"S3 takes connections and does not answer for {_BAD_S:.0f} s", 60, s3("hang"), place=SERVERS),
    Fault("F15t", f"S3 breaks off in the middle of its answers for {_BAD_S:.0f} s", 60, s3("torn"), place=SERVERS),
    Fault("F15c", f"S3 cannot be reached for {_BAD_S:.0f} s", 60, s3("cut"), place=SERVERS),
]
