"""A part of a feature map on a grid of its own, whatever its size (RoIAlign, He et al. 2017,
https://arxiv.org/abs/1703.06870), as two products of matrices: the same on every backend."""

from typing import Any

import keras
import numpy as np
from keras import ops


class CutOut(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """Brings a rectangle of each feature map to `grid` x `grid` cells. Where a cell covers several places it is their
    mean, weighted by a triangle; what lies outside of the map is 0.

    Args:
        grid: cells a side.

    Input shape:
        maps (batch_size or 1, h, w, channels); rectangles (batch_size, 4) as x_min, y_min, x_max, y_max in shares of
        the map's sides.

    Output shape:
        (batch_size, grid, grid, channels).
    """

    def __init__(self, grid: int, **options: Any) -> None:
        super().__init__(**options)
        self.grid = grid

    def call(self, maps: Any, rectangles: Any) -> Any:
        """(B or 1, h, w, C), (B, 4) -> (B, grid, grid, C)"""
        _, height, width, channels = maps.shape
        rows = ops.cast(self._weights(rectangles[:, 1], rectangles[:, 3], height), maps.dtype)  # (B, grid, h)
        columns = ops.cast(self._weights(rectangles[:, 0], rectangles[:, 2], width), maps.dtype)  # (B, grid, w)
        x = ops.matmul(rows, ops.reshape(maps, (-1, height, width * channels)))  # (B, grid, w * C)
        x = ops.reshape(x, (-1, self.grid, width, channels))
        return ops.matmul(columns[:, None], x)  # (B, grid, grid, C)

    def _weights(self, low: Any, high: Any, size: int) -> Any:
        """How much each of `size` places adds to each cell from `low` to `high`: (B,), (B,) -> (B, grid, size)"""
        cells = np.arange(self.grid, dtype=np.float32)[None] + np.float32(0.5)
        low, span = ops.cast(low, "float32")[:, None], ops.cast(high - low, "float32")[:, None]
        middles = (low + span * (cells / self.grid)) * size - 0.5  # (B, grid), in places
        reach = ops.maximum(span * (size / self.grid), 1.0)[..., None]
        places = np.arange(size, dtype=np.float32)[None, None]
        weights = ops.relu(1 - ops.abs(middles[..., None] - places) / reach)
        return weights / ops.maximum(ops.sum(weights, axis=-1, keepdims=True), 1e-3)

    def compute_output_shape(
        self, maps_shape: tuple[int | None, ...], rectangles_shape: tuple[int | None, ...]
    ) -> tuple[int | None, ...]:
        """(B or 1, h, w, C), (B, 4) -> (B, grid, grid, C)"""
        return rectangles_shape[0], self.grid, self.grid, maps_shape[-1]

    def multiply_adds(self, maps_shape: tuple[int, ...]) -> int:
        """Returns the cost for one box."""
        _, height, width, channels = maps_shape
        return self.grid * width * channels * (height + self.grid)
