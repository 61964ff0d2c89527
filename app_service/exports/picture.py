"""Canonical pictures as a browser can show them: 8-bit PNG, smaller or windowed on request.

Only canonical files come here, which the intake's sandbox has written; nothing foreign is decoded in this process.
"""

import io

import cv2
import numpy as np
from PIL import Image

from app_service.intake.pixels import Pixels, encode_png
from portal_wire.errors import BadRequest, Internal

# A JPEG decodes at 1/2, 1/4 or 1/8 of its size for a fraction of the time (ITU-T T.81: 8 x 8 blocks).
REDUCED = ((8, cv2.IMREAD_REDUCED_COLOR_8), (4, cv2.IMREAD_REDUCED_COLOR_4), (2, cv2.IMREAD_REDUCED_COLOR_2))
REDUCED_GREY = {
    8: cv2.IMREAD_REDUCED_GRAYSCALE_8,
    4: cv2.IMREAD_REDUCED_GRAYSCALE_4,
    2: cv2.IMREAD_REDUCED_GRAYSCALE_2,
}


def png(data: bytes, *, max_side: int | None = None, window: tuple[float, float] | None = None) -> bytes:
    """An 8-bit PNG of a canonical picture, its longer side at most `max_side` pixels.

    `window` is centre and width in stored values, as in DICOM PS3.3 C.11.2.1.2. Without one, 8 bits are shown as they
    are, and 16 bits from the picture's lowest value (black) to its highest (white). Raises BadRequest for a width
    below 1.
    """
    return encode_png(shown(data, max_side=max_side, window=window))


def shown(data: bytes, *, max_side: int | None = None, window: tuple[float, float] | None = None) -> Pixels:
    """The same as 8-bit pixels: rows, columns[, blue green red]."""
    pixels = _decoded(data, max_side)
    scale = max_side / max(pixels.shape[:2]) if max_side else 1.0
    if scale < 1:
        rows, columns = (max(1, round(side * scale)) for side in pixels.shape[:2])
        pixels = cv2.resize(pixels, (columns, rows), interpolation=cv2.INTER_AREA)
    if window is not None:
        return _windowed(pixels, *window)
    if pixels.dtype == np.uint16:
        return _between(pixels, float(pixels.min()), float(pixels.max()))
    return pixels.astype(np.uint8, copy=False)


def _decoded(data: bytes, max_side: int | None) -> Pixels:
    flags = cv2.IMREAD_UNCHANGED
    if max_side and data.startswith(b"\xff\xd8"):
        with Image.open(io.BytesIO(data)) as header:  # reads no pixel
            longer, grey = max(header.size), header.mode == "L"
        for divisor, colour in REDUCED:
            if longer >= max_side * divisor:
                flags = REDUCED_GREY[divisor] if grey else colour
                break
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    if pixels is None:
        raise Internal("A stored picture cannot be read.")
    return pixels


def _windowed(pixels: Pixels, centre: float, width: float) -> Pixels:
    if not width >= 1:
        raise BadRequest("The window's width must be 1 or more.")
    low = centre - 0.5 - (width - 1) / 2
    return _between(pixels, low, low + width - 1)


def _between(pixels: Pixels, low: float, high: float) -> Pixels:
    """`low` and below becomes 0, `high` and above 255. By table: one look-up a pixel, whatever the size."""
    values = np.arange(np.iinfo(pixels.dtype).max + 1)
    table = np.clip((values - low) / max(high - low, 1e-9), 0, 1) * 255
    looked_up: Pixels = np.rint(table).astype(np.uint8)[pixels]
    return looked_up
