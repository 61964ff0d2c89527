"""An image beside its mirror image through one network, and the mean of what it says of the two: a change of sides
changes no answer, at twice the cost.

Reference: test-time augmentation as in Krizhevsky et al. 2012 (https://papers.nips.cc/paper/4824).
"""

from typing import Any

import keras
from keras import ops


class BothWays(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """Adds each image's mirror image to the batch, behind all as they are.

    Input shape:
        (batch_size, height, width, channels)

    Output shape:
        (2 * batch_size, height, width, channels)
    """

    def call(self, images: Any) -> Any:
        """(B, H, W, C) -> (2 * B, H, W, C)"""
        return ops.concatenate([images, mirrored(images)])

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """As `call`."""
        return (2 * input_shape[0] if input_shape[0] else None, *input_shape[1:])


class MeanOfBoth(keras.layers.Layer):  # type: ignore[misc]
    """Undoes `BothWays` on a network's last maps: the mean of both, the second mirrored back. What comes after has to
    be linear, and then says the mean of what it would say of each.

    Input shape:
        (2 * batch_size, height, width, channels)

    Output shape:
        (batch_size, height, width, channels)
    """

    def call(self, maps: Any) -> Any:
        """(2 * B, h, w, C) -> (B, h, w, C)"""
        as_is, other = ops.unstack(ops.reshape(maps, (2, -1, *maps.shape[1:])))
        return (as_is + mirrored(other)) / 2

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """As `call`."""
        return (input_shape[0] // 2 if input_shape[0] else None, *input_shape[1:])


def mirrored(images: Any) -> Any:
    """(B, H, W, C) -> the same with left and right changed. OpenVINO cannot read TensorFlow's flip."""
    return ops.take(images, list(range(images.shape[2]))[::-1], axis=2)
