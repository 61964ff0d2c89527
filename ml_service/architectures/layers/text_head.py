"""A head whose last layers are made for each class from what the class's name means and what the volume shows.

Reference: Liu et al. 2023, "CLIP-driven universal model" (https://arxiv.org/abs/2301.00785); SuPreM's U-Net and Swin
UNETR end in it (Li et al. 2024, https://arxiv.org/abs/2501.11253).
"""

from typing import Any

import keras
from keras import layers, ops

from ml_service.architectures.layers.volume_norm import VolumeNorm

WORDS = 512  # numbers that describe a class's name
MEANING = 256  # numbers left of them, and as many that describe the volume
INNER = 8  # channels of the three 1x1x1 convolutions made for each class
MADE = 2 * INNER * INNER + INNER + 2 * INNER + 1  # their 153 weights and biases


class TextHead(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """Three 1x1x1 convolutions a class, their weights a linear function of the class's text and the pooled bottom.

    Args:
        labels: number of classes.
        groups: channel groups of the normalisations.

    Input shape:
        maps (batch_size, depth, height, width, channels) and bottom (batch_size, d, h, w, channels').

    Output shape:
        (batch_size, depth, height, width, labels) float32.
    """

    def __init__(self, labels: int, groups: int = 16, **options: Any) -> None:
        super().__init__(**options, dtype="float32")
        self.labels = labels
        self.maps_norm = VolumeNorm(groups, dtype="float32", name="maps_norm")
        self.maps_conv = layers.Dense(INNER, dtype="float32", name="maps_conv")
        self.bottom_norm = VolumeNorm(groups, dtype="float32", name="bottom_norm")
        self.bottom_conv = layers.Dense(MEANING, dtype="float32", name="bottom_conv")
        self.text = layers.Dense(MEANING, dtype="float32", name="text")
        self.controller = layers.Dense(MADE, dtype="float32", name="controller")

    def build(self, maps_shape: tuple[int | None, ...], bottom_shape: tuple[int | None, ...]) -> None:
        """Makes the weights for maps (B, D, H, W, C) and a bottom (B, d, h, w, C')."""
        self.words = self.add_weight(shape=(self.labels, WORDS), initializer="random_normal", name="words")
        self.maps_norm.build(maps_shape)
        self.maps_conv.build(maps_shape)
        self.bottom_norm.build(bottom_shape)
        self.bottom_conv.build((None, bottom_shape[-1]))
        self.text.build((self.labels, WORDS))
        self.controller.build((None, self.labels, 2 * MEANING))

    def call(self, maps: Any, bottom: Any) -> Any:
        """(B, D, H, W, C), (B, d, h, w, C') -> (B, D, H, W, labels)"""
        pooled = ops.mean(ops.relu(self.bottom_norm(bottom)), axis=(1, 2, 3))  # (B, C')
        pooled = ops.repeat(self.bottom_conv(pooled)[:, None], self.labels, axis=1)  # (B, labels, 256)
        text = ops.relu(self.text(self.words))[None] + ops.zeros_like(pooled)  # (B, labels, 256)
        made = self.controller(ops.concatenate([pooled, text], axis=-1))  # (B, labels, 153)
        x = self.maps_conv(ops.relu(self.maps_norm(maps)))  # (B, D, H, W, 8)
        shape = ops.shape(maps)[1:4]
        x = ops.reshape(x, (-1, shape[0] * shape[1] * shape[2], INNER))  # (B, P, 8)
        # Class after class: all at once would hold labels * 8 numbers for every voxel.
        planes = [self._class(x, made[:, number]) for number in range(self.labels)]  # each (B, P, 1)
        return ops.reshape(ops.concatenate(planes, axis=-1), (-1, *shape, self.labels))

    def _class(self, x: Any, made: Any) -> Any:
        """Runs one class's convolutions: (B, P, 8), (B, 153) -> (B, P, 1)"""
        square = INNER * INNER
        first, second = made[:, :square], made[:, square : 2 * square]
        third, biases = made[:, 2 * square : 2 * square + INNER], made[:, 2 * square + INNER :]
        x = ops.relu(_convolve(x, first, biases[:, :INNER]))
        x = ops.relu(_convolve(x, second, biases[:, INNER : 2 * INNER]))
        return _convolve(x, third, biases[:, 2 * INNER :])

    def compute_output_shape(
        self, maps_shape: tuple[int | None, ...], bottom_shape: tuple[int | None, ...]
    ) -> tuple[int | None, ...]:
        """(B, D, H, W, C) -> (B, D, H, W, labels)"""
        return (*maps_shape[:-1], self.labels)


def _convolve(x: Any, weights: Any, biases: Any) -> Any:
    """1x1x1 convolution with weights of its own a volume: (B, P, 8), (B, out * 8), (B, out) -> (B, P, out)"""
    kernel = ops.transpose(ops.reshape(weights, (-1, biases.shape[-1], INNER)), (0, 2, 1))  # (B, 8, out)
    return ops.matmul(x, kernel) + biases[:, None, :]
