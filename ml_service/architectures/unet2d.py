"""A small U-Net (Ronneberger et al. 2015, https://arxiv.org/abs/1505.04597) for masks of grey images.

It keeps the contract of the other image networks, so the same engines run it: `heat` holds every pixel's logits, which
are the mask, and `logits` their mean.

0.78 M parameters with the default widths.
"""

from typing import Any

import keras
from keras import layers


def build(labels: int = 1, channels: int = 1, widths: tuple[int, ...] = (16, 32, 64, 96, 128)) -> keras.Model:
    """Returns an untrained network.

    Args:
        labels: number of logits a pixel; each is a yes or no of its own.
        channels: channels of the input.
        widths: channels of each level; every level but the last halves the size.

    Input shape:
        (batch_size, height, width, channels), height and width divisible by 2 for each level but the last.

    Output shape:
        `logits` (batch_size, labels), `features` (batch_size, widths[-1]): the bottom's mean,
        `heat` (batch_size, height, width, labels): above 0 inside.
    """
    inputs = keras.Input((None, None, channels), name="pixels")  # (B, H, W, C)
    x, skips = inputs, []
    for level, width in enumerate(widths, start=1):
        x = _convolve(x, width, f"down{level}_1")
        x = _convolve(x, width, f"down{level}_2")
        if level < len(widths):
            skips.append(x)
            x = layers.MaxPooling2D(2, name=f"down{level}_pool")(x)
    features = layers.GlobalAveragePooling2D(dtype="float32", name="features")(x)  # (B, widths[-1])
    for level in range(len(widths) - 1, 0, -1):
        x = layers.Conv2DTranspose(widths[level - 1], 2, 2, name=f"up{level}_grow")(x)
        x = layers.Concatenate(name=f"up{level}_join")([x, skips.pop()])
        x = _convolve(x, widths[level - 1], f"up{level}_1")
        x = _convolve(x, widths[level - 1], f"up{level}_2")
    heat = layers.Conv2D(labels, 1, dtype="float32", name="heat")(x)  # (B, H, W, labels)
    logits = layers.GlobalAveragePooling2D(dtype="float32", name="logits")(heat)  # (B, labels)
    return keras.Model(inputs, {"logits": logits, "features": features, "heat": heat}, name="unet2d")


def _convolve(x: Any, width: int, name: str) -> Any:
    """3x3 convolution, norm, ReLU. (B, H, W, C) -> (B, H, W, width)"""
    x = layers.Conv2D(width, 3, padding="same", use_bias=False, name=f"{name}_conv")(x)
    x = layers.BatchNormalization(momentum=0.9, name=f"{name}_norm")(x)
    return layers.ReLU(name=f"{name}_relu")(x)
