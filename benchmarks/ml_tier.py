"""The ML tier alone, over HTTP, asked as the worker asks it."""

import itertools
import json
import struct
import threading
from collections.abc import Sequence

import requests

from benchmarks.servers import RunningPortal

OUTPUTS = [{"name": name, "parameters": {"binary_data": True}} for name in ("findings", "heatmap")]


class MlTier:
    """Clients of the Open Inference Protocol with its binary tensor extension."""

    def __init__(self, address: str, token: str, films: Sequence[bytes]) -> None:
        self._url = f"http://{address}/v2/models/pneumonia/infer"
        self._token = token
        self._films, self._numbers, self._sessions = films, itertools.count(), threading.local()

    @classmethod
    def of(cls, portal: RunningPortal, films: Sequence[bytes]) -> "MlTier":
        """The ML tier of a running portal."""
        token = (portal.data_dir / "secrets" / "ml_service_token").read_text()
        return cls(f"127.0.0.1:{portal.port_of('ml')}", token, films)

    def ask(self, client: int) -> None:
        """One film, findings and heatmap."""
        film = self._films[next(self._numbers) % len(self._films)]
        tensor = struct.pack("<I", len(film)) + film
        parameters = {"binary_data_size": len(tensor)}
        study = {"name": "study", "shape": [1], "datatype": "BYTES", "parameters": parameters}
        head = json.dumps({"inputs": [study], "outputs": OUTPUTS}).encode()
        if not hasattr(self._sessions, "of_thread"):
            self._sessions.of_thread = requests.Session()
        answer = self._sessions.of_thread.post(
            self._url,
            data=head + tensor,
            headers={"Inference-Header-Content-Length": str(len(head)), "X-Service-Token": self._token},
            timeout=60,
        )
        answer.raise_for_status()
