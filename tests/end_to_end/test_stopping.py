"""However the launcher ends, no process of its portal is left."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.end_to_end.portal import TIERS, Portal, alive, launch, wait_for

ENDS = [(signal.SIGINT, 0), (signal.SIGTERM, 0), (signal.SIGKILL, -9)]


@pytest.fixture
def starting(tmp_path: Path) -> Iterator[Portal]:
    """A portal that has begun to start its tiers."""
    portal = launch(tmp_path / "var")
    try:
        wait_for(portal, "Starting the tiers")
        yield portal
    finally:
        portal.process.kill()
        portal.process.wait()


@pytest.mark.parametrize(("number", "status"), ENDS)
def test_nothing_is_left(starting: Portal, number: signal.Signals, status: int) -> None:
    deadline = time.monotonic() + 60
    while not all(starting.tier(name) for name in TIERS):
        assert time.monotonic() < deadline, [name for name in TIERS if not starting.tier(name)]
        time.sleep(0.2)
    if number is signal.SIGKILL:
        wait_for(starting, "Ready after")  # from then on nobody writes a line that would break a pipe
    processes = starting.processes()
    assert starting.stop(number) == status
    assert _left(processes, within_s=0 if status == 0 else 8) == []


def test_nothing_is_left_of_one_that_was_stopped_while_it_started(starting: Portal) -> None:
    assert starting.stop() == 0
    assert list((starting.data_dir / "run").glob("*.sock")) == []


@pytest.mark.parametrize("after_s", [0.05, 0.2, 0.5])
def test_nor_a_moment_later(starting: Portal, after_s: float) -> None:
    time.sleep(after_s)
    processes = starting.processes()
    assert starting.stop() == 0
    assert alive(processes) == []


def _left(processes: list[psutil.Process], within_s: float) -> list[psutil.Process]:
    deadline = time.monotonic() + within_s
    while (left := alive(processes)) and time.monotonic() < deadline:
        time.sleep(0.1)
    return left
