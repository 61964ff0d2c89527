"""A stack of slices as a volume, its affine from the slices' own places (PS3.3 C.7.6.2.1.1).

Slices that are shifted against each other by a tilted gantry are shifted back, and uneven distances made even, by
linear interpolation: both are said in a notice. Everything else keeps its values.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from app_service.intake.dicom_stacks import Stack, depth_mm
from app_service.intake.limits import Limits
from app_service.intake.refusals import bad_geometry, gap_in_series
from app_service.intake.volume import Volume, check_shape

LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
EVEN = 0.05  # of the distance between slices
TILTED = 0.01  # shift for each mm along the normal
WIDEST_GAP = 4  # slices; beyond that, interpolation would be invention


def volume_of(stack: Stack, modality: str, limits: Limits) -> Volume:
    """Raises Unprocessable `bad_geometry`, `gap_in_series`, `too_many_voxels`, `too_small` and those of the pixels."""
    first = stack.slices[0]
    assert first.axes is not None and first.spacing is not None
    check_shape((len(stack.slices), *first.size), limits)
    values = _values(stack)
    places = np.array([each.place for each in stack.slices])
    depths = np.array([depth_mm(each) for each in stack.slices])
    normal, notes = np.cross(first.axes[0], first.axes[1]), list(stack.notes)
    rows_mm, columns_mm = first.spacing
    shifts = (places - places[0]) @ first.axes.T / (columns_mm, rows_mm)  # in pixels, along a row and a column
    origin = places[0]
    if np.abs(shifts).max() * min(first.spacing) > TILTED * (depths[-1] - depths[0]) + 0.5 * min(first.spacing):
        values, start = _upright(values, shifts, limits)
        origin = origin + (start * (columns_mm, rows_mm)) @ first.axes
        notes.append("tilt_corrected")
        step_vector = normal * (depths[-1] - depths[0]) / (len(depths) - 1)
    else:
        step_vector = (places[-1] - places[0]) / (len(depths) - 1)
    even = np.linspace(depths[0], depths[-1], len(depths))
    if np.abs(depths - even).max() > EVEN * (even[1] - even[0]):
        values, step = _evened(values, depths, limits)
        step_vector = normal * step
        notes.append("slices_interpolated")
    affine = np.eye(4)
    affine[:3, :3] = np.stack([first.axes[0] * columns_mm, first.axes[1] * rows_mm, step_vector], axis=1)
    affine[:3, 3] = origin
    return Volume(values, LPS_TO_RAS @ affine, modality, notes)


def _values(stack: Stack) -> NDArray[Any]:
    """int16 where it holds them all; what is no picture gets the lowest value that is one."""
    planes: NDArray[Any] | None = None
    outside: list[tuple[int, NDArray[np.bool_]]] = []
    lowest = np.inf
    for number, each in enumerate(stack.slices):
        values, empty = each.values()
        if planes is None:
            planes = np.empty((len(stack.slices), *each.size), np.int16)
        kind = values.dtype if values.dtype.kind == "f" or not _fits_16_bits(values) else np.dtype(np.int16)
        if np.promote_types(kind, planes.dtype) != planes.dtype:
            planes = planes.astype(np.float32 if "f" in (kind.kind, planes.dtype.kind) else np.int32)
        if values.shape != each.size:
            raise bad_geometry("A slice has another size than its header says, or colours.")
        planes[number] = values
        lowest = min(lowest, float(values.min() if empty is None else values[~empty].min()))
        if empty is not None:
            outside.append((number, empty))
    assert planes is not None
    for number, empty in outside:
        planes[number][empty] = lowest
    return planes


def _fits_16_bits(values: NDArray[Any]) -> bool:
    return bool(values.min() >= -32768 and values.max() <= 32767)


def _upright(
    values: NDArray[Any], shifts: NDArray[np.float64], limits: Limits
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Slices shifted to where they lie, on a plane large enough for all; and where that plane begins, in pixels."""
    start = np.floor(shifts.min(axis=0))
    columns, rows = (np.ceil(shifts.max(axis=0)) - start).astype(int) + np.array(values.shape[:0:-1])
    check_shape((len(values), int(rows), int(columns)), limits)
    made = np.empty((len(values), rows, columns), np.float32)
    lowest = float(values.min())
    for plane, (x, y), target in zip(values, shifts - start, made, strict=True):
        move = np.array([[1, 0, x], [0, 1, y]], np.float64)
        cv2.warpAffine(
            plane.astype(np.float32),
            move,
            (int(columns), int(rows)),
            dst=target,
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=lowest,
        )
    return np.rint(made) if values.dtype.kind == "i" else made, start


def _evened(values: NDArray[Any], depths: NDArray[np.float64], limits: Limits) -> tuple[NDArray[np.float32], float]:
    """Slices at the most usual distance, and that distance in mm."""
    steps = np.diff(depths)
    step = float(np.median(steps))
    if steps.max() > WIDEST_GAP * step:
        raise gap_in_series()
    count = round((depths[-1] - depths[0]) / step) + 1
    check_shape((count, *values.shape[1:]), limits)
    made = np.empty((count, *values.shape[1:]), np.float32)
    for number, depth in enumerate(depths[0] + step * np.arange(count)):
        above = int(np.clip(np.searchsorted(depths, depth), 1, len(depths) - 1))
        share = float(np.clip((depth - depths[above - 1]) / steps[above - 1], 0, 1))
        made[number] = values[above - 1] * np.float32(1 - share) + values[above] * np.float32(share)
    return np.rint(made) if values.dtype.kind == "i" else made, step
