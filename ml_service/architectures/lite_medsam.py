"""LiteMedSAM (https://github.com/bowang-lab/MedSAM, branch LiteMedSAM; Ma et al. 2024, https://arxiv.org/abs/2304.12306):
an image and a box give the mask of what the box holds.

Two networks in one: `encoder` costs nearly all and needs the image alone, so that an image's embedding can be kept;
`decoder` turns an embedding and a box into a mask. Prompts are boxes; the tensors that upstream has for points, for
masks as prompts and for three further masks an answer are left out, they do not touch the answer to a box.

5.73 M parameters in the encoder, 3.65 M in the decoder.
"""

from typing import Any

import keras
from keras import layers, ops

from ml_service.architectures.layers.box_prompt import BoxPrompt
from ml_service.architectures.layers.tiny_vit import encode
from ml_service.architectures.layers.two_way import exchange

SIDE = 256  # pixels a side of the image, and of the mask
MASKS = 4  # tokens; the first gives the mask of a box


def build(widths: tuple[int, ...] = (64, 128, 160, 320), embedding: int = 256, side: int = SIDE) -> keras.Model:
    """Returns an untrained network; its parts are the layers "encoder" and "decoder".

    Args:
        widths: channels of the encoder's stages, the last three divisible by 4, 5 and 10.
        embedding: channels of an embedding, divisible by 16.
        side: pixels a side of the images, divisible by 4.

    Input shape:
        `pixels` (batch_size, side, side, 3) in 0 .. 1, `boxes` (batch_size, 4) as x_min, y_min, x_max, y_max in pixels.

    Output shape:
        `logits` (batch_size, side, side, 1) float32: above 0 inside; `quality` (batch_size, 1): the overlap (IoU) with
        the truth that the network expects.
    """
    pixels = keras.Input((side, side, 3), name="pixels")
    boxes = keras.Input((4,), name="boxes")
    encoder = keras.Model(pixels, encode(pixels, tuple(widths), embedding), name="encoder")
    kept = keras.Input((side // 4, side // 4, embedding), name="embedding")
    decoder = keras.Model({"embedding": kept, "boxes": boxes}, _decode(kept, boxes, side), name="decoder")
    out = decoder({"embedding": encoder(pixels), "boxes": boxes})
    return keras.Model({"pixels": pixels, "boxes": boxes}, out, name="lite_medsam")


class Tokens(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """Sets learnt tokens before the prompt's.

    Input shape:
        (batch_size, n, channels).

    Output shape:
        (batch_size, count + n, channels).
    """

    def __init__(self, count: int, **options: Any) -> None:
        super().__init__(**options, dtype="float32")
        self.count = count

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Makes the weights for tokens (B, n, C)."""
        shape = (self.count, input_shape[-1])
        self.learnt = self.add_weight(shape=shape, initializer="random_normal", name="learnt")

    def call(self, tokens: Any) -> Any:
        """(B, n, C) -> (B, count + n, C)"""
        learnt = ops.expand_dims(self.learnt, 0) + ops.zeros_like(tokens[:, :1])  # (B, count, C)
        return ops.concatenate([learnt, tokens], axis=1)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """(B, n, C) -> (B, count + n, C)"""
        batch, tokens, channels = input_shape
        return batch, None if tokens is None else self.count + tokens, channels


def _decode(embedding: Any, boxes: Any, side: int) -> dict[str, Any]:
    """(B, side / 4, side / 4, C), (B, 4) -> logits (B, side, side, 1), quality (B, 1)"""
    channels = embedding.shape[-1]
    prompt, keys, places = BoxPrompt(side, name="prompt")(embedding, boxes)
    tokens = Tokens(1 + MASKS, name="tokens")(prompt)  # (B, 7, C): the quality's, the masks', the box's corners
    tokens, keys = exchange(tokens, keys, places, blocks=2, hidden=8 * channels)
    x = ops.reshape(keys, (-1, side // 4, side // 4, channels))
    x = layers.Conv2DTranspose(channels // 4, 2, 2, name="grow1_conv")(x)  # (B, side / 2, side / 2, C / 4)
    x = ops.gelu(layers.LayerNormalization(epsilon=1e-6, name="grow1_norm")(x), approximate=False)
    x = ops.gelu(layers.Conv2DTranspose(channels // 8, 2, 2, name="grow2_conv")(x), approximate=False)
    kernel = _dense(tokens[:, 1], (channels, channels, channels // 8), "mask")  # (B, C / 8), made for this box
    x = ops.reshape(x, (-1, side * side, channels // 8))
    logits = ops.reshape(ops.matmul(x, kernel[:, :, None]), (-1, side, side, 1))
    quality = _dense(tokens[:, 0], (channels, channels, MASKS), "quality")[:, :1]
    return {"logits": layers.Identity(dtype="float32", name="logits")(logits), "quality": quality}


def _dense(x: Any, widths: tuple[int, ...], name: str) -> Any:
    """Dense layers with ReLU between them. (B, C) -> (B, widths[-1])"""
    for number, width in enumerate(widths, start=1):
        activation = "relu" if number < len(widths) else None
        x = layers.Dense(width, activation=activation, name=f"{name}_dense{number}")(x)
    return x
