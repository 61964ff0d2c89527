"""Ray Serve (https://docs.ray.io/en/latest/serve): `python -m benchmarks.peers.with_ray PORT`."""

import sys
import time

import ray
from ray import serve
from starlette.requests import Request

from benchmarks.peers import BATCH, Pixels, Reader, logits, opened


@serve.deployment(max_ongoing_requests=64, ray_actor_options={"num_cpus": 1})
class Film:
    def __init__(self) -> None:
        self._reader, self._network = Reader(), opened()

    @serve.batch(max_batch_size=BATCH, batch_wait_timeout_s=0.001)  # type: ignore[untyped-decorator]
    async def infer(self, pixels: list[Pixels]) -> list[float]:
        return logits(self._network, pixels)

    async def __call__(self, request: Request) -> dict[str, float]:
        return {"logit": await self.infer(self._reader.pixels(await request.body()))}


if __name__ == "__main__":
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, configure_logging=False)
    serve.start(http_options={"host": "127.0.0.1", "port": int(sys.argv[1])})
    serve.run(Film.bind(), route_prefix="/")  # type: ignore[attr-defined]
    while True:
        time.sleep(60)
