"""The house network: a small squeeze-and-excitation ResNet for grey images (1.28 M parameters).

It ends in a 1x1 convolution and a mean, so the class activation map (Zhou et al. 2016,
https://arxiv.org/abs/1512.04150) is exact: the map's mean is the logit, no gradients are needed to explain an
answer, and one forward pass serves logits, features and heat.

References: He et al. 2015 (https://arxiv.org/abs/1512.03385), Hu et al. 2017 (https://arxiv.org/abs/1709.01507),
He et al. 2018 for the average-pool shortcut and the zero-initialised last scale (https://arxiv.org/abs/1812.01187).
"""

from typing import Any

import keras
from keras import layers

from ml_service.architectures.layers.both_ways import BothWays, MeanOfBoth

STRIDE = 32  # input pixels per cell of the last maps


def build(
    labels: int = 1,
    channels: int = 1,
    widths: tuple[int, ...] = (32, 64, 128, 192),
    blocks: tuple[int, ...] = (1, 2, 2, 1),
    dropout: float = 0.3,
    mirrored: bool = False,
) -> keras.Model:
    """Returns an untrained network.

    Args:
        labels: number of logits; 1 for a binary task.
        channels: channels of the input.
        widths: channels of each stage.
        blocks: residual blocks of each stage; the first of every stage but the first halves the size.
        dropout: share of pooled features dropped in training.
        mirrored: answer by the mean of the image and its mirror image. The weights are the same; for training, without.

    Input shape:
        (batch_size, height, width, channels), height and width divisible by 32.

    Output shape:
        `logits` (batch_size, labels), `features` (batch_size, widths[-1]),
        `heat` (batch_size, height / 32, width / 32, labels).
    """
    inputs = keras.Input((None, None, channels), name="pixels")  # (B, H, W, C)
    seen = BothWays(name="both_ways")(inputs) if mirrored else inputs
    x = layers.Conv2D(widths[0] // 2, 5, 2, "same", use_bias=False, name="stem_conv1")(seen)
    x = layers.BatchNormalization(name="stem_norm1")(x)
    x = layers.ReLU(name="stem_relu1")(x)  # (B, H/2, W/2, widths[0] / 2)
    x = layers.Conv2D(widths[0], 3, 2, "same", use_bias=False, name="stem_conv2")(x)
    x = layers.BatchNormalization(name="stem_norm2")(x)
    x = layers.ReLU(name="stem_relu2")(x)  # (B, H/4, W/4, widths[0])
    for stage, (width, count) in enumerate(zip(widths, blocks, strict=True), start=1):
        for block in range(1, count + 1):
            halve = stage > 1 and block == 1
            x = _residual(x, width, halve, name=f"stage{stage}_block{block}")
    if mirrored:
        x = MeanOfBoth(name="mean_of_both")(x)  # all that follows is linear
    maps = layers.Identity(name="maps")(x)  # (B, H/32, W/32, widths[-1])
    features = layers.GlobalAveragePooling2D(name="features")(maps)  # (B, widths[-1])
    kept = layers.SpatialDropout2D(dropout, seed=0, name="dropout")(maps)  # whole channels, as dropout after pooling
    heat = layers.Conv2D(labels, 1, dtype="float32", name="heat")(kept)  # (B, H/32, W/32, labels)
    logits = layers.GlobalAveragePooling2D(dtype="float32", name="logits")(heat)  # (B, labels)
    return keras.Model(inputs, {"logits": logits, "features": features, "heat": heat}, name="house")


def _residual(x: Any, width: int, halve: bool, name: str) -> Any:
    """Two 3x3 convolutions, squeeze-and-excitation, shortcut. (B, H, W, C) -> (B, H', W', width)"""
    y = layers.Conv2D(width, 3, 2 if halve else 1, "same", use_bias=False, name=f"{name}_conv1")(x)
    y = layers.BatchNormalization(name=f"{name}_norm1")(y)
    y = layers.ReLU(name=f"{name}_relu1")(y)
    y = layers.Conv2D(width, 3, padding="same", use_bias=False, name=f"{name}_conv2")(y)
    y = layers.BatchNormalization(gamma_initializer="zeros", name=f"{name}_norm2")(y)
    y = _excite(y, width, name)
    if halve:
        x = layers.AveragePooling2D(2, padding="same", name=f"{name}_shortcut_pool")(x)
    if x.shape[-1] != width:
        x = layers.Conv2D(width, 1, use_bias=False, name=f"{name}_shortcut_conv")(x)
        x = layers.BatchNormalization(name=f"{name}_shortcut_norm")(x)
    y = layers.Add(name=f"{name}_add")([x, y])
    return layers.ReLU(name=f"{name}_relu2")(y)


def _excite(x: Any, width: int, name: str) -> Any:
    """Scales every channel by a gate made from all channels' means. (B, H, W, width) -> same"""
    gate = layers.GlobalAveragePooling2D(keepdims=True, name=f"{name}_squeeze")(x)  # (B, 1, 1, width)
    gate = layers.Dense(width // 8, activation="relu", name=f"{name}_reduce")(gate)
    gate = layers.Dense(width, activation="sigmoid", name=f"{name}_gate")(gate)  # (B, 1, 1, width)
    return layers.Multiply(name=f"{name}_excite")([x, gate])
