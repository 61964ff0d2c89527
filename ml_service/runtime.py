"""The reference runtime: TensorFlow, one compiled function a network, any batch size."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from ml_service import architectures
from ml_service.manifest import WEIGHTS, Manifest
from ml_service.weights import load_into


class Outputs(NamedTuple):
    """What one pass of the network gives."""

    logits: NDArray[np.float32]  # (B, labels)
    features: NDArray[np.float32]  # (B, C), pooled maps
    heat: NDArray[np.float32]  # (B, h, w, labels), what each place adds to each logit


class Network:
    """A version's network, ready to run. Not thread-safe by promise: the batcher calls it from one thread."""

    def __init__(self, manifest: Manifest, folder: Path) -> None:
        model = architectures.build(manifest.architecture, manifest.params)
        load_into(model, folder / WEIGHTS)
        self.side = manifest.side
        signature = tf.TensorSpec((None, manifest.side, manifest.side, 1), tf.float32)
        # tf.function, never model.predict: that one costs an order of magnitude for a single image.
        self._run = tf.function(lambda x: model(x, training=False), input_signature=[signature])

    def __call__(self, pixels: NDArray[np.float32]) -> Outputs:
        """Runs a batch (B, side, side, 1)."""
        out = self._run(tf.constant(pixels))
        return Outputs(out["logits"].numpy(), out["features"].numpy(), out["heat"].numpy())

    def warm(self, rows: int) -> None:
        """Runs the smallest and the largest batch, so that no request pays for the first pass."""
        for count in (1, rows):
            self(np.zeros((count, self.side, self.side, 1), np.float32))


def use_threads(count: int) -> None:
    """Limits TensorFlow to `count` threads (0: its default). Only before the first network is built."""
    if count:
        tf.config.threading.set_intra_op_parallelism_threads(count)
    tf.config.threading.set_inter_op_parallelism_threads(1)  # the network is a chain: nothing runs side by side
