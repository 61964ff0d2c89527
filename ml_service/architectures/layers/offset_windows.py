"""Self-attention inside small windows of an image, with a learnt bias for each offset: the attention of TinyViT.

Reference: Wu et al. 2022 (https://arxiv.org/abs/2207.10666); the biases are LeViT's (Graham et al. 2021,
https://arxiv.org/abs/2104.01136): the same for an offset to either side.
"""

from typing import Any

import keras
import numpy as np
from keras import layers, ops


class OffsetWindows(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """Normalises, then lets the pixels of each window attend to each other.

    Where windows do not fill the image it is padded with zeros. They are normalised and attended to like pixels, as in
    the networks that were trained so.

    Args:
        heads: attention heads.
        window: pixels a side of a window.

    Input shape:
        (batch_size, height, width, channels), height and width fixed.

    Output shape:
        same.
    """

    def __init__(self, heads: int, window: int, **options: Any) -> None:
        super().__init__(**options)
        self.heads, self.window = heads, window

    def build(self, input_shape: tuple[int, ...]) -> None:
        """Makes the weights for maps (B, H, W, C)."""
        channels = input_shape[-1]
        self.norm = layers.LayerNormalization(epsilon=1e-5, name="norm")
        self.norm.build((None, None, channels))
        self.qkv = layers.Dense(3 * channels, name="qkv")
        self.qkv.build((None, channels))
        self.project = layers.Dense(channels, name="project")
        self.project.build((None, channels))
        self.biases = self.add_weight(shape=(self.heads, self.window**2), initializer="zeros", name="biases")
        row, column = np.divmod(np.arange(self.window**2), self.window)
        apart = np.abs(row[:, None] - row) * self.window + np.abs(column[:, None] - column)
        self.offsets = apart.reshape(-1).astype(np.int32)  # (n * n,), n pixels a window

    def call(self, x: Any) -> Any:
        """(B, H, W, C) -> same"""
        height, width, channels = x.shape[1:]
        side = self.window
        down, across = -(-height // side), -(-width // side)  # windows
        x = ops.pad(x, [(0, 0), (0, down * side - height), (0, across * side - width), (0, 0)])
        x = ops.transpose(ops.reshape(x, (-1, down, side, across, side, channels)), (0, 1, 3, 2, 4, 5))
        x = self._attend(ops.reshape(x, (-1, side * side, channels)))  # (B * windows, n, C)
        x = ops.transpose(ops.reshape(x, (-1, down, across, side, side, channels)), (0, 1, 3, 2, 4, 5))
        return ops.reshape(x, (-1, down * side, across * side, channels))[:, :height, :width]

    def _attend(self, x: Any) -> Any:
        """(N, n, C) -> same"""
        pixels, channels = x.shape[1:]
        depth = channels // self.heads
        qkv = ops.reshape(self.qkv(self.norm(x)), (-1, pixels, self.heads, 3 * depth))
        qkv = ops.transpose(qkv, (0, 2, 1, 3))  # (N, heads, n, 3 * depth)
        query, key, value = (qkv[..., part * depth : (part + 1) * depth] for part in range(3))
        scores = ops.matmul(query, ops.transpose(key, (0, 1, 3, 2))) * depth**-0.5  # (N, heads, n, n)
        scores += ops.reshape(ops.take(self.biases, self.offsets, axis=1), (1, self.heads, pixels, pixels))
        x = ops.matmul(ops.softmax(scores, axis=-1), value)  # (N, heads, n, depth)
        return self.project(ops.reshape(ops.transpose(x, (0, 2, 1, 3)), (-1, pixels, channels)))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """(B, H, W, C) -> same"""
        return input_shape
