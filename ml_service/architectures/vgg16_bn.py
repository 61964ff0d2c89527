"""VGG16 with batch normalisation (Simonyan and Zisserman 2014, https://arxiv.org/abs/1409.1556; Ioffe and Szegedy 2015,
https://arxiv.org/abs/1502.03167), as torchvision builds it.

134,277,186 learnt parameters with 3 channels and 2 labels, most of them in the first dense layer.
"""

from typing import Any

import keras
from keras import layers

from ml_service.architectures.layers.adaptive_pool import AdaptivePool
from ml_service.architectures.layers.explained_head import ExplainedHead
from ml_service.architectures.layers.planes import Planes

BLOCKS = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))  # channels and convolutions of each


def build(labels: int = 1, channels: int = 3, width: float = 1.0, dropout: float = 0.5) -> keras.Model:
    """Returns an untrained network.

    Args:
        labels: number of logits; 1 for a binary task.
        channels: planes of the image; a grey one is repeated.
        width: share of the original's channels and hidden units (4096).
        dropout: share of each hidden layer that is dropped in training.

    Input shape:
        (batch_size, height, width, 1 or channels), at least 32 x 32.

    Output shape:
        `logits` (batch_size, labels), `features` (batch_size, 512 * width), `heat` (batch_size, 7, 7, labels).
    """
    inputs = keras.Input((None, None, None), name="pixels")  # (B, H, W, 1 or C)
    x = Planes(channels, name="planes")(inputs)
    for block, (filters, count) in enumerate(BLOCKS, start=1):
        for number in range(1, count + 1):
            x = _convolve(x, _scaled(filters, width), name=f"block{block}", number=number)
        x = layers.MaxPooling2D(2, name=f"block{block}_pool")(x)
    maps = AdaptivePool(7, name="maps")(x)  # (B, 7, 7, 512), from (B, H/32, W/32, 512)
    features = layers.GlobalAveragePooling2D(name="features", dtype="float32")(maps)  # (B, 512)
    units = _scaled(4096, width)
    logits, heat = ExplainedHead((units, units), labels, join="flat", dropout=dropout, name="head")(maps)
    return keras.Model(inputs, {"logits": logits, "features": features, "heat": heat}, name="vgg16_bn")


def _convolve(x: Any, filters: int, name: str, number: int) -> Any:
    """3x3 convolution, norm, ReLU. (B, H, W, C) -> (B, H, W, filters)"""
    start = keras.initializers.HeNormal(seed=None)
    x = layers.Conv2D(filters, 3, padding="same", kernel_initializer=start, name=f"{name}_conv{number}")(x)
    x = layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name=f"{name}_norm{number}")(x)
    return layers.ReLU(name=f"{name}_relu{number}")(x)


def _scaled(units: int, width: float) -> int:
    """Returns `units * width`, rounded to a multiple of 8 for the processor's sake."""
    return 8 * max(1, round(units * width / 8))
