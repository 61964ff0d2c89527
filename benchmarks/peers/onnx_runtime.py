"""The network on ONNX Runtime in float32, the engine that a server is given when nobody has measured engines: the
targets for the ML tier were set beside it. tf2onnx makes it of the same weights, for the logits alone.
"""

import os
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.shipped import FOLDER, shipped
from ml_service.manifest import WEIGHTS


class Answered(NamedTuple):
    """What one pass gives."""

    logits: NDArray[np.float32]  # (B, labels)


class Network:
    """Takes batches as the ML tier's networks do."""

    def __init__(self) -> None:
        import onnxruntime

        self._session = onnxruntime.InferenceSession(_as_onnx(), providers=["CPUExecutionProvider"])

    def __call__(self, pixels: NDArray[np.float32]) -> Answered:
        """Runs a batch (B, side, side, 1)."""
        return Answered(*self._session.run(None, {"pixels": pixels}))


def _as_onnx() -> bytes:
    os.environ["KERAS_BACKEND"] = "tensorflow"
    import tensorflow as tf
    import tf2onnx

    from ml_service import architectures
    from ml_service.weights import load_into

    manifest = shipped()
    model = architectures.build(manifest.architecture, manifest.params)
    load_into(model, FOLDER / WEIGHTS)
    takes = [tf.TensorSpec((None, manifest.side, manifest.side, 1), tf.float32, name="pixels")]
    run = tf.function(lambda pixels: model(pixels, training=False)["logits"], input_signature=takes)
    made, _ = tf2onnx.convert.from_function(run, input_signature=takes, opset=18)
    written: bytes = made.SerializeToString()
    return written
