"""The 3D U-Net of Models Genesis (Zhou et al. 2019, https://arxiv.org/abs/1908.06912), as SuPreM trains it.

Upstream normalises with a batch's own statistics even at inference, a batch being one window. Here every window is
normalised by itself, in training too: the same numbers, whatever else is in the batch. Running means and variances of a
checkpoint therefore have no place.

19.07 M parameters with the default widths, without the head.
"""

from typing import Any, Literal

import keras
from keras import layers

from ml_service.architectures.layers.text_head import TextHead
from ml_service.architectures.layers.volume_norm import VolumeNorm

STRIDE = 8  # voxels of the input per voxel of the bottom


def build(
    labels: int = 1,
    channels: int = 1,
    widths: tuple[int, ...] = (64, 128, 256, 512),
    head: Literal["text", "plain"] = "plain",
) -> keras.Model:
    """Returns an untrained network.

    Args:
        labels: number of logits a voxel.
        channels: channels of the input.
        widths: channels of each level; the first convolution of a level on the way down has half of them.
        head: "plain", a 1x1x1 convolution, or SuPreM's "text".

    Input shape:
        (batch_size, depth, height, width, channels), each size divisible by 8 (2 for each level but the last).

    Output shape:
        `logits` (batch_size, depth, height, width, labels) float32, `features` (batch_size, widths[-1]): the bottom's
        mean.

    Raises:
        ValueError: for another head.
    """
    if head not in ("text", "plain"):
        raise ValueError(f"Expected head as 'text' or 'plain'. Received: {head!r}")
    inputs = keras.Input((None, None, None, channels), name="voxels")  # (B, D, H, W, C)
    x, skips = inputs, []
    for level, width in enumerate(widths, start=1):
        x = _convolve(x, width // 2, f"down{level}_1")
        x = _convolve(x, width, f"down{level}_2")
        if level < len(widths):
            skips.append(x)
            x = layers.MaxPooling3D(2, name=f"down{level}_pool")(x)
    bottom = x  # (B, D/8, H/8, W/8, widths[-1])
    for level in range(len(widths) - 1, 0, -1):
        x = layers.Conv3DTranspose(x.shape[-1], 2, 2, name=f"up{level}_grow")(x)
        x = layers.Concatenate(name=f"up{level}_join")([x, skips.pop()])
        x = _convolve(x, widths[level - 1], f"up{level}_1")
        x = _convolve(x, widths[level - 1], f"up{level}_2")
    if head == "text":
        logits = TextHead(labels, groups=min(16, widths[0]), name="head")(x, bottom)
    else:
        logits = layers.Conv3D(labels, 1, dtype="float32", name="head")(x)  # (B, D, H, W, labels)
    features = layers.GlobalAveragePooling3D(dtype="float32", name="features")(bottom)
    return keras.Model(inputs, {"logits": logits, "features": features}, name="unet3d")


def _convolve(x: Any, filters: int, name: str) -> Any:
    """3x3x3 convolution, each channel normalised over the volume, ReLU. (B, D, H, W, C) -> (B, D, H, W, filters)"""
    x = layers.Conv3D(filters, 3, padding="same", name=f"{name}_conv")(x)
    x = VolumeNorm(name=f"{name}_norm")(x)
    return layers.ReLU(name=f"{name}_relu")(x)
