"""How far the structures of a mask reach: the box around each, in millimetres along the axes of the patient."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from app_service.domain.planes import patient_axes


class Reach:
    """Which columns, rows and slices one structure takes up, noted as the mask comes. `sides` are along x, y[, z]."""

    def __init__(self, sides: Sequence[int]) -> None:
        held = [np.zeros(side, bool) for side in (*sides, 1)]  # an image is one slice
        self._columns, self._rows, self._slices = held[:3]

    def note(self, inside: NDArray[np.bool_], at: int) -> None:
        """`inside` are whole rows, one after the other; `at` is how many values came before them."""
        rows = inside.reshape(-1, len(self._columns))
        there = np.flatnonzero(rows.any(axis=1))
        self._columns |= rows[there].any(axis=0)
        there += at // len(self._columns)
        self._rows[there % len(self._rows)] = True
        self._slices[there // len(self._rows)] = True

    def volume_mm(self, affine: NDArray[np.float64]) -> list[float] | None:
        """Width (right to left), depth (front to back), height (head to foot) of the box, which lies along the
        volume's own axes: each is the one nearest to the patient's. None where there is no structure."""
        steps = np.linalg.norm(affine[:3, :3], axis=0)
        sides = [_length(held) * steps[axis] for axis, held in enumerate((self._columns, self._rows, self._slices))]
        axes, _ = patient_axes(affine)
        return [round(float(sides[2 - axis]), 1) for axis in axes] if self._columns.any() else None

    def image_mm(self, spacing_mm: Sequence[float] | None) -> list[float] | None:
        """Width and height of the box. `spacing_mm` is between rows and between columns; None: not known."""
        if spacing_mm is None or not self._columns.any():
            return None
        row_mm, column_mm = spacing_mm[:2]
        return [round(_length(self._columns) * column_mm, 1), round(_length(self._rows) * row_mm, 1)]


def _length(held: NDArray[np.bool_]) -> int:
    """From the first to the last, both included."""
    there = np.flatnonzero(held)
    return int(there[-1] - there[0] + 1) if len(there) else 0
