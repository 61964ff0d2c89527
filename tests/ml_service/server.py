"""The real ML tier in a process of its own."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from ml_service import manifest as manifests
from ml_service.settings import SHIPPED

ROOT = Path(__file__).parents[2]
TOKEN = "a token for this test"
READY_WITHIN_S = 180  # it takes 3 on an idle machine


@contextmanager
def ml_server(folder: Path, **settings: str) -> Iterator[str]:
    """Gives "host:port" of a tier that is ready. `folder` takes its log; `settings` are its LIGHTBOX_* variables."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        bind = f"127.0.0.1:{free.getsockname()[1]}"
    command = [sys.executable, "-m", "gunicorn", "-c", "ml_service/gunicorn.conf.py", "-b", bind]
    environment = os.environ | {"LIGHTBOX_ML_SERVICE_TOKEN": TOKEN} | settings
    with (folder / "log").open("w+") as log:
        server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        try:
            until = time.monotonic() + READY_WITHIN_S
            while not is_ready(bind):
                assert server.poll() is None and time.monotonic() < until, Path(log.name).read_text()
                time.sleep(0.2)
            yield bind
        finally:
            server.terminate()
            server.wait(20)


def is_ready(bind: str) -> bool:
    try:
        return requests.get(f"http://{bind}/readyz", timeout=2).status_code == 200
    except requests.RequestException:
        return False


def token() -> dict[str, str]:
    """A new dict each time: Triton's client writes its own headers into it."""
    return {"X-Service-Token": TOKEN}


def copy_version(models: Path, version: str) -> Path:
    """Puts the shipped pneumonia/1 into a model directory under another version number."""
    folder = models / "pneumonia" / version
    shutil.copytree(SHIPPED / "pneumonia" / "1", folder)
    path = folder / manifests.FILE
    path.write_text(json.dumps(json.loads(path.read_text()) | {"version": version}))
    return folder
