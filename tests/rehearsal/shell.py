"""Runs a command and says what it said when it fails."""

import subprocess
from pathlib import Path


def run(*command: str | Path, check: bool = True, timeout_s: float = 120, input: str | None = None) -> str:
    """What it wrote, output and errors together. Raises AssertionError with that text when it fails.

    `input` is what it reads; nothing unless told.
    """
    done = subprocess.run(
        list(command),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=timeout_s,
        input=input if input is not None else "",
    )
    output = str(done.stdout)
    assert not check or done.returncode == 0, f"{' '.join(map(str, command))} ended with {done.returncode}:\n{output}"
    return output
