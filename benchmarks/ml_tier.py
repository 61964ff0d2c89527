"""The ML tier alone, over HTTP: clients of the Open Inference Protocol with its binary tensor extension."""

import itertools
import json
import struct
import time
from collections.abc import Sequence
from typing import Any

import urllib3

from benchmarks.servers import RunningPortal
from benchmarks.shipped import FOLDER

AS_THE_WORKER = ("findings", "heatmap")
_HEADER_LENGTH = "Inference-Header-Content-Length"


class MlTier:
    """`asks` are whole request bodies with the length of their JSON, as `films` and `tensors` make them."""

    def __init__(self, address: str, token: str, asks: Sequence[tuple[bytes, int]]) -> None:
        self._models = f"http://{address}/v2/models"
        self._url = f"{self._models}/pneumonia/versions/{FOLDER.name}/infer"
        self._token, self._asks, self._numbers = token, asks, itertools.count()
        self._pool = urllib3.PoolManager(maxsize=32, timeout=60)

    @classmethod
    def of(cls, portal: RunningPortal, pictures: Sequence[bytes]) -> "MlTier":
        """The ML tier of a running portal."""
        token = (portal.data_dir / "secrets" / "ml_service_token").read_text()
        return cls(f"127.0.0.1:{portal.port_of('ml')}", token, films(pictures))

    def wait_for(self, names: Sequence[str]) -> None:
        """Returns once each model of `names` answers: the tier is ready before the last of them is loaded."""
        headers = {"X-Service-Token": self._token}
        for name in names:
            while self._pool.request("GET", f"{self._models}/{name}/ready", headers=headers).status != 200:
                time.sleep(0.2)

    def ask(self, client: int) -> None:
        """The next one. Raises RuntimeError when it is not answered."""
        body, head = self._asks[next(self._numbers) % len(self._asks)]
        headers = {_HEADER_LENGTH: str(head), "X-Service-Token": self._token}
        answer = self._pool.request("POST", self._url, body=body, headers=headers)
        if answer.status != 200:
            raise RuntimeError(f"the ML tier answered with {answer.status}")


def films(pictures: Sequence[bytes], outputs: Sequence[str] = AS_THE_WORKER) -> list[tuple[bytes, int]]:
    """Requests about PNG or JPEG files."""
    return [_ask("study", "BYTES", [1], struct.pack("<I", len(film)) + film, outputs) for film in pictures]


def tensors(prepared: Sequence[bytes], side: int, outputs: Sequence[str], images: int = 1) -> list[tuple[bytes, int]]:
    """Requests about prepared images, each of (images, side, side, 1) little-endian float32."""
    return [_ask("pixels", "FP32", [images, side, side, 1], tensor, outputs) for tensor in prepared]


def _ask(name: str, datatype: str, shape: list[int], tensor: bytes, outputs: Sequence[str]) -> tuple[bytes, int]:
    given: dict[str, Any] = {"name": name, "shape": shape, "datatype": datatype}
    given["parameters"] = {"binary_data_size": len(tensor)}
    wanted = [{"name": output, "parameters": {"binary_data": True}} for output in outputs]
    head = json.dumps({"inputs": [given], "outputs": wanted}).encode()
    return head + tensor, len(head)
