"""PNG and JPEG bytes to one grey plane, the same for training and for serving."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.uint8]


def grey_plane(study: bytes | NDArray[Any]) -> Grey:
    """Returns the image as 8-bit grey, (height, width).

    16-bit images are read as full range (65535 is white), colour as luma (ITU-R BT.601). An array may be
    (height, width) or (height, width, 3) in RGB order, uint8 or uint16. Raises ValueError for anything else.
    """
    plane = _decode(study) if isinstance(study, bytes) else _luma(np.asarray(study))
    if plane.dtype == np.uint16:
        # 65535 / 257 = 255, so an 8-bit image stored times 257 comes back unchanged.
        return cv2.convertScaleAbs(plane, alpha=1 / 257).astype(np.uint8, copy=False)
    if plane.dtype != np.uint8:
        raise ValueError(f"Expected 8- or 16-bit grey levels. Received: {plane.dtype}")
    return plane.astype(np.uint8, copy=False)


def _decode(encoded: bytes) -> NDArray[Any]:
    flags = cv2.IMREAD_GRAYSCALE | cv2.IMREAD_ANYDEPTH | cv2.IMREAD_IGNORE_ORIENTATION
    plane = cv2.imdecode(np.frombuffer(encoded, np.uint8), flags) if encoded else None
    if plane is None:
        raise ValueError(f"Expected a PNG or JPEG image. Received: {len(encoded)} bytes that do not decode")
    return plane


def _luma(pixels: NDArray[Any]) -> NDArray[Any]:
    if pixels.ndim == 3 and pixels.shape[2] == 3:
        return cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        return pixels[:, :, 0]
    if pixels.ndim == 2:
        return pixels
    raise ValueError(f"Expected (height, width) or (height, width, 3). Received: shape {pixels.shape}")
