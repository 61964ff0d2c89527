"""mosec around ONNX Runtime instead of OpenVINO: `python -m benchmarks.peers.with_mosec_onnx --port PORT`."""

from mosec import Server

from benchmarks.peers import BATCH
from benchmarks.peers.onnx_runtime import Network
from benchmarks.peers.with_mosec import Infer, Prepare


class InferOnOnnxRuntime(Infer):
    def __init__(self) -> None:
        super().__init__(Network())


if __name__ == "__main__":
    server = Server()
    server.append_worker(Prepare, num=2)
    server.append_worker(InferOnOnnxRuntime, num=1, max_batch_size=BATCH, max_wait_time=1)
    server.run()
