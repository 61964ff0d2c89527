"""NVIDIA's Triton through PyTriton (https://triton-inference-server.github.io/pytriton):
`python -m benchmarks.peers.with_pytriton PORT`.

One callable reads and runs a batch that Triton has gathered. A request is the protocol's own, one BYTES element.
"""

import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pytriton.decorators import batch
from pytriton.model_config import DynamicBatcher, ModelConfig, Tensor
from pytriton.triton import Triton, TritonConfig

from benchmarks.peers import BATCH, Reader, logits, opened


def main() -> None:
    reader, network = Reader(), opened()

    @batch  # type: ignore[untyped-decorator]
    def infer(study: NDArray[Any]) -> dict[str, NDArray[np.float32]]:
        return {"logits": np.array([logits(network, [reader.pixels(row[0]) for row in study])], np.float32).T}

    port = int(sys.argv[1])
    with Triton(config=TritonConfig(http_port=port, allow_grpc=False, allow_metrics=False)) as triton:
        triton.bind(
            model_name="pneumonia",
            infer_func=infer,
            inputs=[Tensor(name="study", dtype=bytes, shape=(1,))],
            outputs=[Tensor(name="logits", dtype=np.float32, shape=(1,))],
            config=ModelConfig(max_batch_size=BATCH, batcher=DynamicBatcher(max_queue_delay_microseconds=1000)),
        )
        triton.serve()


if __name__ == "__main__":
    main()
