"""mosec (https://mosecorg.github.io/mosec): `python -m benchmarks.peers.with_mosec --port PORT`.

Two processes prepare, one holds the network: its documentation's split by cost.
"""

from typing import Any

from mosec import Server, Worker

from benchmarks.peers import BATCH, Pixels, Reader, logits, opened


class Prepare(Worker):  # type: ignore[misc]  # mosec has no types
    def __init__(self) -> None:
        super().__init__()
        self._reader = Reader()

    def deserialize(self, data: bytes) -> Pixels:
        return self._reader.pixels(bytes(data))

    def forward(self, data: Pixels) -> Pixels:
        return data


class Infer(Worker):  # type: ignore[misc]  # mosec has no types
    def __init__(self, network: Any = None) -> None:
        super().__init__()
        self._network = network or opened()

    def forward(self, data: list[Pixels]) -> list[dict[str, Any]]:
        return [{"logit": value} for value in logits(self._network, data)]


if __name__ == "__main__":
    server = Server()
    server.append_worker(Prepare, num=2)
    server.append_worker(Infer, num=1, max_batch_size=BATCH, max_wait_time=1)
    server.run()
