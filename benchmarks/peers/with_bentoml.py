"""BentoML (https://docs.bentoml.com): `python -m bentoml serve benchmarks.peers.with_bentoml:Film --port PORT`.

Without its batching, which wants a service of its own behind this one: between them, connections broke at 16 clients.
"""

import threading

import bentoml

from benchmarks.peers import Reader, logits, opened


@bentoml.service(workers=1, threads=4, traffic={"timeout": 60})
class Film:
    def __init__(self) -> None:
        self._reader, self._network = Reader(), opened()
        self._one_at_a_time = threading.Lock()  # the network takes one batch at a time

    @bentoml.api(route="/predict")  # type: ignore[untyped-decorator]
    def predict(self, body: bytes, /) -> float:  # the whole body
        pixels = self._reader.pixels(body)
        with self._one_at_a_time:
            return logits(self._network, [pixels])[0]
