"""A small network that outlines what a person's box holds, whatever it is.

Two networks in one, as in LiteMedSAM: `encoder` reads the whole slice once and its embedding is kept; `decoder` turns
the embedding and a box into a mask, so that a second box costs the decoder alone. The decoder works in the box's own
coordinates: it reads a cut-out of the slice around the box, always of the same size, and what the embedding says of the
same place. So it need not learn size and place, and can be taught with few images.

0.62 M parameters with the default widths, 0.40 M of them in the decoder.
No two layers share a name, whichever half they are in: weights are kept by name.
"""

from typing import Any

import keras
from keras import layers

from ml_service.architectures.layers.cut_out import CutOut
from ml_service.prompts.compact import PATCH, SIDE

CHANNELS = 3  # of a cut-out; ml_service/prompts/compact.py says what they hold
STRIDE = 4  # of the embedding


def build(
    embedding: int = 32,
    widths: tuple[int, ...] = (16, 32, 64, 96),
    side: int = SIDE,
    patch: int = PATCH,
    boxes: int = 1,
) -> keras.Model:
    """Returns an untrained network; its parts are the layers "encoder" and "decoder".

    Args:
        embedding: channels of an embedding.
        widths: channels of both parts' levels; each halves the size of the one before.
        side: pixels a side of a slice, divisible by 16.
        patch: pixels a side of a cut-out, divisible by 8.
        boxes: how many boxes there are for each slice, one slice's boxes after the other's. The parts by themselves
            take any number for one slice.

    Input shape:
        `pixels` (batch_size, side, side, 1) in 0 .. 1; `patches` (batch_size * boxes, patch, patch, CHANNELS);
        `rectangles` (batch_size * boxes, 4): what each cut-out shows, as x_min, y_min, x_max, y_max in shares of the
        side, possibly beyond it.

    Output shape:
        `logits` (batch_size * boxes, patch, patch, 1) float32: above 0 inside.
    """
    pixels = keras.Input((side, side, 1), name="pixels")
    patches, rectangles = keras.Input((patch, patch, CHANNELS), name="patches"), keras.Input((4,), name="rectangles")
    encoder = keras.Model(pixels, _encode(pixels, tuple(widths), embedding), name="encoder")
    kept = keras.Input((side // STRIDE, side // STRIDE, embedding), name="embedding")
    prompt = {"embedding": kept, "patches": patches, "rectangles": rectangles}
    decoder = keras.Model(prompt, _decode(**prompt, widths=tuple(widths)), name="decoder")
    known = keras.ops.repeat(encoder(pixels), boxes, axis=0) if boxes > 1 else encoder(pixels)
    logits = decoder({"embedding": known, "patches": patches, "rectangles": rectangles})
    return keras.Model({"pixels": pixels, "patches": patches, "rectangles": rectangles}, logits, name="box_prompt")


def _encode(x: Any, widths: tuple[int, ...], embedding: int) -> Any:
    """(B, side, side, 1) -> (B, side / 4, side / 4, embedding)"""
    levels = []
    for level, width in enumerate(widths, start=1):  # strides 2, 4, 8, 16
        x = _convolve(x, width, f"slice{level}_1", stride=2)
        if level > 1:
            x = _convolve(x, width, f"slice{level}_2")
            levels.append(x)
    x = layers.Conv2D(embedding, 1, name=f"side{len(widths)}_conv")(levels.pop())
    for level in range(len(widths) - 1, 1, -1):
        x = layers.UpSampling2D(2, name=f"merge{level}_grow")(x)
        finer = layers.Conv2D(embedding, 1, name=f"side{level}_conv")(levels.pop())
        x = layers.Add(name=f"merge{level}_join")([x, finer])
    x = _convolve(x, embedding, "embedding")
    return layers.Activation("linear", dtype="float32", name="kept")(x)


def _decode(embedding: Any, patches: Any, rectangles: Any, widths: tuple[int, ...]) -> Any:
    """(B, h, w, C), (B, patch, patch, CHANNELS), (B, 4) -> (B, patch, patch, 1)"""
    x, skips = patches, []
    for level, width in enumerate(widths, start=1):
        if level == 2:
            around = CutOut(int(x.shape[1]), name="cut_out")(embedding, rectangles)
            x = layers.Concatenate(name="context_join")([x, around])
        x = _convolve(x, width, f"down{level}_1")
        x = _convolve(x, width, f"down{level}_2")
        if level < len(widths):
            skips.append(x)
            x = layers.MaxPooling2D(2, name=f"down{level}_pool")(x)
    for level in range(len(widths) - 1, 0, -1):
        x = layers.UpSampling2D(2, interpolation="nearest", name=f"up{level}_grow")(x)
        x = layers.Concatenate(name=f"up{level}_join")([x, skips.pop()])
        x = _convolve(x, widths[level - 1], f"up{level}_1")
        x = _convolve(x, widths[level - 1], f"up{level}_2")
    return layers.Conv2D(1, 1, dtype="float32", name="logits")(x)


def _convolve(x: Any, width: int, name: str, stride: int = 1) -> Any:
    """3x3 convolution, norm, ReLU. (B, H, W, C) -> (B, H / stride, W / stride, width)"""
    x = layers.Conv2D(width, 3, stride, padding="same", use_bias=False, name=f"{name}_conv")(x)
    x = layers.BatchNormalization(momentum=0.95, name=f"{name}_norm")(x)
    return layers.ReLU(name=f"{name}_relu")(x)
