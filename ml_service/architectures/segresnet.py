"""SegResNet (Myronenko 2018, https://arxiv.org/abs/1810.11654) without its auto-encoder branch, as MONAI has it.

Residual blocks with normalisation first; the way up is a 1x1x1 convolution, trilinear growth and a sum.

4.70 M parameters with the default widths.
"""

from typing import Any

import keras
from keras import layers

from ml_service.architectures.layers.grow import Grow
from ml_service.architectures.layers.volume_norm import VolumeNorm


def build(
    labels: int = 1,
    channels: int = 1,
    width: int = 16,
    blocks_down: tuple[int, ...] = (1, 2, 2, 4),
    blocks_up: tuple[int, ...] = (1, 1, 1),
    groups: int = 8,
) -> keras.Model:
    """Returns an untrained network.

    Args:
        labels: number of logits a voxel.
        channels: channels of the input.
        width: channels of the first level; each level below has twice as many.
        blocks_down: residual blocks of each level on the way down.
        blocks_up: the same on the way up, one level fewer.
        groups: channel groups of the normalisations.

    Input shape:
        (batch_size, depth, height, width, channels), each size divisible by 2 for each level but the first.

    Output shape:
        `logits` (batch_size, depth, height, width, labels) float32, `features` (batch_size, channels of the bottom).

    Raises:
        ValueError: unless there is one level fewer up than down.
    """
    if len(blocks_up) != len(blocks_down) - 1:
        raise ValueError(f"Expected one level fewer up than down. Received: {len(blocks_up)} and {len(blocks_down)}")
    inputs = keras.Input((None, None, None, channels), name="voxels")  # (B, D, H, W, C)
    x, skips = _convolve(inputs, width, "stem"), []
    for level, count in enumerate(blocks_down, start=1):
        if level > 1:
            skips.append(x)
            x = layers.ZeroPadding3D(1, name=f"down{level}_pad")(x)  # on both sides, which "same" does not
            x = layers.Conv3D(width * 2 ** (level - 1), 3, 2, use_bias=False, name=f"down{level}_halve")(x)
        for block in range(1, count + 1):
            x = _residual(x, groups, f"down{level}_block{block}")
    bottom = x
    for level, count in zip(range(len(blocks_up), 0, -1), blocks_up, strict=True):
        x = layers.Conv3D(width * 2 ** (level - 1), 1, use_bias=False, name=f"up{level}_conv")(x)
        x = Grow(name=f"up{level}_grow")(x)
        x = layers.Add(name=f"up{level}_join")([x, skips.pop()])
        for block in range(1, count + 1):
            x = _residual(x, groups, f"up{level}_block{block}")
    x = _normalise(x, groups, "head")
    logits = layers.Conv3D(labels, 1, dtype="float32", name="head")(x)  # (B, D, H, W, labels)
    features = layers.GlobalAveragePooling3D(dtype="float32", name="features")(bottom)
    return keras.Model(inputs, {"logits": logits, "features": features}, name="segresnet")


def _residual(x: Any, groups: int, name: str) -> Any:
    """Norm, ReLU and 3x3x3 convolution, twice, and a sum. (B, D, H, W, C) -> same"""
    y = _convolve(_normalise(x, groups, f"{name}_1"), x.shape[-1], f"{name}_1")
    y = _convolve(_normalise(y, groups, f"{name}_2"), x.shape[-1], f"{name}_2")
    return layers.Add(name=f"{name}_add")([x, y])


def _normalise(x: Any, groups: int, name: str) -> Any:
    x = VolumeNorm(groups, name=f"{name}_norm")(x)
    return layers.ReLU(name=f"{name}_relu")(x)


def _convolve(x: Any, filters: int, name: str) -> Any:
    return layers.Conv3D(filters, 3, padding="same", use_bias=False, name=f"{name}_conv")(x)
