"""PNG and JPEG bytes to one grey plane, the same for training and for serving."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any, NoReturn

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

Grey = NDArray[np.uint8]
ENOUGH = 448  # pixels of the shorter side; no network here reads more than half as many


def grey_plane(study: bytes | NDArray[Any]) -> Grey:
    """Returns the image as 8-bit grey, (height, width).

    16-bit images are read as full range (65535 is white), colour as luma (ITU-R BT.601). An array may be
    (height, width) or (height, width, 3) in RGB order, uint8 or uint16. Raises ValueError for anything else.

    A large JPEG comes at a half, a quarter or an eighth of its size, with both sides at least ENOUGH: its decoder
    averages blocks of pixels for less than it costs to unfold them, and what follows has fewer to read.
    """
    plane = _decode(study) if isinstance(study, bytes) else _luma(np.asarray(study))
    if plane.dtype == np.uint16:
        # 65535 / 257 = 255, so an 8-bit image stored times 257 comes back unchanged.
        return cv2.convertScaleAbs(plane, alpha=1 / 257).astype(np.uint8, copy=False)
    if plane.dtype != np.uint8:
        raise ValueError(f"Expected 8- or 16-bit grey levels. Received: {plane.dtype}")
    return plane.astype(np.uint8, copy=False)


def stored_shape(study: bytes) -> tuple[int, int]:
    """Returns height and width of an image as it is stored, whatever size it was read at. Raises ValueError."""
    try:
        with Image.open(BytesIO(study)) as image:  # reads no further than the size
            return image.height, image.width
    except (OSError, Image.DecompressionBombError):
        raise ValueError(f"Expected an image. Received: {len(study)} bytes of no known kind") from None


@contextmanager
def memory_errors() -> Iterator[None]:
    """Raises MemoryError where OpenCV says in its own way that there is no memory."""
    try:
        yield
    except cv2.error as error:
        if error.code == cv2.Error.STS_NO_MEM:
            raise MemoryError("no room to prepare an image") from None
        raise


def _decode(encoded: bytes) -> NDArray[Any]:
    flags = _REDUCED.get(_shrinks(encoded), cv2.IMREAD_GRAYSCALE | cv2.IMREAD_ANYDEPTH) | cv2.IMREAD_IGNORE_ORIENTATION
    plane = cv2.imdecode(np.frombuffer(encoded, np.uint8), flags) if encoded else None
    if plane is None:
        _refuse(encoded)
    return plane


def _refuse(encoded: bytes) -> NoReturn:
    """OpenCV gives nothing as well when there was no memory for a sound image: a second decoder tells which it is."""
    try:
        with Image.open(BytesIO(encoded), formats=("PNG", "JPEG", "PPM")) as image:
            image.load()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        text = f"Expected a PNG or JPEG image. Received: {len(encoded)} bytes that do not decode"
        raise ValueError(text) from None
    raise MemoryError("no room to decode an image")


_REDUCED = {
    2: cv2.IMREAD_REDUCED_GRAYSCALE_2,
    4: cv2.IMREAD_REDUCED_GRAYSCALE_4,
    8: cv2.IMREAD_REDUCED_GRAYSCALE_8,
}


def _shrinks(encoded: bytes) -> int:
    """Returns by how much a JPEG may shrink while it is decoded; 1 for anything else."""
    if not encoded.startswith(b"\xff\xd8"):
        return 1
    try:
        with Image.open(BytesIO(encoded)) as image:  # reads no further than the size
            shorter = min(image.size)
    except (OSError, ValueError, Image.DecompressionBombError):
        return 1  # the decoder says what is wrong
    return next((by for by in (8, 4, 2) if shorter >= by * ENOUGH), 1)


def _luma(pixels: NDArray[Any]) -> NDArray[Any]:
    if pixels.ndim == 3 and pixels.shape[2] == 3:
        return cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        return pixels[:, :, 0]
    if pixels.ndim == 2:
        return pixels
    raise ValueError(f"Expected (height, width) or (height, width, 3). Received: shape {pixels.shape}")
