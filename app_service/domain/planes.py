"""Slices of a volume as a reader expects them: the patient's right on the left, front or head at the top."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

# Rows and columns of each view, as axes of the patient (0 right-left, 1 back-front, 2 foot-head), from the top left.
VIEWS = {"axial": (1, 0), "coronal": (2, 0), "sagittal": (2, 1)}
SOFT_TISSUE = (-160.0, 240.0)
SMALL_SIDE = 256


def patient_axes(affine: NDArray[np.float64]) -> tuple[list[int], list[bool]]:
    """For each axis of the patient the nearest axis of `values[k, j, i]`, and whether it runs towards right, front
    and top."""
    cosines = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    left = list(range(3))
    axes, forward = [0, 0, 0], [True, True, True]
    for patient in np.argsort(-np.abs(cosines).max(axis=1)):
        nearest = max(left, key=lambda index: abs(cosines[patient, index]))
        left.remove(nearest)
        axes[patient], forward[patient] = 2 - nearest, bool(cosines[patient, nearest] > 0)
    return axes, forward


def plane(
    values: NDArray[Any], affine: NDArray[np.float64], view: str, index: int | None = None
) -> tuple[NDArray[Any], tuple[float, float]]:
    """One slice, and its spacing (rows, columns) in mm. `index` counts in stored order; None is the middle."""
    through = along(affine, view)
    place = values.shape[through] // 2 if index is None else index
    return turned(np.take(values, place, axis=through), affine, view)


def along(affine: NDArray[np.float64], view: str) -> int:
    """The axis of `values[k, j, i]` that a view looks along."""
    axes, _ = patient_axes(affine)
    down, across = VIEWS[view]
    return axes[3 - down - across]


def turned(picture: NDArray[Any], affine: NDArray[np.float64], view: str) -> tuple[NDArray[Any], tuple[float, float]]:
    """A slice in stored order as a reader expects it, and its spacing (rows, columns) in mm."""
    axes, forward = patient_axes(affine)
    steps = np.linalg.norm(affine[:3, :3], axis=0)
    down, across = VIEWS[view]
    if axes[down] > axes[across]:
        picture = picture.T
    picture = picture[::-1] if forward[down] else picture  # head and front at the top
    picture = picture[:, ::-1] if forward[across] else picture  # the patient's right, or the front, on the left
    return picture, (float(steps[2 - axes[down]]), float(steps[2 - axes[across]]))


def middle_picture(values: NDArray[Any], affine: NDArray[np.float64], modality: str) -> NDArray[np.uint8]:
    """The middle axial slice, 8-bit, in true proportions, its longer side 256."""
    picture, (rows_mm, columns_mm) = plane(values, affine, "axial")
    size_mm = np.array([picture.shape[1] * columns_mm, picture.shape[0] * rows_mm])
    columns, rows = np.maximum(1, np.rint(SMALL_SIDE * size_mm / size_mm.max())).astype(int)
    low, high = SOFT_TISSUE if modality == "CT" else np.percentile(picture, (0.5, 99.5))
    grey = np.clip((picture.astype(np.float32) - low) / max(float(high - low), 1e-6), 0, 1) * 255
    size = (int(columns), int(rows))
    shown = cv2.resize(np.ascontiguousarray(grey), size, interpolation=cv2.INTER_AREA)
    small: NDArray[np.uint8] = np.rint(shown).astype(np.uint8)
    return small
