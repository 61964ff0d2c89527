"""The boxes of a request, and whether they lie in the study that they are drawn on.

x counts columns, y rows, z slices: in a volume the indices along the array's axes 0, 1 and 2. Corners are inclusive.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ml_service.protocol import Tensor
from portal_wire.errors import BadRequest, Unprocessable

MOST = 64
LABELS = (1, 255)
AXES = "xyz"


class Prompt(NamedTuple):
    """One box. In an image z_min and z_max are 0."""

    box: tuple[float, float, float, float]  # x_min, y_min, x_max, y_max
    z_min: int
    z_max: int
    label: int
    through: bool  # from slice to slice until the object ends


def read(inputs: Mapping[str, Tensor], parameters: Mapping[str, Any]) -> list[Prompt]:
    """Returns the prompts of a request. Raises BadRequest for tensors of a wrong kind or size."""
    boxes = inputs.get("boxes")
    if boxes is None or isinstance(boxes.data, list) or boxes.data.dtype != np.float32:
        raise BadRequest("Expected an input boxes, FP32 [N, 4] or, for a volume, [N, 6].")
    if len(boxes.shape) != 2 or boxes.shape[1] not in (4, 6) or not 1 <= boxes.shape[0] <= MOST:
        raise BadRequest(f"Input boxes: expected [N, 4] or [N, 6], N up to {MOST}. Received: {list(boxes.shape)}.")
    count, axes = boxes.shape[0], boxes.shape[1] // 2
    labels, through = _labels(inputs.get("labels"), count), _through(parameters.get("through"), count)
    for number, row in enumerate(boxes.data):
        if not np.isfinite(row).all():
            raise _wrong(number, "expected finite numbers.")
        if axes == 3 and not all(float(row[at]).is_integer() for at in (2, 5)):
            raise _wrong(number, "z_min and z_max must be whole numbers of slices.")
    if axes == 2 and any(through):
        raise BadRequest("Parameter through: only a volume has further slices.")
    return [
        Prompt(
            (float(row[0]), float(row[1]), float(row[axes]), float(row[axes + 1])),
            int(row[2]) if axes == 3 else 0,
            int(row[5]) if axes == 3 else 0,
            label,
            follows,
        )
        for row, label, follows in zip(boxes.data, labels, through, strict=True)
    ]


def check(prompts: Sequence[Prompt], axes: int, shape: Sequence[int]) -> None:
    """Raises Unprocessable for boxes of `axes` axes that do not lie in a study of `shape`: (rows, columns) or (slices,
    rows, columns)."""
    if axes != len(shape):
        raise _wrong(0, f"expected {2 * len(shape)} numbers for this study.")
    columns, rows, slices = shape[-1], shape[-2], shape[0] if len(shape) == 3 else 1
    for number, prompt in enumerate(prompts):
        corners = ((prompt.box[0], prompt.box[2]), (prompt.box[1], prompt.box[3]), (prompt.z_min, prompt.z_max))
        for axis, side, (low, high) in zip(AXES, (columns, rows, slices), corners, strict=True):
            if not (0 <= low <= side - 1 and 0 <= high <= side - 1):
                raise _wrong(number, f"{axis} must lie from 0 to {side - 1}.")
            if high < low or (axis != "z" and high == low):
                raise _wrong(number, f"{axis}_max must {'not be below' if axis == 'z' else 'be above'} {axis}_min.")


def _labels(labels: Tensor | None, count: int) -> list[int]:
    if labels is None:
        return [1] * count
    if isinstance(labels.data, list) or labels.data.dtype != np.int32 or labels.shape != (count,):
        raise BadRequest(f"Input labels: expected INT32 [{count}], as many as boxes.")
    if labels.data.min() < LABELS[0] or labels.data.max() > LABELS[1]:
        raise BadRequest(f"Input labels: expected numbers from {LABELS[0]} to {LABELS[1]}.")
    return [int(label) for label in labels.data]


def _through(text: object, count: int) -> list[bool]:
    if text is None:
        return [False] * count
    try:
        found = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, list) or len(found) != count or not all(isinstance(one, bool) for one in found):
        raise BadRequest(f"Parameter through: expected the JSON of a list of {count} booleans, one for each box.")
    return found


def _wrong(number: int, what: str) -> Unprocessable:
    return Unprocessable(f"Input boxes, box {number}: {what}", code="bad_boxes")
