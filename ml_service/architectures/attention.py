"""Self-attention on pixels alone, without a convolution: "attention only" of the brain-tumour classifier it comes from.

The original cuts tokens by a plain reshape of memory, so its "10 x 10 patch" is half a row of the 200 x 200 image:
100 pixels side by side. `patches="memory"` keeps that, for its weights and its figures; `patches="true"` cuts squares
and is another network with the same number of parameters, whose weights do not go from one to the other.

1,614,338 parameters with 3 channels and 2 labels.
"""

from typing import Any, Literal

import keras
from keras import ops

from ml_service.architectures.layers.adaptive_pool import AdaptivePool
from ml_service.architectures.layers.planes import Planes
from ml_service.architectures.layers.token_head import TokenHead

SIDE = 200  # pixels that every image is averaged to
PATCH = 10  # pixels; a token has PATCH * PATCH of them


def build(
    labels: int = 1, channels: int = 3, width: float = 1.0, patches: Literal["memory", "true"] = "memory"
) -> keras.Model:
    """Returns an untrained network.

    Args:
        labels: number of logits; 1 for a binary task.
        channels: planes of the image; a grey one is repeated.
        width: share of the original's 512 numbers a token.
        patches: "memory" as the original, or "true" squares.

    Input shape:
        (batch_size, height, width, 1 or channels), any height and width.

    Output shape:
        `logits` (batch_size, labels), `features` (batch_size, 512 * width),
        `heat` (batch_size, 200, 2, labels), or (batch_size, 20, 20, labels) for true patches.

    Raises:
        ValueError: for another kind of patch.
    """
    if patches not in ("memory", "true"):
        raise ValueError(f"Expected patches as 'memory' or 'true'. Received: {patches!r}")
    inputs = keras.Input((None, None, None), name="pixels")  # (B, H, W, 1 or C)
    x = AdaptivePool(SIDE, name="pool")(inputs)
    x = Planes(channels, name="planes")(x)  # (B, 200, 200, C), after the pool: a grey plane is pooled once
    x = _squares(x) if patches == "true" else ops.reshape(x, (-1, (SIDE // PATCH) ** 2, PATCH * PATCH * channels))
    depth = 16 * max(1, round(512 * width / 16))
    logits, features, heat = TokenHead(depth, labels, name="head")(x)  # tokens: (B, 400, 100 * C)
    places = (SIDE // PATCH, SIDE // PATCH) if patches == "true" else (SIDE, SIDE // PATCH**2)
    heat = ops.reshape(heat, (-1, *places, labels))
    return keras.Model(inputs, {"logits": logits, "features": features, "heat": heat}, name="attention")


def _squares(x: Any) -> Any:
    """(B, 200, 200, C) -> (B, 400, 100 * C), each token a square of 10 x 10"""
    across, channels = SIDE // PATCH, x.shape[-1]
    x = ops.reshape(x, (-1, across, PATCH, across, PATCH, channels))
    x = ops.transpose(x, (0, 1, 3, 2, 4, 5))  # (B, 20, 20, 10, 10, C)
    return ops.reshape(x, (-1, across**2, PATCH * PATCH * channels))
