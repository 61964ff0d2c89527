"""Self-attention inside small windows of a volume, the windows shifted in every second block.

Reference: Liu et al. 2021 (https://arxiv.org/abs/2103.14030). Where a volume is smaller than the window, the window
shrinks, and its voxels take the biases of the first places of the full window, as in MONAI: they are not the biases of
their true distances, but a network was trained with them.
"""

from typing import Any

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

Sizes = tuple[int, int, int]  # voxels along each axis
APART = -100.0  # added to the score of voxels that only the shift brought together


class ShiftedWindows(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """Multi-head self-attention in windows, with a learnt bias for each distance.

    Args:
        heads: attention heads.
        window: voxels a side of a window.
        shifted: whether the windows are shifted by half their side.

    Input shape:
        (batch_size, depth, height, width, channels), sizes fixed.

    Output shape:
        same.
    """

    def __init__(self, heads: int, window: int, shifted: bool, **options: Any) -> None:
        super().__init__(**options)
        self.heads, self.window, self.shifted = heads, window, shifted

    def build(self, input_shape: tuple[int, ...]) -> None:
        """Makes the weights and the fixed tables for maps (B, D, H, W, C)."""
        sizes, channels = input_shape[1:4], input_shape[-1]
        self.side = _three(min(size, self.window) for size in sizes)
        half = self.window // 2 if self.shifted else 0
        self.shift = _three(half if size > self.window else 0 for size in sizes)
        self.padded = _three(-(-size // side) * side for size, side in zip(sizes, self.side, strict=True))
        self.qkv = layers.Dense(3 * channels, name="qkv")
        self.qkv.build((None, channels))
        self.project = layers.Dense(channels, name="project")
        self.project.build((None, channels))
        self.biases = self.add_weight(shape=((2 * self.window - 1) ** 3, self.heads), name="biases")
        voxels = self.side[0] * self.side[1] * self.side[2]
        self.places = distances(self.window)[:voxels, :voxels].reshape(-1)
        self.apart = _apart(self.padded, self.side, self.shift) if any(self.shift) else None  # (windows, n, n)

    def call(self, x: Any) -> Any:
        """(B, D, H, W, C) -> same"""
        sizes, channels = x.shape[1:4], x.shape[-1]
        more = [(0, after - size) for size, after in zip(sizes, self.padded, strict=True)]
        x = ops.pad(x, [(0, 0), *more, (0, 0)])
        if any(self.shift):
            x = ops.roll(x, [-by for by in self.shift], (1, 2, 3))
        x = self._attend(cut(x, self.side), channels)  # (B * windows, n, C)
        x = join(x, self.padded, self.side)
        if any(self.shift):
            x = ops.roll(x, list(self.shift), (1, 2, 3))
        return x[:, : sizes[0], : sizes[1], : sizes[2]]

    def _attend(self, x: Any, channels: int) -> Any:
        """(N, n, C) -> same"""
        voxels, depth = x.shape[1], channels // self.heads
        qkv = ops.reshape(self.qkv(x), (-1, voxels, 3, self.heads, depth))
        query, key, value = (ops.transpose(qkv[:, :, part], (0, 2, 1, 3)) for part in range(3))  # (N, h, n, e)
        scores = ops.matmul(query * depth**-0.5, ops.transpose(key, (0, 1, 3, 2)))  # (N, h, n, n)
        bias = ops.reshape(ops.take(self.biases, self.places, axis=0), (voxels, voxels, self.heads))
        scores = scores + ops.transpose(bias, (2, 0, 1))[None]
        if self.apart is not None:
            windows = len(self.apart)
            scores = ops.reshape(scores, (-1, windows, self.heads, voxels, voxels)) + self.apart[None, :, None]
            scores = ops.reshape(scores, (-1, self.heads, voxels, voxels))
        x = ops.matmul(ops.softmax(scores, axis=-1), value)  # (N, h, n, e)
        return self.project(ops.reshape(ops.transpose(x, (0, 2, 1, 3)), (-1, voxels, channels)))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """(B, D, H, W, C) -> same"""
        return input_shape


def cut(x: Any, side: Sizes) -> Any:
    """Returns a volume's windows: (B, D, H, W, C) -> (B * windows, n, C)"""
    d, h, w, channels = (int(size) for size in x.shape[1:])
    x = ops.reshape(x, (-1, d // side[0], side[0], h // side[1], side[1], w // side[2], side[2], channels))
    return ops.reshape(ops.transpose(x, (0, 1, 3, 5, 2, 4, 6, 7)), (-1, side[0] * side[1] * side[2], channels))


def join(x: Any, sizes: Sizes, side: Sizes) -> Any:
    """Puts windows together again: (B * windows, n, C) -> (B, D, H, W, C)"""
    counts = [size // each for size, each in zip(sizes, side, strict=True)]
    x = ops.reshape(x, (-1, *counts, *side, x.shape[-1]))
    return ops.reshape(ops.transpose(x, (0, 1, 4, 2, 5, 3, 6, 7)), (-1, *sizes, x.shape[-1]))


def distances(window: int) -> NDArray[np.int32]:
    """Returns, for each pair of a full window's voxels, which bias is theirs: (window ** 3, window ** 3)."""
    places = np.stack(np.meshgrid(*[np.arange(window)] * 3, indexing="ij")).reshape(3, -1)
    offset = places[:, :, None] - places[:, None, :] + window - 1  # (3, n, n), each 0 .. 2 * window - 2
    span = 2 * window - 1
    index: NDArray[np.int32] = ((offset[0] * span + offset[1]) * span + offset[2]).astype(np.int32)
    return index


def _apart(sizes: Sizes, side: Sizes, shift: Sizes) -> NDArray[np.float32]:
    """Returns what is added to each pair's score in each window: (windows, n, n), 0 or APART."""
    regions = np.zeros(sizes, np.int32)
    for axis in range(3):
        place = np.arange(sizes[axis])
        region = (place >= sizes[axis] - side[axis]).astype(np.int32) + (place >= sizes[axis] - shift[axis])
        regions = 3 * regions + region.reshape([-1 if each == axis else 1 for each in range(3)])
    counts = [size // each for size, each in zip(sizes, side, strict=True)]
    cells = regions.reshape(counts[0], side[0], counts[1], side[1], counts[2], side[2])
    cells = cells.transpose(0, 2, 4, 1, 3, 5).reshape(-1, side[0] * side[1] * side[2])
    return np.where(cells[:, None] == cells[:, :, None], 0, APART).astype(np.float32)


def _three(sizes: Any) -> Sizes:
    first, second, third = sizes
    return int(first), int(second), int(third)
