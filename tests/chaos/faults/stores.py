"""The store for files has no room, cannot be written to, is busy, says no, does not answer, or tears what it sends."""

import os
import random
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.chaos.fault import MOUNTS, SERVERS, Fault
from tests.chaos.site import Site

_BAD_S = 8.0
_BLOCK = 4096
_REMOUNT_S = 10.0


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


def no_inodes(site: Site, chance: random.Random) -> None:
    """There is room for bytes, and none for one file more."""
    before = os.statvfs(site.volume).f_files
    _remount(site.volume, lambda: f"nr_inodes={_files(site.volume)}")
    try:
        time.sleep(_BAD_S)
    finally:
        _remount(site.volume, lambda: f"nr_inodes={before}")


def read_only(site: Site, chance: random.Random) -> None:
    """As a file system that found an error in itself."""
    _remount(site.volume, lambda: "ro")
    try:
        time.sleep(_BAD_S)
    finally:
        _remount(site.volume, lambda: "rw")


def broken_disk(site: Site, chance: random.Random) -> None:
    """Nothing that the api writes is made durable: fsync says EIO (inside/sitecustomize.py)."""
    trap = site.traps / "broken_disk"
    trap.touch()
    time.sleep(_BAD_S)
    trap.unlink()


def _files(volume: Path) -> int:
    now = os.statvfs(volume)
    return now.f_files - now.f_ffree


def _remount(volume: Path, options: Callable[[], str]) -> None:
    """Tries again while somebody has a file open for writing, or one more file has come in between."""
    deadline = time.monotonic() + _REMOUNT_S
    while True:
        command = ["mount", "-o", f"remount,{options()}", str(volume)]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode == 0:
            return
        assert time.monotonic() < deadline, done.stderr
        time.sleep(0.02)


FAULTS = [
    Fault("F13", f"the store's volume is full for {_BAD_S:.0f} s", 10, full, needs=MOUNTS),
    Fault("F13i", f"the store's volume takes no further file for {_BAD_S:.0f} s", 10, no_inodes, needs=MOUNTS),
    Fault("F13r", f"the store's volume is read-only for {_BAD_S:.0f} s", 10, read_only, needs=MOUNTS),
    Fault("F14", f"the disk makes nothing durable (EIO) for {_BAD_S:.0f} s", 10, broken_disk),
    Fault("F15b", f"S3 answers 503 Slow Down for {_BAD_S:.0f} s", 60, s3("busy"), place=SERVERS),
    Fault("F15d", f"S3 answers 403 AccessDenied for {_BAD_S:.0f} s", 60, s3("denied"), place=SERVERS),
    Fault("F15h", f"S3 takes connections and does not answer for {_BAD_S:.0f} s", 60, s3("hang"), place=SERVERS),
    Fault("F15t", f"S3 breaks off in the middle of its answers for {_BAD_S:.0f} s", 60, s3("torn"), place=SERVERS),
    Fault("F15c", f"S3 cannot be reached for {_BAD_S:.0f} s", 60, s3("cut"), place=SERVERS),
]
