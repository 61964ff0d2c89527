"""A volume's mask over it, as one picture: the axial, coronal and sagittal slice through the mask's middle.

Only canonical files come here, which the portal has written; they are read piece by piece.
"""

from collections.abc import Iterator
from io import BytesIO
from typing import Any, BinaryIO

import cv2
import numpy as np
from numpy.typing import NDArray

from app_service.domain.planes import SOFT_TISSUE, VIEWS, along, turned
from app_service.exports.overlay import painted
from app_service.intake.pixels import Pixels, encode_png
from app_service.masks.own_volume import OwnVolume

SIDE, EDGE = 512, 8  # pixels of the longest side of a slice, and between two
LETTERS = {"axial": "R", "coronal": "R", "sagittal": "A"}  # what is at a slice's left
WHITE = (255, 255, 255)
Slices = list[NDArray[Any]]  # along z, y, x


def volume_overlay_png(study: BinaryIO, mask: bytes, hounsfield: bool) -> bytes:
    """An RGB PNG: three slices side by side in true proportions, the patient's right, or the front, at the left.

    `mask` is the label map of the volume `study`. Values are shown from -160 to 240 where they are `hounsfield` units,
    else from the darkest to the brightest of these slices.
    """
    labels = OwnVolume(BytesIO(mask))
    at = _middle(labels)
    found = _slices(OwnVolume(BytesIO(mask)), at)
    shown = _slices(OwnVolume(study), at)
    every = np.concatenate([each.ravel() for each in shown])
    low, high = SOFT_TISSUE if hounsfield else np.percentile(every, (0.5, 99.5))
    scale = SIDE / max(np.linalg.norm(labels.affine[:3, :3], axis=0) * labels.sides)  # pixels a mm
    drawn = []
    for view in VIEWS:
        through = along(labels.affine, view)
        grey, (row_mm, column_mm) = turned(shown[through], labels.affine, view)
        outlined, _ = turned(found[through], labels.affine, view)
        levels = np.clip((grey.astype(np.float32) - low) / max(float(high - low), 1e-6), 0, 1) * 255
        rows, columns = grey.shape
        size = max(1, round(columns * column_mm * scale)), max(1, round(rows * row_mm * scale))
        below = cv2.resize(np.rint(levels).astype(np.uint8), size, interpolation=cv2.INTER_LINEAR)
        above = cv2.resize(np.ascontiguousarray(outlined), size, interpolation=cv2.INTER_NEAREST)
        drawn.append(_lettered(painted(cv2.cvtColor(below, cv2.COLOR_GRAY2BGR), above), LETTERS[view]))
    return encode_png(_side_by_side(drawn))


def _middle(mask: OwnVolume) -> tuple[int, int, int]:
    """The slice along z, y and x on both sides of which there is as much of the mask; of an empty one the volume's."""
    columns, rows, slices = mask.sides
    by_column, by_row = np.zeros(columns, np.int64), np.zeros(rows * slices, np.int64)
    for first, piece in _rows(mask):
        there = piece > 0
        by_column += there.sum(axis=0)
        by_row[first : first + len(piece)] = there.sum(axis=1)
    of_slices = by_row.reshape(slices, rows)
    halves = [np.cumsum(each) for each in (of_slices.sum(axis=1), of_slices.sum(axis=0), by_column)]
    z, y, x = (int(np.searchsorted(each, each[-1] / 2)) if each[-1] else len(each) // 2 for each in halves)
    return z, y, x


def _slices(volume: OwnVolume, at: tuple[int, int, int]) -> Slices:
    """The slices along z, y and x: (rows, columns), (slices, columns) and (slices, rows)."""
    (columns, rows, slices), (z, y, x) = volume.sides, at
    across_z, across_y = np.empty((rows, columns), volume.type), np.empty((slices, columns), volume.type)
    across_x = np.empty(rows * slices, volume.type)
    for first, piece in _rows(volume):
        numbers = np.arange(first, first + len(piece))
        inside = numbers // rows == z
        across_z[numbers[inside] % rows] = piece[inside]
        crossing = numbers % rows == y
        across_y[numbers[crossing] // rows] = piece[crossing]
        across_x[numbers] = piece[:, x]
    return [across_z, across_y, across_x.reshape(slices, rows)]


def _rows(volume: OwnVolume) -> Iterator[tuple[int, NDArray[Any]]]:
    """The number of a piece's first row, and the piece's rows."""
    first = 0
    for piece in volume.pieces():
        rows = piece.reshape(-1, volume.sides[0])
        yield first, rows
        first += len(rows)


def _lettered(picture: Pixels, letter: str) -> Pixels:
    """With what lies at the left in its left margin, outlined in black so that it shows on white too."""
    place = (4, picture.shape[0] // 2 + 6)
    for colour, thick in (((0, 0, 0), 3), (WHITE, 1)):
        cv2.putText(picture, letter, place, cv2.FONT_HERSHEY_SIMPLEX, 0.6, colour, thick, cv2.LINE_AA)
    return picture


def _side_by_side(pictures: list[Pixels]) -> Pixels:
    height, width = max(each.shape[0] for each in pictures), sum(each.shape[1] + EDGE for each in pictures) - EDGE
    sheet, left = np.zeros((height, width, 3), np.uint8), 0
    for each in pictures:
        top = (height - each.shape[0]) // 2
        sheet[top : top + each.shape[0], left : left + each.shape[1]] = each
        left += each.shape[1] + EDGE
    return sheet
