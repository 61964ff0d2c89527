"""LiteMedSAM's image encoder: a TinyViT (Wu et al. 2022, https://arxiv.org/abs/2207.10666) that begins at full size.

Its stem does not shrink the image, so its stages work on 256, 128, 64 and 64 pixels a side.
"""

from typing import Any

from keras import layers, ops

from ml_service.architectures.layers.offset_windows import OffsetWindows

# Blocks, heads and window of the three attention stages, and the stride that leads to each.
STAGES = ((2, 4, 7, 2), (6, 5, 14, 2), (2, 10, 7, 1))


def encode(x: Any, widths: tuple[int, ...], embedding: int) -> Any:
    """Returns an image's embedding: (B, H, W, 3) -> (B, H / 4, W / 4, embedding).

    Args:
        x: images.
        widths: channels of the convolution stage and of the three attention stages; the latter divisible by the heads.
        embedding: channels of the embedding.
    """
    x = ops.gelu(_convolve(x, widths[0] // 2, "stem1"), approximate=False)
    x = _convolve(x, widths[0], "stem2")
    for block in (1, 2):
        y = _bottleneck(x, 4 * widths[0], widths[0], 1, f"stage1_block{block}")
        x = ops.gelu(layers.Add(name=f"stage1_block{block}_add")([x, y]), approximate=False)
    for stage, (blocks, heads, window, stride) in enumerate(STAGES, start=2):
        x = _bottleneck(x, widths[stage - 1], widths[stage - 1], stride, f"stage{stage}_merge")
        for block in range(1, blocks + 1):
            x = _attend(x, heads, window, f"stage{stage}_block{block}")
    x = layers.Conv2D(embedding, 1, use_bias=False, name="neck_conv1")(x)
    x = layers.LayerNormalization(epsilon=1e-6, name="neck_norm1")(x)
    x = layers.Conv2D(embedding, 3, padding="same", use_bias=False, name="neck_conv2")(x)
    return layers.LayerNormalization(epsilon=1e-6, name="neck_norm2")(x)


def _attend(x: Any, heads: int, window: int, name: str) -> Any:
    """Attention in windows, a 3x3 convolution a channel, two dense layers. (B, H, W, C) -> same"""
    channels = x.shape[-1]
    y = OffsetWindows(heads, window, name=f"{name}_attention")(x)
    x = layers.Add(name=f"{name}_add1")([x, y])
    x = _each_channel(x, 1, f"{name}_local")
    y = layers.LayerNormalization(epsilon=1e-5, name=f"{name}_norm")(x)
    y = ops.gelu(layers.Dense(4 * channels, name=f"{name}_dense1")(y), approximate=False)
    y = layers.Dense(channels, name=f"{name}_dense2")(y)
    return layers.Add(name=f"{name}_add2")([x, y])


def _bottleneck(x: Any, inner: int, width: int, stride: int, name: str) -> Any:
    """1x1 convolution, 3x3 a channel, 1x1. (B, H, W, C) -> (B, H / stride, W / stride, width)"""
    x = ops.gelu(_convolve(x, inner, f"{name}_1"), approximate=False)
    x = ops.gelu(_each_channel(x, stride, f"{name}_2"), approximate=False)
    return _convolve(x, width, f"{name}_3")


def _convolve(x: Any, width: int, name: str) -> Any:
    x = layers.Conv2D(width, 1, use_bias=False, name=f"{name}_conv")(x)
    return layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name=f"{name}_norm")(x)


def _each_channel(x: Any, stride: int, name: str) -> Any:
    """3x3 convolution of each channel by itself, with a zero on both sides, which a strided "same" does not have."""
    x = layers.ZeroPadding2D(1, name=f"{name}_pad")(x)
    x = layers.DepthwiseConv2D(3, stride, use_bias=False, name=f"{name}_conv")(x)
    return layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name=f"{name}_norm")(x)
