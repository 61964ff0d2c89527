"""Four convolutions, then self-attention: "CNN + attention" of the brain-tumour classifier it comes from.

As in `attention.py` the original cuts tokens by a plain reshape of memory: its "2 x 2 patch" is 4 values of the 14 x 14
maps that follow each other in a row (or go on in the next). `patches="true"` cuts squares and is another network with
the same number of parameters.

1,624,386 learnt parameters with 3 channels and 2 labels.
"""

from typing import Any, Literal

import keras
from keras import layers, ops

from ml_service.architectures.layers.adaptive_pool import AdaptivePool
from ml_service.architectures.layers.planes import Planes
from ml_service.architectures.layers.token_head import TokenHead

SIDE = 14  # cells of the maps that tokens are cut from
PATCH = 2  # cells; a token has PATCH * PATCH of them


def build(
    labels: int = 1, channels: int = 3, width: float = 1.0, patches: Literal["memory", "true"] = "memory"
) -> keras.Model:
    """Returns an untrained network.

    Args:
        labels: number of logits; 1 for a binary task.
        channels: planes of the image; a grey one is repeated.
        width: share of the original's channels (64 and 128) and of its 512 numbers a token.
        patches: "memory" as the original, or "true" squares.

    Input shape:
        (batch_size, height, width, 1 or channels), at least 4 x 4.

    Output shape:
        `logits` (batch_size, labels), `features` (batch_size, 512 * width),
        `heat` (batch_size, 14, 14, labels), or (batch_size, 7, 7, labels) for true patches.

    Raises:
        ValueError: for another kind of patch.
    """
    if patches not in ("memory", "true"):
        raise ValueError(f"Expected patches as 'memory' or 'true'. Received: {patches!r}")
    inputs = keras.Input((None, None, None), name="pixels")  # (B, H, W, 1 or C)
    x = Planes(channels, name="planes")(inputs)
    for number, (filters, halve) in enumerate(((64, False), (64, True), (128, False), (128, True)), start=1):
        x = _convolve(x, 8 * max(1, round(filters * width / 8)), halve, name=f"layer{number}")
    x = AdaptivePool(SIDE, name="pool")(x)  # (B, 14, 14, 128)
    values = PATCH * PATCH * x.shape[-1]
    x = _squares(x) if patches == "true" else ops.reshape(x, (-1, (SIDE // PATCH) ** 2, values))
    depth = 16 * max(1, round(512 * width / 16))
    logits, features, heat = TokenHead(depth, labels, name="head")(x)  # tokens: (B, 49, 512)
    if patches == "memory":  # each token's share lies evenly on its four cells
        heat = ops.repeat(heat / PATCH**2, PATCH**2, axis=1)  # (B, 196, labels)
    places = SIDE // PATCH if patches == "true" else SIDE
    heat = ops.reshape(heat, (-1, places, places, labels))
    return keras.Model(inputs, {"logits": logits, "features": features, "heat": heat}, name="cnn_attention")


def _convolve(x: Any, filters: int, halve: bool, name: str) -> Any:
    """3x3 convolution, norm, ReLU, perhaps a 2x2 maximum. (B, H, W, C) -> (B, H', W', filters)"""
    x = layers.Conv2D(filters, 3, padding="same", name=f"{name}_conv")(x)
    x = layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name=f"{name}_norm")(x)
    x = layers.ReLU(name=f"{name}_relu")(x)
    return layers.MaxPooling2D(2, name=f"{name}_pool")(x) if halve else x


def _squares(x: Any) -> Any:
    """(B, 14, 14, C) -> (B, 49, 4 * C), each token a square of 2 x 2"""
    across, channels = SIDE // PATCH, x.shape[-1]
    x = ops.reshape(x, (-1, across, PATCH, across, PATCH, channels))
    x = ops.transpose(x, (0, 1, 3, 2, 4, 5))  # (B, 7, 7, 2, 2, C)
    return ops.reshape(x, (-1, across**2, PATCH * PATCH * channels))
