"""BentoML (https://docs.bentoml.com): `python -m bentoml serve benchmarks.peers.with_bentoml:Film --port PORT`."""

import bentoml
import numpy as np
from numpy.typing import NDArray

from benchmarks.peers import BATCH, Reader, logits, opened


@bentoml.service(workers=1, traffic={"timeout": 60})
class Infer:
    def __init__(self) -> None:
        self._network = opened()

    @bentoml.api(batchable=True, max_batch_size=BATCH, max_latency_ms=1000)  # type: ignore[untyped-decorator]
    def predict(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.array(logits(self._network, list(pixels)), np.float32)


@bentoml.service(workers=1, traffic={"timeout": 60})
class Film:
    infer = bentoml.depends(Infer)

    def __init__(self) -> None:
        self._reader = Reader()

    @bentoml.api(route="/predict")  # type: ignore[untyped-decorator]
    async def predict(self, body: bytes, /) -> float:  # the whole body
        found = await self.infer.to_async.predict(self._reader.pixels(body)[np.newaxis])
        return float(found[0])
