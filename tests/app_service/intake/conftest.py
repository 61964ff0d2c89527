"""Sandbox processes for tests: the real one, and ones whose parser misbehaves."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from app_service.intake.limits import IntakeSettings

ROOT = Path(__file__).parents[3]
# Replaces the PNG parser in the sandbox's own process by the body that a test gives.
MISBEHAVING = """
import os, signal, socket, sys, time
from pathlib import Path
from app_service.intake import image, sandbox
from portal_wire.errors import Unprocessable
def parse(data, limits):
    {body}
image.PARSERS["image/png"] = parse
sandbox.main(Path(sys.argv[1]))
"""
StartSandbox = Callable[..., tuple[Path, psutil.Popen]]


@contextmanager
def starter() -> Iterator[StartSandbox]:
    """Ends, at the end of the block, every sandbox that was started in it."""
    with tempfile.TemporaryDirectory(prefix="intake-") as folder:  # a Unix socket's path may have 107 characters
        started: list[psutil.Popen] = []

        def start(body: str | None = None) -> tuple[Path, psutil.Popen]:
            socket = Path(folder) / str(len(started))
            program = ["-m", "app_service.intake.sandbox"] if body is None else ["-c", MISBEHAVING.format(body=body)]
            process = psutil.Popen([sys.executable, *program, str(socket)], cwd=ROOT, stderr=subprocess.PIPE)
            started.append(process)
            while not socket.exists():
                assert process.poll() is None
                time.sleep(0.02)
            return socket, process

        yield start
        for process in started:
            if process.poll() is None:
                process.terminate()
                process.wait(10)
            process.stderr.close()


@pytest.fixture
def start_sandbox() -> Iterator[StartSandbox]:
    """Starts a sandbox and returns its socket and process; a `body` of statements takes the PNG parser's place."""
    with starter() as start:
        yield start


@pytest.fixture(scope="session")
def sandbox() -> Iterator[IntakeSettings]:
    """Where one real sandbox listens."""
    with starter() as start:
        yield IntakeSettings(start()[0])
