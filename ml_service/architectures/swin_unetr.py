"""Swin UNETR (Hatamizadeh et al. 2022, https://arxiv.org/abs/2201.01266) as MONAI has it and SuPreM trains it.

A shifted-window transformer goes down in five steps; convolutions at each step lead across, and up again.

62.2 M parameters with 48 channels; attention makes the window's size part of the network, not of its weights.
"""

from typing import Any, Literal

import keras
from keras import layers, ops

from ml_service.architectures.layers.shifted_windows import ShiftedWindows
from ml_service.architectures.layers.text_head import TextHead
from ml_service.architectures.layers.volume_norm import VolumeNorm

STRIDE = 32  # voxels of the input per voxel of the bottom
STEPS = 4  # transformer steps after the patches
CORNERS = {
    "each": ((0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0), (1, 0, 1), (0, 1, 1), (1, 1, 1)),
    # MONAI before 1.5 took two corners twice and two never. SuPreM's networks were trained so.
    "monai-0.9": ((0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 0, 1), (0, 1, 0), (0, 0, 1), (1, 1, 1)),
}


def build(
    labels: int = 1,
    channels: int = 1,
    width: int = 48,
    sizes: tuple[int, int, int] = (96, 96, 96),
    heads: tuple[int, ...] = (3, 6, 12, 24),
    attention_window: int = 7,
    head: Literal["text", "plain"] = "plain",
    corners: Literal["each", "monai-0.9"] = "each",
) -> keras.Model:
    """Returns an untrained network.

    Args:
        labels: number of logits a voxel.
        channels: channels of the input.
        width: channels of a patch; every step doubles them.
        sizes: voxels of the input along each axis, each divisible by 32.
        heads: attention heads of the four steps.
        attention_window: voxels a side that attend to each other.
        head: "plain", a 1x1x1 convolution, or SuPreM's "text".
        corners: which of eight voxels are joined; weights do not go from one to the other.

    Input shape:
        (batch_size, *sizes, channels).

    Output shape:
        `logits` (batch_size, *sizes, labels) float32, `features` (batch_size, 16 * width): the bottom's mean.

    Raises:
        ValueError: for another head or other corners, or sizes that do not divide.
    """
    if head not in ("text", "plain"):
        raise ValueError(f"Expected head as 'text' or 'plain'. Received: {head!r}")
    if corners not in CORNERS:
        raise ValueError(f"Expected corners out of {sorted(CORNERS)}. Received: {corners!r}")
    if any(size % STRIDE for size in sizes):
        raise ValueError(f"Expected sizes divisible by {STRIDE}. Received: {sizes}")
    inputs = keras.Input((*sizes, channels), name="voxels")  # (B, D, H, W, C)
    x = layers.Conv3D(width, 2, 2, name="patches")(inputs)  # (B, D/2, H/2, W/2, width)
    steps = [_standardised(x, "patches_out")]
    for step in range(1, STEPS + 1):
        for block in (1, 2):
            x = _attend(x, heads[step - 1], attention_window, block == 2, f"step{step}_block{block}")
        x = _merge(x, CORNERS[corners], f"step{step}_merge")  # half the size, twice the channels
        steps.append(_standardised(x, f"step{step}_out"))
    across = [_residual(inputs, width, "across1")]
    across += [_residual(maps, maps.shape[-1], f"across{n}") for n, maps in enumerate(steps[:3], start=2)]
    bottom = x = _residual(steps[4], 16 * width, "bottom")  # (B, D/32, H/32, W/32, 16 * width)
    for level, maps in zip(range(5, 0, -1), [steps[3], *across[::-1]], strict=True):
        x = layers.Conv3DTranspose(maps.shape[-1], 2, 2, use_bias=False, name=f"up{level}_grow")(x)
        x = layers.Concatenate(name=f"up{level}_join")([x, maps])
        x = _residual(x, maps.shape[-1], f"up{level}")
    if head == "text":
        logits = TextHead(labels, groups=16, name="head")(x, bottom)
    else:
        logits = layers.Conv3D(labels, 1, dtype="float32", name="head")(x)  # (B, D, H, W, labels)
    features = layers.GlobalAveragePooling3D(dtype="float32", name="features")(bottom)
    return keras.Model(inputs, {"logits": logits, "features": features}, name="swin_unetr")


def _attend(x: Any, heads: int, window: int, shifted: bool, name: str) -> Any:
    """Attention in windows, then two dense layers, each with its normalisation and sum. (B, D, H, W, C) -> same"""
    y = layers.LayerNormalization(epsilon=1e-5, name=f"{name}_norm1")(x)
    y = ShiftedWindows(heads, window, shifted, name=f"{name}_attention")(y)
    x = layers.Add(name=f"{name}_add1")([x, y])
    y = layers.LayerNormalization(epsilon=1e-5, name=f"{name}_norm2")(x)
    y = layers.Dense(4 * x.shape[-1], name=f"{name}_dense1")(y)
    y = ops.gelu(y, approximate=False)
    y = layers.Dense(x.shape[-1], name=f"{name}_dense2")(y)
    return layers.Add(name=f"{name}_add2")([x, y])


def _merge(x: Any, corners: tuple[tuple[int, int, int], ...], name: str) -> Any:
    """Joins voxels two by two by two. (B, D, H, W, C) -> (B, D/2, H/2, W/2, 2 * C)"""
    parts = [x[:, d::2, h::2, w::2] for d, h, w in corners]
    y = layers.Concatenate(name=f"{name}_join")(parts)  # (B, D/2, H/2, W/2, 8 * C)
    y = layers.LayerNormalization(epsilon=1e-5, name=f"{name}_norm")(y)
    return layers.Dense(2 * x.shape[-1], use_bias=False, name=f"{name}_dense")(y)


def _standardised(x: Any, name: str) -> Any:
    """Returns each voxel's channels with mean 0 and deviation 1; nothing is learnt."""
    return layers.LayerNormalization(epsilon=1e-5, center=False, scale=False, name=name)(x)


def _residual(x: Any, width: int, name: str) -> Any:
    """Two 3x3x3 convolutions beside the input, or beside a 1x1x1 one where widths differ. (..., C) -> (..., width)"""
    y = _normalise(_convolve(x, width, 3, f"{name}_conv1"), f"{name}_norm1")
    y = layers.LeakyReLU(0.01, name=f"{name}_relu1")(y)
    y = _normalise(_convolve(y, width, 3, f"{name}_conv2"), f"{name}_norm2")
    if x.shape[-1] != width:
        x = _normalise(_convolve(x, width, 1, f"{name}_conv3"), f"{name}_norm3")
    y = layers.Add(name=f"{name}_add")([x, y])
    return layers.LeakyReLU(0.01, name=f"{name}_relu2")(y)


def _convolve(x: Any, width: int, side: int, name: str) -> Any:
    return layers.Conv3D(width, side, padding="same", use_bias=False, name=name)(x)


def _normalise(x: Any, name: str) -> Any:
    """Each channel over the volume; nothing is learnt."""
    return VolumeNorm(learnt=False, name=name)(x)
