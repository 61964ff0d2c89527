"""Pixels in the one form that the portal keeps: 8- or 16-bit, grey (rows, columns) or RGB (rows, columns, 3).

Arrays here are as OpenCV has them: colours in the order blue, green, red, alpha.
"""

from typing import Any, BinaryIO

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[Any]  # of uint8 or uint16
PNG_SETTINGS = [
    *(cv2.IMWRITE_PNG_COMPRESSION, 1),
    *(cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_UP),
    *(cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE),
]


def on_black(pixels: Pixels) -> Pixels:
    """Without the alpha channel: what is transparent shows black behind it. Pixels without alpha come back as is."""
    if pixels.ndim == 2 or pixels.shape[2] != 4:
        return pixels
    *colours, alpha = cv2.split(pixels)
    opaque = np.iinfo(pixels.dtype).max
    if alpha.min() == opaque:
        return cv2.merge(colours)
    return cv2.merge([cv2.multiply(colour, alpha, scale=1 / opaque) for colour in colours])


def grey_if_equal(pixels: Pixels) -> Pixels:
    """One channel where all three are the same everywhere; else the pixels as they are."""
    if pixels.ndim == 2:
        return pixels
    first = pixels[..., 0]
    if all(np.array_equal(first, pixels[..., channel]) for channel in (1, 2)):
        return first
    return pixels


def encode_png(pixels: Pixels) -> bytes:
    """A PNG without metadata. Of the settings tried on films this is the fastest, and no larger than the usual one."""
    done, encoded = cv2.imencode(".png", np.ascontiguousarray(pixels), PNG_SETTINGS)
    if not done:
        raise MemoryError
    return encoded.tobytes()


def write_pgm(plane: Pixels, file: BinaryIO) -> None:
    """Writes 8-bit grey (rows, columns) as Netpbm's plain bytes, which cost next to nothing to write and to read."""
    rows, columns = plane.shape
    file.write(b"P5\n%d %d\n255\n" % (columns, rows))
    file.write(plane.data)
