"""TensorFlow: one compiled function a network, any batch size. The reference, and the engine of graphics cards."""

from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from ml_service import architectures
from ml_service.engines import Outputs
from ml_service.manifest import WEIGHTS, Manifest
from ml_service.weights import load_into


class Network:
    """A version's network on TensorFlow."""

    engine, precision = "tensorflow", "f32"
    rows: int | None = None  # it is the engine of graphics cards, and those want full batches

    def __init__(self, manifest: Manifest, folder: Path, threads: int = 0) -> None:
        if keras.backend.backend() != "tensorflow":
            raise RuntimeError("This process computes without TensorFlow. Restart the ML tier to load this version.")
        _use_threads(threads)
        model = architectures.build(manifest.architecture, manifest.params)
        load_into(model, folder / WEIGHTS)
        self.side = manifest.side
        cards = tf.config.list_physical_devices("GPU")
        self.device = str(tf.config.experimental.get_device_details(cards[0])["device_name"]) if cards else "CPU"
        channels = model.inputs[0].shape[-1] or 1  # images are grey where a network takes any
        signature = tf.TensorSpec((None, manifest.side, manifest.side, channels), tf.float32)
        # tf.function, never model.predict: that one costs an order of magnitude for a single image.
        self._run = tf.function(lambda x: model(x, training=False), input_signature=[signature])

    def __call__(self, pixels: NDArray[np.float32]) -> Outputs:
        """Runs a batch (B, side, side, channels)."""
        out = self._run(tf.constant(pixels))
        return Outputs(out["logits"].numpy(), out["features"].numpy(), out["heat"].numpy())


def _use_threads(count: int) -> None:
    """Limits TensorFlow to `count` threads (0: its default). It takes this only before its first network."""
    try:
        if count:
            tf.config.threading.set_intra_op_parallelism_threads(count)
        tf.config.threading.set_inter_op_parallelism_threads(1)  # a network is a chain: nothing runs side by side
    except RuntimeError:
        return  # it runs already
