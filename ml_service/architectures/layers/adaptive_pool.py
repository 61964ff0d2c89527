"""Average pooling to a fixed size from any size, with torch's borders.

Cell i of n covers the pixels floor(i * H / n) up to ceil((i + 1) * H / n), so neighbouring cells may share a pixel.
Written as two products with small matrices: no loop, and any size at run time.
"""

from typing import Any

import keras
from keras import ops


class AdaptivePool(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """Pools to `size` cells a side.

    Input shape:
        (batch_size, height, width, channels).

    Output shape:
        (batch_size, size, size, channels).
    """

    def __init__(self, size: int, **options: Any) -> None:
        super().__init__(**options)
        self.size = size

    def call(self, images: Any) -> Any:
        """(B, H, W, C) -> (B, size, size, C)"""
        size, channels = self.size, images.shape[-1]
        if tuple(images.shape[1:3]) == (size, size):
            return images
        height, width = ops.shape(images)[1:3]
        x = ops.reshape(images, (-1, height, width * channels))
        x = ops.matmul(ops.cast(shares(height, size), images.dtype), x)  # (B, size, W * C)
        columns = ops.cast(shares(width, size), images.dtype)
        if channels == 1:  # one product for all rows
            return ops.expand_dims(ops.matmul(x, ops.transpose(columns)), -1)  # (B, size, size, 1)
        x = ops.reshape(x, (-1, size, width, channels))
        return ops.matmul(columns, x)  # (B, size, size, C)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """(B, H, W, C) -> (B, size, size, C)"""
        return (input_shape[0], self.size, self.size, input_shape[-1])

    def multiply_adds(self, input_shape: tuple[int, ...]) -> int:
        """Returns the cost of one image of (1, H, W, C)."""
        _, height, width, channels = input_shape
        same = (height, width) == (self.size, self.size)
        return 0 if same else self.size * width * channels * (height + self.size)


def shares(pixels: Any, cells: int) -> Any:
    """Returns how much each pixel counts in each cell: (cells, pixels), rows sum to 1."""
    cell = ops.arange(cells, dtype="int32")[:, None]
    first = cell * pixels // cells
    after = -(-(cell + 1) * pixels // cells)
    pixel = ops.arange(pixels, dtype="int32")[None, :]
    inside = ops.logical_and(pixel >= first, pixel < after)
    return ops.cast(inside, "float32") / ops.cast(after - first, "float32")
