"""LitServe (https://lightning.ai/docs/litserve): `python -m benchmarks.peers.with_litserve PORT`."""

import sys
from typing import Annotated, Any

import litserve
from fastapi import Body, Response

from benchmarks.peers import BATCH, Pixels, Reader, logits, opened


class Api(litserve.LitAPI):  # type: ignore[misc]  # LitServe has no types
    def setup(self, device: str) -> None:
        self._reader, self._network = Reader(), opened()

    def decode_request(self, request: Annotated[bytes, Body(media_type="application/octet-stream")]) -> bytes:
        return request

    def batch(self, inputs: list[bytes]) -> list[Pixels]:
        return [self._reader.pixels(body) for body in inputs]

    def predict(self, x: list[Pixels], **_: Any) -> list[float]:
        return logits(self._network, x)

    def unbatch(self, output: list[float]) -> list[float]:
        return output

    def encode_response(self, output: float, **_: Any) -> Response:
        return Response(f'{{"logit": {output}}}', media_type="application/json")


if __name__ == "__main__":
    api = Api(max_batch_size=BATCH, batch_timeout=0.001)
    server = litserve.LitServer(api, accelerator="cpu", workers_per_device=1)
    server.run(host="127.0.0.1", port=int(sys.argv[1]), generate_client_file=False, log_level="warning")
