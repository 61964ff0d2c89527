"""Pixels in the one form that the portal keeps: 8- or 16-bit, grey (rows, columns) or RGB (rows, columns, 3).

Arrays here are as OpenCV has them: colours in the order blue, green, red, alpha.
"""

from collections.abc import Callable
from typing import Any, BinaryIO

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[Any]  # of uint8 or uint16
ORIENTATION = 0x0112
PNG_SETTINGS = [
    *(cv2.IMWRITE_PNG_COMPRESSION, 1),
    *(cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_UP),
    *(cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE),
]
# EXIF 3.0, tag 0x0112: how to turn the stored picture so that it stands upright.
UPRIGHT: dict[int, Callable[[Pixels], Pixels]] = {
    2: np.fliplr,
    3: lambda stored: np.rot90(stored, 2),
    4: np.flipud,
    5: lambda stored: stored.swapaxes(0, 1),
    6: lambda stored: np.rot90(stored, -1),
    7: lambda stored: np.rot90(stored, 2).swapaxes(0, 1),
    8: np.rot90,
}


def orientation(exif: bytes | None) -> int:
    """A key of UPRIGHT, or 1 for upright and for an EXIF block that cannot be read."""
    if not exif:
        return 1
    try:
        block = Image.Exif()
        block.load(exif)
        value = block.get(ORIENTATION, 1)
    except Exception:  # Pillow raises a dozen kinds for a bad block, which spoils no picture
        return 1
    return value if value in UPRIGHT else 1


def upright(stored: Pixels, orientation: int) -> Pixels:
    """The picture as it is to be looked at."""
    return UPRIGHT[orientation](stored) if orientation in UPRIGHT else stored


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
