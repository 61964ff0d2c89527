"""Grey images for networks that were designed for colour."""

from typing import Any

import keras
from keras import ops


class Planes(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """Repeats a grey plane `channels` times; an image that has that many channels passes as it is.

    Input shape:
        (batch_size, height, width, 1) or (batch_size, height, width, channels).

    Output shape:
        (batch_size, height, width, channels).
    """

    def __init__(self, channels: int, **options: Any) -> None:
        super().__init__(**options)
        self.channels = channels

    def call(self, images: Any) -> Any:
        """(B, H, W, 1 or channels) -> (B, H, W, channels). Raises ValueError for another number."""
        given = images.shape[-1]
        if given not in (1, self.channels):
            raise ValueError(f"Expected 1 or {self.channels} channels. Received: {given}")
        return images if given == self.channels else ops.repeat(images, self.channels, axis=-1)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """(B, H, W, any) -> (B, H, W, channels)"""
        return (*input_shape[:-1], self.channels)
