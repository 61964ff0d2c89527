"""Four convolutions and two dense layers: the "4-layer CNN" of the brain-tumour classifier it comes from.

5,883,330 learnt parameters with 3 channels and 2 labels.
"""

from typing import Any

import keras
from keras import layers

from ml_service.architectures.layers.adaptive_pool import AdaptivePool
from ml_service.architectures.layers.explained_head import ExplainedHead
from ml_service.architectures.layers.planes import Planes


def build(labels: int = 1, channels: int = 3, width: float = 1.0) -> keras.Model:
    """Returns an untrained network.

    Args:
        labels: number of logits; 1 for a binary task.
        channels: planes of the image; a grey one is repeated.
        width: share of the original's channels (64 and 128) and hidden units (896).

    Input shape:
        (batch_size, height, width, 1 or channels), at least 4 x 4.

    Output shape:
        `logits` (batch_size, labels), `features` (batch_size, 128 * width), `heat` (batch_size, 7, 7, labels).
    """
    inputs = keras.Input((None, None, None), name="pixels")  # (B, H, W, 1 or C)
    x = Planes(channels, name="planes")(inputs)
    for number, (filters, halve) in enumerate(((64, False), (64, True), (128, False), (128, True)), start=1):
        x = _convolve(x, _scaled(filters, width), halve, name=f"layer{number}")
    maps = AdaptivePool(7, name="maps")(x)  # (B, 7, 7, 128)
    features = layers.GlobalAveragePooling2D(name="features", dtype="float32")(maps)  # (B, 128)
    head = ExplainedHead((_scaled(896, width),), labels, join="flat", dropout=0.5, name="head")
    logits, heat = head(maps)  # (B, labels), (B, 7, 7, labels)
    return keras.Model(inputs, {"logits": logits, "features": features, "heat": heat}, name="cnn4")


def _convolve(x: Any, filters: int, halve: bool, name: str) -> Any:
    """3x3 convolution, norm, ReLU, perhaps a 2x2 maximum. (B, H, W, C) -> (B, H', W', filters)"""
    x = layers.Conv2D(filters, 3, padding="same", name=f"{name}_conv")(x)
    x = layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name=f"{name}_norm")(x)
    x = layers.ReLU(name=f"{name}_relu")(x)
    return layers.MaxPooling2D(2, name=f"{name}_pool")(x) if halve else x


def _scaled(units: int, width: float) -> int:
    """Returns `units * width`, rounded to a multiple of 8 for the processor's sake."""
    return 8 * max(1, round(units * width / 8))
