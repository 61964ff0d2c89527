"""Each peer as processes of its own, asked at one address."""

import importlib.util
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import urllib3

from benchmarks.shipped import shipped
from launcher import ports
from launcher.settings import REPOSITORY

PATIENCE_S = 120
# The second says to Triton that there is no JSON before the film.
BINARY = {"Content-Type": "application/octet-stream", "Inference-Header-Content-Length": "0"}
_BLACK = bytes(4 * shipped().side ** 2)  # a prepared tensor


@dataclass(frozen=True)
class Peer:
    """`command` follows the interpreter, with PORT where the port belongs; `path` is where it takes a film."""

    name: str
    package: str
    command: tuple[str, ...]
    path: str
    python: str = sys.executable

    def installed(self) -> bool:
        if self.python != sys.executable:
            return Path(self.python).exists()
        return importlib.util.find_spec(self.package) is not None


_HERE = "benchmarks.peers"
PEERS = (
    Peer("mosec", "mosec", (f"{_HERE}.with_mosec", "--port", "PORT", "--timeout", "60000"), "/inference"),
    Peer(
        "mosec, ONNX Runtime",
        "onnxruntime",
        (f"{_HERE}.with_mosec_onnx", "--port", "PORT", "--timeout", "60000"),
        "/inference",
    ),
    Peer("LitServe", "litserve", (f"{_HERE}.with_litserve", "PORT"), "/predict"),
    Peer(
        "BentoML", "bentoml", ("bentoml", "serve", "benchmarks.peers.with_bentoml:Film", "--port", "PORT"), "/predict"
    ),
    Peer("Ray Serve", "ray", (f"{_HERE}.with_ray", "PORT"), "/"),
    Peer(
        "PyTriton",
        "pytriton",
        (f"{_HERE}.with_pytriton", "PORT"),
        "/v2/models/pneumonia/infer",
        str(REPOSITORY / ".venv-pytriton" / "bin" / "python"),
    ),
)


@contextmanager
def serving(peer: Peer) -> Iterator[str]:
    """The address that takes films, once it answers. Raises RuntimeError after PATIENCE_S."""
    port = str(ports.free(1)[0])
    command = [peer.python, "-m", *(port if word == "PORT" else word for word in peer.command)]
    url = f"http://127.0.0.1:{port}{peer.path}"
    with tempfile.TemporaryFile() as silent:
        process = subprocess.Popen(
            command,
            cwd=REPOSITORY,
            env=os.environ | {"RAY_AUTH_MODE": "disabled", "BENTOML_DO_NOT_TRACK": "1", "RAY_USAGE_STATS_ENABLED": "0"},
            stdout=silent,
            stderr=silent,
            start_new_session=True,  # its workers end with it
        )
        try:
            _await(url, process)
            yield url
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                process.wait(10)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def _await(url: str, process: "subprocess.Popen[bytes]") -> None:
    ends = time.monotonic() + PATIENCE_S
    pool = urllib3.PoolManager(retries=False, timeout=5)
    while time.monotonic() < ends and process.poll() is None:
        with suppress(urllib3.exceptions.HTTPError):
            if pool.request("POST", url, body=_BLACK, headers=BINARY).status == 200:
                return
        time.sleep(0.5)
    raise RuntimeError(f"{url} does not answer")
