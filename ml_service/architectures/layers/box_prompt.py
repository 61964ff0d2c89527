"""A box as two tokens, and the image's places in the same code.

Reference: Kirillov et al. 2023, "Segment anything" (https://arxiv.org/abs/2304.02643); random Fourier features after
Tancik et al. 2020 (https://arxiv.org/abs/2006.10739).
"""

from typing import Any

import keras
import numpy as np
from keras import ops


class BoxPrompt(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """Turns boxes into tokens and an embedding into keys for the decoder.

    Args:
        side: pixels a side of the image that the boxes are drawn on.

    Input shape:
        embedding (batch_size, h, w, channels), h and w fixed; boxes (batch_size, 4) as x_min, y_min, x_max, y_max in
        pixels of the image.

    Output shape:
        tokens (batch_size, 2, channels), keys (batch_size, h * w, channels), places (1, h * w, channels).
    """

    def __init__(self, side: int, **options: Any) -> None:
        super().__init__(**options, dtype="float32")
        self.side = side

    def build(self, embedding_shape: tuple[int, ...], boxes_shape: tuple[int, ...]) -> None:
        """Makes the weights for an embedding (B, h, w, C)."""
        _, height, width, channels = embedding_shape
        self.waves = self.add_weight(shape=(2, channels // 2), initializer="random_normal", name="waves")
        self.corners = self.add_weight(shape=(2, channels), initializer="random_normal", name="corners")
        self.no_mask = self.add_weight(shape=(1, channels), initializer="random_normal", name="no_mask")
        rows, columns = (np.arange(height) + 0.5) / height, (np.arange(width) + 0.5) / width
        grid = np.stack(np.meshgrid(columns, rows), axis=-1)  # (h, w, 2), x before y
        self.grid = grid.reshape(1, -1, 2).astype(np.float32)

    def call(self, embedding: Any, boxes: Any) -> tuple[Any, Any, Any]:
        """(B, h, w, C), (B, 4) -> (B, 2, C), (B, h * w, C), (1, h * w, C)"""
        channels = embedding.shape[-1]
        points = (ops.reshape(boxes, (-1, 2, 2)) + 0.5) / self.side  # a pixel's middle
        tokens = self._code(points) + self.corners
        keys = ops.reshape(ops.cast(embedding, "float32"), (-1, self.grid.shape[1], channels)) + self.no_mask
        return tokens, keys, self._code(ops.convert_to_tensor(self.grid))

    def _code(self, points: Any) -> Any:
        """Returns points' sines and cosines: (B, n, 2) in 0 .. 1 -> (B, n, C)"""
        angles = 2 * np.pi * ops.matmul(2 * points - 1, self.waves)
        return ops.concatenate([ops.sin(angles), ops.cos(angles)], axis=-1)

    def compute_output_shape(
        self, embedding_shape: tuple[int | None, ...], boxes_shape: tuple[int | None, ...]
    ) -> tuple[tuple[int | None, ...], ...]:
        """(B, h, w, C), (B, 4) -> (B, 2, C), (B, h * w, C), (1, h * w, C)"""
        batch, height, width, channels = embedding_shape
        places = None if height is None or width is None else height * width
        return (batch, 2, channels), (batch, places, channels), (1, places, channels)
