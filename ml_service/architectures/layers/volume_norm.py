"""Normalisation over a volume's voxels, exact enough for hundreds of thousands of them."""

from typing import Any

import keras
from keras import ops


class VolumeNorm(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """Gives each channel, or each group of channels, mean 0 and deviation 1 over a volume, then scales and shifts it.

    Keras's GroupNormalization sums all voxels of a volume in one go, which in float32 loses three digits of a large
    one. Here means are taken along one axis after the other, and the values are centred before they are squared.

    Args:
        groups: groups of neighbouring channels; None: each channel by itself.
        learnt: whether a scale and an offset a channel are learnt.

    Input shape:
        (batch_size, depth, height, width, channels).

    Output shape:
        same.
    """

    def __init__(self, groups: int | None = None, learnt: bool = True, epsilon: float = 1e-5, **options: Any) -> None:
        super().__init__(**options)
        self.groups, self.learnt, self.epsilon = groups, learnt, epsilon

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Makes the weights for maps (B, D, H, W, C). Raises ValueError when groups do not divide the channels."""
        channels = input_shape[-1]
        if channels is None or channels % (self.groups or channels):
            raise ValueError(f"Expected channels divisible by {self.groups}. Received: {channels}")
        if self.learnt:
            self.gamma = self.add_weight(shape=(channels,), initializer="ones", name="gamma")
            self.beta = self.add_weight(shape=(channels,), initializer="zeros", name="beta")

    def call(self, x: Any) -> Any:
        """(B, D, H, W, C) -> same"""
        kind = x.dtype
        x = ops.cast(x, "float32")
        x = x - self._mean(x)
        x = x * ops.rsqrt(self._mean(x * x) + self.epsilon)
        if self.learnt:
            x = x * ops.cast(self.gamma, "float32") + ops.cast(self.beta, "float32")
        return ops.cast(x, kind)

    def _mean(self, x: Any) -> Any:
        """Returns each channel's mean over its group and all voxels: (B, D, H, W, C) -> (B, 1, 1, 1, C)"""
        for axis in (3, 2, 1):
            x = ops.mean(x, axis=axis, keepdims=True)
        if self.groups is None:
            return x
        each = x.shape[-1] // self.groups
        x = ops.mean(ops.reshape(x, (-1, 1, 1, 1, self.groups, each)), axis=-1)
        return ops.repeat(x, each, axis=-1)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """(B, D, H, W, C) -> same"""
        return input_shape
