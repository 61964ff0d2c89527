"""What the ML tier's benchmarks reckon with: which core runs what, and whether memory grew."""

import os
import subprocess
import sys

import pytest

from benchmarks.cores import apart
from benchmarks.ml_flat import growth


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="one core")
def test_a_server_and_its_client_have_no_core_in_common() -> None:
    before = os.sched_getaffinity(0)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as server:
        with apart(server.pid):
            ours, theirs = os.sched_getaffinity(0), os.sched_getaffinity(server.pid)
            assert len(ours) == len(theirs) == 1 and ours.isdisjoint(theirs)
        assert os.sched_getaffinity(0) == os.sched_getaffinity(server.pid) == before
        server.communicate(b"\n")


def test_what_is_filled_in_the_first_half_is_no_growth() -> None:
    assert growth([500.0, 700.0, 800.0, *[900.0] * 5]) == 0


def test_one_sample_that_jumps_is_no_growth() -> None:
    assert growth([900.0] * 12 + [1400.0] + [900.0] * 7) == 0


def test_a_leak_is_growth() -> None:
    assert growth([1000.0 + 10 * step for step in range(21)]) == pytest.approx(100 / 1100, abs=1e-4)
