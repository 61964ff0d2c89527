"""How LiteMedSAM reads a slice and a box, and where its mask goes.

Reference: CVPR24_LiteMedSAM_infer.py (https://github.com/bowang-lab/MedSAM, branch LiteMedSAM): the longer side 256 by
area average, least to greatest level as 0 .. 1, zeros to the right and below, grey in three channels; boxes in pixels
of that; above a half of the sigmoid is inside.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from ml_service.architectures.lite_medsam import SIDE
from ml_service.prompts.compact import Plane

SOFT_TISSUE_HU = (-160.0, 240.0)  # level 40, width 400: what its CTs were windowed by


def prepare(plane: Plane, hounsfield: bool, side: int = SIDE) -> Plane:
    """Returns the slice as the encoder reads it, (side, side, 3)."""
    if hounsfield:
        plane = np.clip(plane, *SOFT_TISSUE_HU)
    height, width = scaled(plane.shape, side)
    shrinks = cv2.INTER_AREA if max(plane.shape) > side else cv2.INTER_LINEAR
    small = cv2.resize(plane, (width, height), interpolation=shrinks)
    low, high = float(small.min()), float(small.max())
    square = np.zeros((side, side, 3), np.float32)
    square[:height, :width] = ((small - low) / max(high - low, 1e-8))[..., None]
    return square


def scaled(shape: tuple[int, ...], side: int = SIDE) -> tuple[int, int]:
    """Returns height and width of a slice whose longer side is brought to `side`."""
    scale = side / max(shape)
    return int(shape[0] * scale + 0.5), int(shape[1] * scale + 0.5)


def boxes(drawn: NDArray[np.float32], shape: tuple[int, ...], side: int = SIDE) -> NDArray[np.float32]:
    """Returns boxes (n, 4) of a slice in pixels of what the encoder reads."""
    read: NDArray[np.float32] = np.trunc(drawn.astype(np.float64) * side / max(shape)).astype(np.float32)
    return read


def placed(logits: Plane, shape: tuple[int, int]) -> Plane:
    """Returns logits (side, side) as those of the whole slice, `shape` (height, width)."""
    height, width = scaled(shape, logits.shape[0])
    full: Plane = cv2.resize(
        np.ascontiguousarray(logits[:height, :width]), shape[::-1], interpolation=cv2.INTER_LINEAR
    ).astype(np.float32, copy=False)
    return full
