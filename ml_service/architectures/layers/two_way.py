"""A transformer in which a few tokens and an image's places attend to each other in turn.

Reference: Kirillov et al. 2023, "Segment anything", appendix A (https://arxiv.org/abs/2304.02643).
"""

from typing import Any

import keras
from keras import layers, ops

EPSILON = 1e-5


class Attention(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """Attention whose inner width may be smaller than the tokens'.

    Input shape:
        query (batch_size, n, channels), key and value (batch_size, m, channels).

    Output shape:
        (batch_size, n, channels).
    """

    def __init__(self, width: int, heads: int = 8, **options: Any) -> None:
        super().__init__(**options, dtype="float32")
        self.width, self.heads = width, heads

    def build(self, query_shape: tuple[int, ...], key_shape: tuple[int, ...], value_shape: tuple[int, ...]) -> None:
        """Makes the weights for tokens (B, n, C)."""
        channels = query_shape[-1]
        for name in ("query", "key", "value"):
            layer = layers.Dense(self.width, dtype="float32", name=name)
            layer.build((None, channels))
            setattr(self, name, layer)
        self.project = layers.Dense(channels, dtype="float32", name="project")
        self.project.build((None, self.width))

    def call(self, query: Any, key: Any, value: Any) -> Any:
        """(B, n, C), (B, m, C), (B, m, C) -> (B, n, C)"""
        query, key, value = (
            self._split(layer(x)) for layer, x in ((self.query, query), (self.key, key), (self.value, value))
        )
        scores = ops.matmul(query, ops.transpose(key, (0, 1, 3, 2))) / (self.width / self.heads) ** 0.5
        x = ops.matmul(ops.softmax(scores, axis=-1), value)  # (B, heads, n, e)
        x = ops.transpose(x, (0, 2, 1, 3))
        return self.project(ops.reshape(x, (-1, x.shape[1], self.width)))

    def _split(self, x: Any) -> Any:
        """(B, n, width) -> (B, heads, n, width / heads)"""
        x = ops.reshape(x, (-1, x.shape[1], self.heads, self.width // self.heads))
        return ops.transpose(x, (0, 2, 1, 3))

    def compute_output_shape(self, query_shape: tuple[int | None, ...], *others: Any) -> tuple[int | None, ...]:
        """(B, n, C), ... -> (B, n, C)"""
        return query_shape


def exchange(tokens: Any, keys: Any, places: Any, blocks: int, hidden: int) -> tuple[Any, Any]:
    """Returns tokens that know the image and keys that know the tokens: (B, n, C), (B, m, C) -> same.

    Args:
        tokens: what asks; their first values stand for their places throughout.
        keys: the image's places.
        places: the code of where they are, (1, m, C).
        blocks: rounds of exchange.
        hidden: width of the dense layers between.
    """
    first, channels = tokens, tokens.shape[-1]
    for number in range(1, blocks + 1):
        name = f"decoder_block{number}"
        if number == 1:  # no place yet, and what comes out takes the tokens' place
            tokens = Attention(channels, name=f"{name}_self")(tokens, tokens, tokens)
        else:
            query = tokens + first
            tokens = tokens + Attention(channels, name=f"{name}_self")(query, query, tokens)
        tokens = _norm(tokens, f"{name}_norm1")
        across = Attention(channels // 2, name=f"{name}_to_image")(tokens + first, keys + places, keys)
        tokens = _norm(tokens + across, f"{name}_norm2")
        dense = layers.Dense(hidden, activation="relu", name=f"{name}_dense1")(tokens)
        dense = layers.Dense(channels, name=f"{name}_dense2")(dense)
        tokens = _norm(tokens + dense, f"{name}_norm3")
        back = Attention(channels // 2, name=f"{name}_to_tokens")(keys + places, tokens + first, tokens)
        keys = _norm(keys + back, f"{name}_norm4")
    last = Attention(channels // 2, name="decoder_last")(tokens + first, keys + places, keys)
    return _norm(tokens + last, "decoder_norm"), keys


def _norm(x: Any, name: str) -> Any:
    return layers.LayerNormalization(epsilon=EPSILON, name=name)(x)
