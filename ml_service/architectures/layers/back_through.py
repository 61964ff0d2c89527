"""From the gradient after a block of convolutions back to the heat before it, written out as in `explained_head.py`.

A place of deep maps sees most of the image, so what is hot there need not lie below it: block 5 of VGG16 sees 212
pixels, block 4 sees 100 (Araujo et al. 2019, https://distill.pub/2019/computing-receptive-fields). Before the block,
places are still where they seem to be.
"""

from typing import Any

import keras
from keras import ops

from ml_service.architectures.layers.adaptive_pool import shares

Step = tuple[Any, Any]  # a convolution of 3 x 3, "same", and its normalisation; a ReLU follows


class BackThrough(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """Gradient times map before a block: each of `steps`, then a 2 x 2 maximum, then `AdaptivePool`.

    Args:
        steps: the block's layers, from the front. They stay where they are: here they are only read.

    Input shape:
        gradient at the pooled maps (batch_size, labels, n, n, filters); the block's maps (batch_size, height, width,
        channels) before it, after each ReLU, and after the maximum.

    Output shape:
        heat (batch_size, height, width, labels): what each place adds to each logit while all slopes stay.
    """

    def __init__(self, steps: list[Step], **options: Any) -> None:
        super().__init__(**options, dtype="float32")

        def held() -> list[Step]:
            return steps

        self._steps = held  # a list Keras would search, and count its weights here once more

    def call(self, gradient: Any, before: Any, rectified: list[Any], highest: Any) -> Any:
        """(B, labels, n, n, F), (B, H, W, C), [(B, H, W, F)], (B, H / 2, W / 2, F) -> (B, H, W, labels)"""
        gradient = _through_pool(gradient, *ops.shape(highest)[1:3])
        gradient = _through_maximum(gradient, rectified[-1], highest)
        for (convolution, norm), after in zip(reversed(self._steps()), reversed(rectified), strict=True):
            scale = norm.gamma / ops.sqrt(norm.moving_variance + norm.epsilon)
            gradient = gradient * scale * _each(ops.cast(after > 0, "float32"))
            gradient = _through_convolution(gradient, convolution.kernel)
        return ops.einsum("bijc,blijc->bijl", before, gradient)

    def compute_output_shape(self, gradient_shape: Any, before_shape: Any, *_: Any) -> tuple[int | None, ...]:
        """As `call`."""
        return (*before_shape[:3], gradient_shape[1])

    def multiply_adds(self, input_shape: tuple[int, ...]) -> int:
        """Returns about the cost for one image, by the gradient (1, labels, n, n, F): that of the convolutions, where
        the pool changes no size, so that the block's maps have 2 n places a side."""
        _, labels, height, width, _ = input_shape
        kernels = sum(9 * conv.kernel.shape[2] * conv.kernel.shape[3] for conv, _ in self._steps())
        return int(labels * 4 * height * width * kernels)


def _each(maps: Any) -> Any:
    """(B, H, W, C) -> (B, 1, H, W, C), the same for every label"""
    return ops.expand_dims(maps, 1)


def _through_pool(gradient: Any, height: Any, width: Any) -> Any:
    """(B, labels, n, n, F) -> (B, labels, height, width, F)"""
    _, labels, down, across, filters = gradient.shape
    rows, columns = (ops.transpose(shares(*of)) for of in ((height, down), (width, across)))
    # Products of two: of three in one einsum OpenVINO 2026.4 makes another sum, in silence.
    x = ops.matmul(rows, ops.reshape(gradient, (-1, down, across * filters)))  # (B * labels, height, n * F)
    x = ops.matmul(columns, ops.reshape(x, (-1, across, filters)))  # (B * labels * height, width, F)
    return ops.reshape(x, (-1, labels, height, width, filters))


def _through_maximum(gradient: Any, before: Any, highest: Any) -> Any:
    """(B, labels, h, w, F), (B, H, W, F), (B, h, w, F) -> (B, labels, H, W, F); an odd row or column is left out there.
    Where two are highest both count: they are zeros, which the ReLU before holds back."""
    height, width = ops.shape(before)[1:3]
    rest = [[0, 0], [0, height % 2], [0, width % 2], [0, 0]]
    chosen = before == ops.pad(_doubled(highest, 1, 2), rest, constant_values=-1)
    spread = ops.pad(_doubled(gradient, 2, 3), [[0, 0], *rest])
    return spread * _each(ops.cast(chosen, "float32"))


def _doubled(x: Any, *axes: int) -> Any:
    for axis in axes:
        x = ops.repeat(x, 2, axis=axis)
    return x


def _through_convolution(gradient: Any, kernel: Any) -> Any:
    """(B, labels, H, W, F), (3, 3, C, F) -> (B, labels, H, W, C): the convolution with the kernel turned round."""
    labels, channels, filters = gradient.shape[1], kernel.shape[2], kernel.shape[3]
    height, width = ops.shape(gradient)[2:4]
    turned = ops.take(ops.take(kernel, (2, 1, 0), axis=0), (2, 1, 0), axis=1)  # OpenVINO cannot read TensorFlow's flip
    turned = ops.transpose(turned, (0, 1, 3, 2))
    back = ops.conv(ops.reshape(gradient, (-1, height, width, filters)), turned, padding="same")
    return ops.reshape(back, (-1, labels, height, width, channels))
