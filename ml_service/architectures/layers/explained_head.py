"""Dense layers after the last maps, with the share that each place of those maps has in each logit.

With dropout off the head is piecewise linear, so near an input a logit is `gradient . maps + rest`. The gradient is
written out (ReLU masks, normalisation scales, matrix products back to front): the same pass that gives the logits
gives the heat, without automatic differentiation, on every Keras backend.

The heat of a place is the sum over channels of gradient times map, before any ReLU. For a pooled head this is
Grad-CAM (Selvaraju et al. 2017, https://arxiv.org/abs/1610.02391) without its ReLU; for a flattened head it is HiResCAM
(Draelos and Carin 2020, https://arxiv.org/abs/2011.08891), which unlike Grad-CAM does not average the gradient over
places and so shows only places that the network used. In both, the heat's sum is the logit less the biases' part.
"""

from typing import Any, Literal

import keras
from keras import layers, ops


class ExplainedHead(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """[dense, optional batch norm, ReLU, dropout] for each of `units`, then a dense layer to the logits.

    Args:
        units: widths of the hidden layers, at least one.
        labels: number of logits.
        join: what the first layer reads: the maps' "mean" over places, or all of them, "flat".
        norm: whether a batch normalisation follows each hidden layer.
        dropout: share of each hidden layer that is dropped in training.
        l2: penalty on the hidden kernels.
        gives: "heat", or, of "flat" ones, the "gradient" that it is made of, for maps before these (`back_through.py`).

    Input shape:
        (batch_size, height, width, channels); height and width fixed for "flat".

    Output shape:
        logits (batch_size, labels), heat (batch_size, height, width, labels) or gradient (batch_size, labels, height,
        width, channels).
    """

    def __init__(
        self,
        units: tuple[int, ...],
        labels: int,
        join: Literal["mean", "flat"],
        norm: bool = False,
        dropout: float = 0.5,
        l2: float = 0.0,
        gives: Literal["heat", "gradient"] = "heat",
        **options: Any,
    ) -> None:
        super().__init__(**options, dtype="float32")  # in training too: logits and heat are sums of many terms
        self.labels = labels
        self.join = join
        self.gives = gives
        penalty = keras.regularizers.L2(l2) if l2 else None
        numbers = range(1, len(units) + 1)
        self.dense = [
            layers.Dense(width, kernel_regularizer=penalty, dtype="float32", name=f"dense{number}")
            for number, width in zip(numbers, units, strict=True)
        ]
        self.norms = [layers.BatchNormalization(dtype="float32", name=f"norm{number}") for number in numbers if norm]
        self.drops = [layers.Dropout(dropout, seed=number, dtype="float32") for number in numbers]
        self.last = layers.Dense(labels, dtype="float32", name="logits")

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Makes the weights for maps (B, h, w, C)."""
        read: Any = input_shape[-1:] if self.join == "mean" else (input_shape[1] * input_shape[2] * input_shape[3],)  # type: ignore[operator]
        for number, dense in enumerate(self.dense):
            dense.build((None, *read))
            read = (dense.units,)
            if self.norms:
                self.norms[number].build((None, *read))
        self.last.build((None, *read))

    def call(self, maps: Any, training: bool | None = None) -> tuple[Any, Any]:
        """(B, h, w, C) -> (B, labels), (B, h, w, labels) or (B, labels, h, w, C)"""
        x = ops.mean(maps, axis=(1, 2)) if self.join == "mean" else ops.reshape(maps, (-1, self._inputs()))
        slopes = []  # of each hidden layer's ReLU, (B, units)
        for number, dense in enumerate(self.dense):
            x = dense(x)
            if self.norms:
                x = self.norms[number](x, training=training)
            slopes.append(ops.cast(x > 0, x.dtype))
            x = self.drops[number](ops.relu(x), training=training)
        return self.last(x), self._explained(maps, self._gradient(slopes))

    def _gradient(self, slopes: list[Any]) -> Any:
        """Goes from the logits back to what the first layer read, n numbers. Returns (B, labels, n)."""
        gradient = ops.transpose(self.last.kernel)[None]  # (1, labels, units)
        for number, slope in reversed(list(enumerate(slopes))):
            if self.norms:
                norm = self.norms[number]
                slope = slope * norm.gamma / ops.sqrt(norm.moving_variance + norm.epsilon)
            gradient = gradient * slope[:, None, :]  # (B, labels, units)
            gradient = _back(gradient, self.dense[number].kernel)  # (B, labels, n)
        return gradient

    def _explained(self, maps: Any, gradient: Any) -> Any:
        """(B, h, w, C), (B, labels, n) -> (B, h, w, labels), or the gradient at each place, (B, labels, h, w, C)"""
        height, width = ops.shape(maps)[1:3]
        if self.join == "mean":
            return ops.einsum("bijc,blc->bijl", maps, gradient) / ops.cast(height * width, "float32")
        gradient = ops.reshape(gradient, (-1, self.labels, height, width, maps.shape[-1]))
        return gradient if self.gives == "gradient" else ops.einsum("bijc,blijc->bijl", maps, gradient)

    def _inputs(self) -> int:
        """Returns how many numbers the first dense layer reads."""
        return int(self.dense[0].kernel.shape[0])

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[tuple[int | None, ...], ...]:
        """(B, h, w, C) -> (B, labels), (B, h, w, labels) or (B, labels, h, w, C)"""
        batch, *places, channels = input_shape
        if self.gives == "gradient":
            return (batch, self.labels), (batch, self.labels, *places, channels)
        return (batch, self.labels), (batch, *places, self.labels)

    def multiply_adds(self, input_shape: tuple[int, ...]) -> int:
        """Returns the cost of the logits and the heat of one image."""
        hidden = sum(dense.kernel.shape[0] * dense.kernel.shape[1] for dense in self.dense)
        last = self.last.kernel.shape[0] * self.labels
        _, height, width, channels = input_shape
        return int(hidden * (1 + self.labels) + last + height * width * channels * self.labels)


def _back(gradient: Any, kernel: Any) -> Any:
    """Goes back through a dense layer: (B, labels, units), (n, units) -> (B, labels, n)"""
    if kernel.shape[0] != kernel.shape[1]:
        return ops.einsum("blu,nu->bln", gradient, kernel)
    # OpenVINO 2026.4 packs a square constant once and takes that for its transpose too, in silence; the negative is
    # another constant, with the same digits.
    return -ops.einsum("blu,nu->bln", gradient, -ops.convert_to_tensor(kernel))
