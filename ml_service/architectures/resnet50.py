"""ResNet50 (He et al. 2015, https://arxiv.org/abs/1512.03385) as Keras builds it, with the head of the chest-film
classifier it comes from: twice a dense layer of 256 with an L2 penalty, batch norm, ReLU and dropout.

24,180,353 parameters (moving means and variances included) with 3 channels and 1 label.
"""

from typing import Any

import keras
from keras import layers

from ml_service.architectures.layers.explained_head import ExplainedHead
from ml_service.architectures.layers.planes import Planes

STAGES = ((64, 3), (128, 4), (256, 6), (512, 3))  # inner channels and blocks of each


def build(labels: int = 1, channels: int = 3, width: float = 1.0, dropout: float = 0.3) -> keras.Model:
    """Returns an untrained network. Its L2 penalty stands in `network.losses`; training has to add it.

    Args:
        labels: number of logits; 1 for a binary task.
        channels: planes of the image; a grey one is repeated.
        width: share of the original's channels and hidden units (256).
        dropout: share of each hidden layer that is dropped in training.

    Input shape:
        (batch_size, height, width, 1 or channels), at least 32 x 32.

    Output shape:
        `logits` (batch_size, labels), `features` (batch_size, 2048 * width),
        `heat` (batch_size, height / 32, width / 32, labels), sizes rounded up.
    """
    inputs = keras.Input((None, None, None), name="pixels")  # (B, H, W, 1 or C)
    x = Planes(channels, name="planes")(inputs)
    x = layers.ZeroPadding2D(3, name="conv1_pad")(x)
    x = layers.Conv2D(_scaled(64, width), 7, 2, name="conv1_conv")(x)
    x = _norm_relu(x, "conv1")
    x = layers.ZeroPadding2D(1, name="pool1_pad")(x)
    x = layers.MaxPooling2D(3, 2, name="pool1_pool")(x)  # (B, H/4, W/4, 64)
    for stage, (filters, blocks) in enumerate(STAGES, start=2):
        for block in range(1, blocks + 1):
            stride = 2 if stage > 2 and block == 1 else 1
            x = _bottleneck(x, _scaled(filters, width), stride, block == 1, name=f"conv{stage}_block{block}")
    maps = x  # (B, H/32, W/32, 2048)
    features = layers.GlobalAveragePooling2D(name="features", dtype="float32")(maps)  # (B, 2048)
    units = _scaled(256, width)
    head = ExplainedHead((units, units), labels, join="mean", norm=True, dropout=dropout, l2=0.001, name="head")
    logits, heat = head(maps)  # (B, labels), (B, H/32, W/32, labels)
    return keras.Model(inputs, {"logits": logits, "features": features, "heat": heat}, name="resnet50")


def _bottleneck(x: Any, filters: int, stride: int, project: bool, name: str) -> Any:
    """1x1, 3x3 and 1x1 convolution, and the shortcut. (B, H, W, C) -> (B, H / stride, W / stride, 4 * filters)"""
    shortcut = x
    if project:
        shortcut = layers.Conv2D(4 * filters, 1, stride, name=f"{name}_0_conv")(x)
        shortcut = layers.BatchNormalization(epsilon=1.001e-5, name=f"{name}_0_bn")(shortcut)
    x = layers.Conv2D(filters, 1, stride, name=f"{name}_1_conv")(x)
    x = _norm_relu(x, f"{name}_1")
    x = layers.Conv2D(filters, 3, padding="same", name=f"{name}_2_conv")(x)
    x = _norm_relu(x, f"{name}_2")
    x = layers.Conv2D(4 * filters, 1, name=f"{name}_3_conv")(x)
    x = layers.BatchNormalization(epsilon=1.001e-5, name=f"{name}_3_bn")(x)
    x = layers.Add(name=f"{name}_add")([shortcut, x])
    return layers.ReLU(name=f"{name}_out")(x)


def _norm_relu(x: Any, name: str) -> Any:
    x = layers.BatchNormalization(epsilon=1.001e-5, name=f"{name}_bn")(x)
    return layers.ReLU(name=f"{name}_relu")(x)


def _scaled(units: int, width: float) -> int:
    """Returns `units * width`, rounded to a multiple of 8 for the processor's sake."""
    return 8 * max(1, round(units * width / 8))
