"""MONAI's U-Net of residual units (Kerfoot et al. 2019, https://doi.org/10.1007/978-3-030-12029-0_40), in 3D.

A level goes down by a strided residual unit and up by a transposed convolution and another unit; what went past the
levels below is joined in channels. Models of the MONAI zoo (spleen and others) are of this kind.

4.81 M parameters with the spleen model's widths.
"""

from typing import Any

import keras
from keras import layers


def build(
    labels: int = 2,
    channels: int = 1,
    widths: tuple[int, ...] = (16, 32, 64, 128, 256),
    units: int = 2,
) -> keras.Model:
    """Returns an untrained network.

    Args:
        labels: number of logits a voxel.
        channels: channels of the input.
        widths: channels of each level; every level but the last halves the size.
        units: convolutions of a residual unit on the way down, at least one.

    Input shape:
        (batch_size, depth, height, width, channels), each size divisible by 2 for each level but the last.

    Output shape:
        `logits` (batch_size, depth, height, width, labels) float32, `features` (batch_size, widths[-1]).
    """
    inputs = keras.Input((None, None, None, channels), name="voxels")  # (B, D, H, W, C)
    x, skips = inputs, []
    for level, width in enumerate(widths[:-1], start=1):
        x = _residual(x, width, units, 2, f"down{level}")
        skips.append(x)
    bottom = x = _residual(x, widths[-1], units, 1, "bottom")
    for level in range(len(widths) - 1, 0, -1):
        x = layers.Concatenate(name=f"up{level}_join")([skips.pop(), x])
        top = level == 1
        width = labels if top else widths[level - 2]
        # Of what a transposed convolution spreads over 2n + 1 voxels torch keeps all but the first.
        x = layers.Conv3DTranspose(width, 3, 2, name=f"up{level}_grow_conv")(x)
        x = layers.Cropping3D(((1, 0), (1, 0), (1, 0)), name=f"up{level}_grow_crop")(x)
        x = _activate(x, f"up{level}_grow")
        y = layers.Conv3D(width, 3, padding="same", name=f"up{level}_unit_conv")(x)
        y = y if top else _activate(y, f"up{level}_unit")
        x = layers.Add(name=f"up{level}_add")([y, x])
    logits = layers.Identity(dtype="float32", name="logits")(x)
    features = layers.GlobalAveragePooling3D(dtype="float32", name="features")(bottom)
    return keras.Model(inputs, {"logits": logits, "features": features}, name="monai_unet")


def _residual(x: Any, width: int, units: int, stride: int, name: str) -> Any:
    """Convolutions, the first one strided, beside one that brings the input to their size.

    (B, D, H, W, C) -> (B, D / stride, H / stride, W / stride, width)
    """
    y = x
    for unit in range(units):
        y = _convolve(y, width, stride if unit == 0 else 1, f"{name}_unit{unit}_conv")
        y = _activate(y, f"{name}_unit{unit}")
    if stride > 1:
        x = _convolve(x, width, stride, f"{name}_residual")
    elif x.shape[-1] != width:
        x = layers.Conv3D(width, 1, name=f"{name}_residual")(x)
    return layers.Add(name=f"{name}_add")([y, x])


def _convolve(x: Any, width: int, stride: int, name: str) -> Any:
    """3x3x3 convolution with a zero on both sides, which a strided "same" does not have."""
    x = layers.ZeroPadding3D(1, name=f"{name}_pad")(x)
    return layers.Conv3D(width, 3, stride, name=name)(x)


def _activate(x: Any, name: str) -> Any:
    x = layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name=f"{name}_norm")(x)
    return layers.PReLU(shared_axes=(1, 2, 3, 4), name=f"{name}_prelu")(x)  # one slope for all channels
