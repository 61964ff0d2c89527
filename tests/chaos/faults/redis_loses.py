"""Redis dies, forgets, is cut short, corrupt, full. Nothing in it is the only copy of anything but sign-ins."""

import random
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.chaos.fault import MOUNTS, Fault
from tests.chaos.faults.processes import killed
from tests.chaos.faults.stores import filled
from tests.chaos.site import Site

_FULL_S = 8.0


def flushed(site: Site, chance: random.Random) -> None:
    site.portal.redis().flushall()


@contextmanager
def dead(site: Site) -> Iterator[Path]:
    """Redis was killed and is kept from coming back meanwhile; gives its folder."""
    keeper = site.keeper_of("redis")
    keeper.suspend()
    try:
        site.portal.send(signal.SIGKILL, "redis")
        time.sleep(0.2)
        yield next((site.portal.data_dir / "redis").glob("*-*"))
    finally:
        keeper.resume()


def wiped(site: Site, chance: random.Random) -> None:
    with dead(site) as folder:
        _empty(folder)


def _empty(folder: Path) -> None:
    for path in folder.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def cut_short(site: Site, chance: random.Random) -> None:
    """The last 1 to 200 bytes of the append-only file are gone, as after a power cut."""
    with dead(site) as folder, _last_part(folder).open("r+b") as file:
        size = file.seek(0, 2)
        file.truncate(max(0, size - chance.randint(1, 200)))


def corrupt(site: Site, chance: random.Random) -> None:
    """Four bytes in the middle: Redis may refuse to start. Then the runbook's hands: redis-check-aof --fix, which finds
    a file that is out of shape but no command that there is not, and else an empty folder."""
    with dead(site) as folder:
        part = _last_part(folder)
        with part.open("r+b") as file:
            file.seek(file.seek(0, 2) // 2)
            file.write(b"\xff" * 4)
        time.sleep(1.0)
        fix = ["redis-check-aof", "--fix", str(next(folder.rglob("*.manifest"), part))]
        subprocess.run(fix, input=b"y\n", stdout=subprocess.DEVNULL, check=False)
        if not _starts(site):
            _empty(folder)


def _starts(site: Site) -> bool:
    """Whether Redis takes its files; it is not left running."""
    folder = site.portal.data_dir
    command = ["redis-server", str(folder / "redis" / "redis.conf"), "--port", "0"]
    command += ["--unixsocket", str(folder / "run" / "trial.sock")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as trial:
        assert trial.stdout
        ready = any("Ready to accept connections" in line or "ready to accept" in line for line in trial.stdout)
        trial.kill()
    return ready


def out_of_memory(site: Site, chance: random.Random) -> None:
    redis = site.portal.redis()
    redis.config_set("maxmemory", "1mb")
    try:
        time.sleep(_FULL_S)
    finally:
        redis.config_set("maxmemory", "0")


def no_room(site: Site, chance: random.Random) -> None:
    """A file takes all that is left of the volume of Redis' files, which is a small one of its own (site.py)."""
    with filled(site.redis_volume):
        time.sleep(_FULL_S)


def _last_part(folder: Path) -> Path:
    """What Redis appends to: a file of its own since 7.0."""
    parts = sorted(folder.rglob("*.incr.aof")) or sorted(folder.rglob("*.aof"))
    return parts[-1]


FAULTS = [
    Fault("F07", "Redis is killed", 10, killed("redis")),
    Fault("F08", "Redis is killed, and its files are gone", 60, wiped),
    Fault("F08f", "Redis is emptied (FLUSHALL)", 60, flushed),
    Fault("F09", "Redis is killed, the end of its file is cut off", 30, cut_short),
    Fault("F10", "Redis is killed, its file is corrupt and repaired by hand", 60, corrupt),
    Fault("F11", f"Redis has no memory left for {_FULL_S:.0f} s", 10, out_of_memory),
    Fault("F12", f"the volume of Redis' files is full for {_FULL_S:.0f} s", 30, no_room, needs=MOUNTS),
]
