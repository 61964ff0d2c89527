"""A mask as the NPZ file of the MedSAM challenge (CVPR 2024): `segs`, uint8, in the order of the case's own `imgs`.

An image's is (rows, columns), a volume's (slices, rows, columns), with its `spacing` (x, y, z in mm) beside it.
https://github.com/bowang-lab/MedSAM/tree/LiteMedSAM
"""

import io
from typing import Any

import cv2
import numpy as np

from app_service.masks.own_volume import whole

SEGS = "segs.npz"


def segs_of_picture(mask: bytes) -> bytes:
    """`mask` is a label map as PNG."""
    return _packed(segs=cv2.imdecode(np.frombuffer(mask, np.uint8), cv2.IMREAD_GRAYSCALE))


def segs_of_volume(mask: bytes) -> bytes:
    """`mask` is a label map as .nii.gz, whose values run along x first: its bytes are slices of rows already."""
    values, volume = whole(mask)
    return _packed(segs=values, spacing=np.array(volume.spacing_mm, np.float64))


def _packed(**arrays: Any) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()
