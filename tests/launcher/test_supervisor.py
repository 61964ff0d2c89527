"""Processes under honcho in threads: no fork of the launcher, and no shared memory, which some hosts have none of."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import _multiprocessing, psutil, sys

def refuse(*args):  # as where /dev/shm is missing
    raise OSError(38, "Function not implemented")

_multiprocessing.SemLock = refuse
from launcher.supervisor import Supervisor

class Printer:
    width = 0
    def write(self, message):
        text = message.data.decode() if isinstance(message.data, bytes) else message.data
        print(message.name, text.strip(), flush=True)
        if text.strip() == "there":
            print("children", sorted(child.name() for child in psutil.Process().children(True)), flush=True)

supervisor = Supervisor(Printer())
supervisor.add_process("stays", "exec sleep 60")
supervisor.add_process("ends", "sleep 0.5; echo there; sleep 0.5; exit {status}")
supervisor.loop()
print("returned", supervisor.returncode)
"""


@pytest.mark.parametrize("status", [0, 3])
def test_when_one_ends_all_end_and_none_was_forked(status: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.replace("{status}", str(status))],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    said = done.stdout.splitlines()
    assert "children ['sh', 'sleep', 'sleep']" in said  # one shell with its sleep, and the other sleep
    assert f"system ends stopped (rc={status})" in said
    assert "system stays stopped (rc=-15)" in said
    assert said[-1] == f"returned {status}" and done.stderr == ""


def test_a_process_that_cannot_be_started_ends_the_launcher() -> None:
    script = SCRIPT.replace(
        '"sleep 0.5; echo there; sleep 0.5; exit {status}"', '"true", cwd="/there/is/no/such/folder"'
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 1 and "FileNotFoundError" in done.stderr
