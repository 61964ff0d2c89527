"""The keeper: starts again what ends, waits for what is needed, and leaves nothing behind."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from launcher import keeper, ports
from launcher.settings import REPOSITORY

Keep = Callable[..., subprocess.Popen[bytes]]
# A process with a child; both refuse TERM. Writes both pids to the file named by its argument.
STUBBORN = """
import os, pathlib, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = os.fork()
if child:
    pathlib.Path(sys.argv[1]).write_text(f"{os.getpid()} {child}")
time.sleep(60)
"""


def eventually(true: Callable[[], object], within_s: float = 8) -> bool:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if true():
            return True
        time.sleep(0.05)
    return False


def gone(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


@pytest.fixture
def launcher() -> Iterator[subprocess.Popen[bytes]]:
    """Stands for the launcher: a process that a keeper watches."""
    process = subprocess.Popen(["sleep", "60"])
    yield process
    process.kill()
    process.wait()


@pytest.fixture
def keep(launcher: subprocess.Popen[bytes]) -> Iterator[Keep]:
    started: list[subprocess.Popen[bytes]] = []

    def start(*command: str, needs: str | None = None, log: Path | None = None) -> subprocess.Popen[bytes]:
        options = ["--launcher", str(launcher.pid), *(["--needs", needs] if needs else [])]
        options += ["--log", str(log)] if log else []
        full = [sys.executable, "-m", "launcher.keeper", *options, "--", *command]
        started.append(subprocess.Popen(full, cwd=REPOSITORY, stdout=subprocess.DEVNULL, start_new_session=True))
        return started[-1]

    yield start
    for process in started:
        process.terminate()
        process.wait(10)


def stubborn_pids(keep: Keep, tmp_path: Path) -> tuple[subprocess.Popen[bytes], list[int]]:
    told = tmp_path / "pids"
    keeper = keep(sys.executable, "-c", STUBBORN, str(told))
    assert eventually(lambda: told.exists() and len(told.read_text().split()) == 2)
    return keeper, [int(pid) for pid in told.read_text().split()]


def test_what_it_says_goes_to_its_log_across_starts(keep: Keep, tmp_path: Path) -> None:
    log = tmp_path / "tier.log"
    keep("sh", "-c", "echo out; echo err >&2; exit 3", log=log)
    assert eventually(lambda: log.exists() and log.read_text().count("out\nerr\n") >= 2)


def test_a_long_log_is_moved_aside_while_its_process_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "LONGEST_LOG", 10)
    log = tmp_path / "tier.log"
    with log.open("ab", buffering=0) as process:
        process.write(b"0123456789")
        keeper.shorten(log)
        assert log.read_bytes() == b"0123456789"
        process.write(b"A")
        keeper.shorten(log)
        process.write(b"BC")
    assert (tmp_path / "tier.log.1").read_bytes() == b"0123456789A"
    assert log.read_bytes() == b"BC"


def test_a_log_that_cannot_be_copied_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Trap: a full disk that stops the keeper, and with it the whole portal."""
    monkeypatch.setattr(keeper, "LONGEST_LOG", 10)
    log = tmp_path / "tier.log"
    log.write_bytes(b"more than ten bytes")
    (tmp_path / "tier.log.1").mkdir()  # copying fails for whomever, root too
    keeper.shorten(log)
    assert log.read_bytes() == b""
    keeper.shorten(tmp_path / "gone.log")
    assert "cannot be shortened" in capsys.readouterr().out


def test_what_ends_is_started_again(keep: Keep, tmp_path: Path) -> None:
    keep("sh", "-c", f"echo x >> {tmp_path}/starts; exit 3")
    assert eventually(lambda: (tmp_path / "starts").exists() and (tmp_path / "starts").read_text().count("x") >= 3)


def test_the_rest_of_a_group_ends_before_it_starts_again(keep: Keep, tmp_path: Path) -> None:
    _, (leader, child) = stubborn_pids(keep, tmp_path)
    (tmp_path / "pids").unlink()
    os.kill(leader, signal.SIGKILL)
    assert eventually((tmp_path / "pids").exists)
    assert gone(child)


def test_it_starts_nothing_before_its_need_answers(keep: Keep, tmp_path: Path) -> None:
    port = ports.free(1)[0]
    keep("sh", "-c", f"touch {tmp_path}/started; sleep 60", needs=f"127.0.0.1:{port}")
    time.sleep(0.7)
    assert not (tmp_path / "started").exists()
    with socket.create_server(("127.0.0.1", port)):
        assert eventually((tmp_path / "started").exists)


def test_told_to_stop_it_ends_the_whole_group_before_honcho_would_kill_it(keep: Keep, tmp_path: Path) -> None:
    keeper, pids = stubborn_pids(keep, tmp_path)
    began = time.monotonic()
    keeper.terminate()
    assert keeper.wait(10) == 0
    assert time.monotonic() - began < 4.5
    assert all(gone(pid) for pid in pids)


def test_nothing_outlives_a_launcher_that_was_killed(
    keep: Keep, launcher: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    keeper, pids = stubborn_pids(keep, tmp_path)
    launcher.kill()
    assert eventually(lambda: all(gone(pid) for pid in [keeper.pid, *pids]))


def test_a_process_is_told_to_end_when_its_keeper_was_killed(keep: Keep, tmp_path: Path) -> None:
    keeper = keep("sh", "-c", f"echo $$ > {tmp_path}/pid; exec sleep 60")
    assert eventually(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text())
    keeper.kill()
    assert eventually(lambda: gone(int((tmp_path / "pid").read_text())))
