"""Volumes grown to twice their size."""

from typing import Any

import keras
from keras import ops


class Grow(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """Doubles each side of a volume by trilinear interpolation between voxel centres, edges repeated.

    Each new voxel lies a quarter of an old one off its centre, so along an axis it is 3/4 of the nearest old voxel and
    1/4 of the next; three axes after each other make it trilinear (torch: `align_corners=False`).

    Input shape:
        (batch_size, depth, height, width, channels).

    Output shape:
        (batch_size, 2 * depth, 2 * height, 2 * width, channels).
    """

    def call(self, x: Any) -> Any:
        """(B, D, H, W, C) -> (B, 2D, 2H, 2W, C)"""
        for axis in (1, 2, 3):
            x = _double(x, axis)
        return x

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """(B, D, H, W, C) -> (B, 2D, 2H, 2W, C)"""
        sizes = (None if size is None else 2 * size for size in input_shape[1:4])
        return (input_shape[0], *sizes, input_shape[-1])


def _double(x: Any, axis: int) -> Any:
    """Doubles one axis of a volume."""
    before = ops.concatenate([_part(x, axis, slice(0, 1)), _part(x, axis, slice(0, -1))], axis)
    after = ops.concatenate([_part(x, axis, slice(1, None)), _part(x, axis, slice(-1, None))], axis)
    pairs = ops.stack([0.25 * before + 0.75 * x, 0.75 * x + 0.25 * after], axis + 1)
    shape = list(ops.shape(x))
    shape[0] = -1
    shape[axis] = 2 * shape[axis]
    return ops.reshape(pairs, shape)


def _part(x: Any, axis: int, part: slice) -> Any:
    return x[(slice(None),) * axis + (part,)]
