"""VGG16 with batch normalisation (Simonyan and Zisserman 2014, https://arxiv.org/abs/1409.1556; Ioffe and Szegedy 2015,
https://arxiv.org/abs/1502.03167), as torchvision builds it.

134,277,186 learnt parameters with 3 channels and 2 labels, most of them in the first dense layer.
"""

from typing import Any, Literal

import keras
from keras import layers

from ml_service.architectures.layers.adaptive_pool import AdaptivePool
from ml_service.architectures.layers.back_through import BackThrough, Step
from ml_service.architectures.layers.explained_head import ExplainedHead
from ml_service.architectures.layers.planes import Planes

BLOCKS = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))  # channels and convolutions of each


def build(
    labels: int = 1, channels: int = 3, width: float = 1.0, dropout: float = 0.5, heat_of: Literal[4, 5] = 4
) -> keras.Model:
    """Returns an untrained network.

    Args:
        labels: number of logits; 1 for a binary task.
        channels: planes of the image; a grey one is repeated.
        width: share of the original's channels and hidden units (4096).
        dropout: share of each hidden layer that is dropped in training.
        heat_of: the block whose maps the heat is of. Those of block 4 tell places apart twice as finely, and each sees
            100 pixels, of block 5 212: there the hot places are not where the answer rests, measured on films.

    Input shape:
        (batch_size, height, width, 1 or channels), at least 32 x 32.

    Output shape:
        `logits` (batch_size, labels), `features` (batch_size, 512 * width), `heat` (batch_size, height / 16,
        width / 16, labels), or (batch_size, 7, 7, labels) of block 5.

    Raises:
        ValueError: for heat of another block.
    """
    if heat_of not in (4, 5):
        raise ValueError(f"Expected heat_of as 4 or 5. Received: {heat_of!r}")
    inputs = keras.Input((None, None, None), name="pixels")  # (B, H, W, 1 or C)
    x = Planes(channels, name="planes")(inputs)
    for block, (filters, count) in enumerate(BLOCKS, start=1):
        before, steps, rectified = x, [], []
        for number in range(1, count + 1):
            step, x = _convolve(x, _scaled(filters, width), name=f"block{block}", number=number)
            steps.append(step)
            rectified.append(x)
        x = layers.MaxPooling2D(2, name=f"block{block}_pool")(x)
    maps = AdaptivePool(7, name="maps")(x)  # (B, 7, 7, 512), from (B, H/32, W/32, 512)
    features = layers.GlobalAveragePooling2D(name="features", dtype="float32")(maps)  # (B, 512)
    units = _scaled(4096, width)
    gives: Literal["heat", "gradient"] = "gradient" if heat_of == 4 else "heat"
    head = ExplainedHead((units, units), labels, join="flat", dropout=dropout, gives=gives, name="head")
    logits, heat = head(maps)
    if heat_of == 4:
        heat = BackThrough(steps, name="heat")(heat, before, rectified, x)  # (B, H/16, W/16, labels)
    return keras.Model(inputs, {"logits": logits, "features": features, "heat": heat}, name="vgg16_bn")


def _convolve(x: Any, filters: int, name: str, number: int) -> tuple[Step, Any]:
    """3x3 convolution, norm, ReLU. (B, H, W, C) -> the first two, and (B, H, W, filters)"""
    start = keras.initializers.HeNormal(seed=None)
    convolution = layers.Conv2D(filters, 3, padding="same", kernel_initializer=start, name=f"{name}_conv{number}")
    norm = layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name=f"{name}_norm{number}")
    return (convolution, norm), layers.ReLU(name=f"{name}_relu{number}")(norm(convolution(x)))


def _scaled(units: int, width: float) -> int:
    """Returns `units * width`, rounded to a multiple of 8 for the processor's sake."""
    return 8 * max(1, round(units * width / 8))
