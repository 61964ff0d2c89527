"""Volumes made of arrays."""

from typing import Any

import nibabel
import numpy as np


def nifti(values: Any, spacing: tuple[float, float, float] = (0.7, 0.9, 3.0)) -> bytes:
    """(slices, rows, columns) as .nii, whose first axis is the columns; spacing is that of columns, rows, slices."""
    affine = np.diag([*spacing, 1.0])
    return bytes(nibabel.Nifti1Image(np.ascontiguousarray(values.transpose(2, 1, 0)), affine).to_bytes())
