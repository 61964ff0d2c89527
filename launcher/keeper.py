"""Keeps one process running: `python -m launcher.keeper --launcher PID [--needs HOST:PORT] [--log FILE] -- COMMAND…`.

Honcho starts and stops processes and shows their lines. What it lacks is here: wait for what the process needs, start
it again with a growing pause when it ends, end its whole group within GRACE_S (honcho kills after 5 s), and end it too
when the launcher is gone, by whatever cause. Exits 0 once told to stop. What the process says goes straight to its log
file, which is kept short here: through honcho each line would pass the launcher too.
"""

import argparse
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from functools import partial
from pathlib import Path

from launcher.process_death import adopt_orphans, end_with_parent

GRACE_S = 3.5
PAUSES_S = (0.2, 1.0, 2.0, 5.0, 10.0)
STEADY_S = 10.0  # who ran this long, and so got through its start, starts again with the shortest pause
LONGEST_LOG = 20_000_000  # bytes; as many before them are kept in FILE.1
LOOK_S = 30.0


def keep(command: list[str], launcher: int, stop: int, needs: str | None, log: Path | None = None) -> None:
    """Runs `command` again and again until one of the file descriptors `launcher` and `stop` is readable."""
    crashes = 0
    while not _told(launcher, stop, 0):
        if needs and not _answers(needs):
            _told(launcher, stop, 0.05)
            continue
        began = time.monotonic()
        child = _start(command, log)
        ended = os.pidfd_open(child.pid)
        while not select.select([launcher, stop, ended], [], [], LOOK_S)[0]:
            if log:
                shorten(log)
        os.close(ended)
        _end_group(child)
        if _told(launcher, stop, 0):
            return
        crashes = 1 if time.monotonic() - began > STEADY_S else crashes + 1
        pause = PAUSES_S[min(crashes, len(PAUSES_S)) - 1]
        print(f"keeper: ended with {child.returncode}; it starts again in {pause} s", flush=True)
        _told(launcher, stop, pause)


def _start(command: list[str], log: Path | None) -> subprocess.Popen[bytes]:
    output = log.open("ab") if log else None
    try:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT if output else None,
            start_new_session=True,
            preexec_fn=partial(end_with_parent, signal.SIGTERM),
        )
    finally:
        if output:
            output.close()


def shorten(log: Path) -> None:
    """Moves what is in a log beyond LONGEST_LOG to FILE.1. The process keeps the file open and appends, so the file
    is copied and emptied (as logrotate's copytruncate); a line of that very moment may be lost. On a full disk the log
    is emptied without a copy: its tier goes on."""
    try:
        if log.stat().st_size <= LONGEST_LOG:
            return
        with suppress(OSError):
            shutil.copyfile(log, log.with_name(f"{log.name}.1"))
        os.truncate(log, 0)
    except OSError as error:
        print(f"keeper: the log cannot be shortened: {error.strerror}", flush=True)


def _told(launcher: int, stop: int, wait_s: float) -> bool:
    return bool(select.select([launcher, stop], [], [], wait_s)[0])


def _answers(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), 1).close()
    except OSError:
        return False
    return True


def _end_group(child: subprocess.Popen[bytes]) -> None:
    """TERM, then KILL after GRACE_S, for all that the child started; also when the child itself is gone."""
    deadline = time.monotonic() + GRACE_S
    wanted = int(signal.SIGTERM)
    while time.monotonic() < deadline + 0.5:
        try:
            os.killpg(child.pid, wanted)
        except ProcessLookupError:
            break
        _reap(child)
        time.sleep(0.02)
        wanted = signal.SIGKILL if time.monotonic() > deadline else 0
    child.wait()


def _reap(child: subprocess.Popen[bytes]) -> None:
    """Takes the ended members off the group: the child, then the orphans that came to us as their subreaper."""
    while child.poll() is not None:
        try:
            if os.waitpid(-child.pid, os.WNOHANG)[0] == 0:
                return
        except ChildProcessError:
            return


def main() -> int:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--launcher", type=int, required=True)
    arguments.add_argument("--needs")
    arguments.add_argument("--log", type=Path)
    arguments.add_argument("command", nargs=argparse.REMAINDER)
    given = arguments.parse_args()
    adopt_orphans()
    stop, wakeup = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(wakeup)
    for wanted in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(wanted, lambda *_: None)
    try:
        launcher = os.pidfd_open(given.launcher)
    except ProcessLookupError:
        return 0
    keep(given.command[1:], launcher, stop, given.needs, given.log)
    return 0


if __name__ == "__main__":
    sys.exit(main())
