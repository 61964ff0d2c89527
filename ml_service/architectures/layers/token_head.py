"""One layer of self-attention over an image's tokens, a dense layer over all of them, and each token's share in
each logit.

But for the softmax everything is linear (embedding, value, output projection, dense layer), so with the attention
weights held the logits split exactly: token s adds `sum over t of attention[t, s] * tokens[s] . unit[t]`. Positions and
biases, the same for every image, take no part: the heat's sum is the logit less that of a mid-grey (zero) image that is
attended to in the same way. Attention rollout (Abnar and Zuidema 2020, https://arxiv.org/abs/2005.00928) would show how
much a place was looked at; this shows what came of it, for and against each label (compare Kobayashi et al. 2020,
https://arxiv.org/abs/2004.10102).

Reference: Vaswani et al. 2017 (https://arxiv.org/abs/1706.03762); no residual, no normalisation, no feed-forward.
"""

from typing import Any

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray


class TokenHead(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """Embeds tokens, lets them attend to each other, and reads logits from all of them.

    Args:
        depth: numbers that describe a token; divisible by `heads`.
        labels: number of logits.
        heads: attention heads.

    Input shape:
        (batch_size, tokens, values), tokens and values fixed.

    Output shape:
        logits (batch_size, labels), features (batch_size, depth), heat (batch_size, tokens, labels).
    """

    def __init__(self, depth: int, labels: int, heads: int = 2, **options: Any) -> None:
        super().__init__(**options, dtype="float32")
        self.depth, self.labels, self.heads = depth, labels, heads
        names = ("embed", "query", "key", "value", "project")
        self.embed, self.query, self.key, self.value, self.project = (
            layers.Dense(depth, dtype="float32", name=name) for name in names
        )
        self.last = layers.Dense(labels, dtype="float32", name="logits")

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Makes the weights for tokens (B, T, n)."""
        tokens = input_shape[1]
        assert tokens is not None
        self.embed.build(input_shape)
        for layer in (self.query, self.key, self.value, self.project):
            layer.build((None, tokens, self.depth))
        self.last.build((None, tokens * self.depth))
        self.positions = position_code(tokens, self.depth)  # (T, d), the same in every network: no weight

    def call(self, tokens: Any) -> tuple[Any, Any, Any]:
        """(B, T, n) -> (B, labels), (B, d), (B, T, labels)"""
        x = ops.add(self.embed(tokens), self.positions)  # (B, T, d)
        query, key, value = (self._split(layer(x)) for layer in (self.query, self.key, self.value))  # (B, h, T, e)
        scores = ops.matmul(query, ops.swapaxes(key, 2, 3)) / (self.depth / self.heads) ** 0.5
        # A softmax, divided by its sums after the products. OpenVINO rounds a product to bfloat16 only where both sides
        # are of the image, or the right one is a constant; the left one in `_heat` would be weights alone, and the
        # product take three times as long, so the shares are multiplied into it.
        raised = ops.exp(scores - ops.max(scores, axis=-1, keepdims=True))  # (B, h, T, T)
        share = 1 / ops.sum(raised, axis=-1, keepdims=True)  # (B, h, T, 1)
        context = ops.matmul(raised, value) * share  # (B, h, T, e)
        output, rest = self._output()
        flat = self.depth * tokens.shape[1]
        logits = ops.matmul(ops.reshape(context, (-1, flat)), ops.reshape(output, (flat, self.labels))) + rest
        features = self.project(ops.reshape(ops.mean(context, axis=2), (-1, self.depth)))  # (B, d)
        return logits, features, self._heat(raised, share, value - self._of_zero(), output)

    def _heat(self, raised: Any, share: Any, value: Any, output: Any) -> Any:
        """(B, h, T, T), (B, h, T, 1), (B, h, T, e), (h, T, e, labels) -> (B, T, labels)"""
        heads, tokens, each, labels = output.shape
        output = ops.reshape(ops.transpose(output, (0, 3, 2, 1)), (1, heads, labels * each, tokens))
        # Of a unit of each value at a token, in each logit: (B, h, labels, e, T). From the left, so that the largest of
        # all is read as it lies.
        reach = ops.matmul(output * ops.swapaxes(share, 2, 3), raised)
        reach = ops.reshape(reach, (-1, heads, labels, each, tokens))
        heat = ops.sum(reach * ops.expand_dims(ops.swapaxes(value, 2, 3), 2), axis=(1, 3))  # (B, labels, T)
        return ops.swapaxes(heat, 1, 2)

    def _output(self) -> tuple[Any, Any]:
        """Folds the projection into the dense layer. Returns (h, T, e, labels) and what no token changes, (labels,)."""
        kernel = ops.reshape(self.last.kernel, (-1, self.depth, self.labels))  # (T, d, labels)
        project = ops.reshape(self.project.kernel, (self.heads, -1, self.depth))  # (h, e, d)
        rest = self.last.bias + ops.einsum("d,tdl->l", self.project.bias, kernel)
        return ops.einsum("hed,tdl->htel", project, kernel), rest

    def _of_zero(self) -> Any:
        """Returns the values of tokens of a zero image, by position and biases alone: (1, h, T, e)."""
        zero = ops.add(self.embed.bias, self.positions)  # (T, d)
        return self._split(ops.expand_dims(self.value(zero), 0))

    def _split(self, x: Any) -> Any:
        """(B, T, d) -> (B, heads, T, d / heads)"""
        x = ops.reshape(x, (-1, x.shape[1], self.heads, self.depth // self.heads))
        return ops.transpose(x, (0, 2, 1, 3))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[tuple[int | None, ...], ...]:
        """(B, T, n) -> (B, labels), (B, d), (B, T, labels)"""
        batch, tokens, _ = input_shape
        return (batch, self.labels), (batch, self.depth), (batch, tokens, self.labels)

    def multiply_adds(self, input_shape: tuple[int, ...]) -> int:
        """Returns the cost of one image of (1, T, n), heat included; what depends on weights alone is left out."""
        _, tokens, values = input_shape
        dense = tokens * self.depth * (values + 3 * self.depth + 2 * self.labels) + self.depth**2
        return dense + tokens * tokens * self.depth * (2 + self.labels)


def position_code(tokens: int, depth: int) -> NDArray[np.float32]:
    """Returns sines and cosines, in turn, of each position at falling frequencies: (tokens, depth)."""
    rates = 10_000.0 ** (-np.arange(0, depth, 2) / depth)  # (d / 2,)
    angles = np.arange(tokens)[:, None] * rates  # (T, d / 2)
    return np.stack([np.sin(angles), np.cos(angles)], axis=-1).reshape(tokens, depth).astype(np.float32)
