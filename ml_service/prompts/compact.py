"""How the network `box_prompt` reads a slice and a box, and where its mask goes: the same in training and serving.

A slice is any plane of grey levels, (height, width); a box is x_min, y_min, x_max, y_max, inclusive pixel indices.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]
Box = NDArray[np.float32]  # (4,)
SIDE = 256  # pixels a side of the slice
PATCH = 64  # pixels a side of a cut-out, and of its mask
MARGIN = 0.25  # of the box's side, on each side of it: what lies around tells where the object ends
LEAST = 4.0  # pixels a side of a box as it is read: of less there is nothing to see
WIDE = (0.5, 99.5)  # percentiles of a slice that become 0 and 1
OUTSIDE = -10.0  # logit where a network was not asked
NARROW = (5.0, 95.0)  # percentiles of a box's inside that become -1 and 1


def prepare(plane: Any, side: int = SIDE) -> Plane:
    """Returns the slice as the encoder reads it, (side, side, 1) in 0 .. 1: its longer side fills the square, the rest
    (right or below) is 0."""
    low, high = spread(plane)
    scale = side / max(plane.shape)
    height, width = (max(1, round(size * scale)) for size in plane.shape)
    shrinks = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small = np.clip((cv2.resize(plane, (width, height), interpolation=shrinks) - low) / (high - low), 0, 1)
    square = np.zeros((side, side, 1), np.float32)
    square[:height, :width, 0] = small
    return square


def spread(plane: Plane) -> tuple[float, float]:
    """Returns the levels that become 0 and 1: nearly the least and the greatest, so that a few bright pixels do not
    darken everything."""
    low, high = (float(level) for level in np.percentile(plane, WIDE))
    return low, max(high, low + 1e-6)


def around(box: Box) -> tuple[float, float, float, float]:
    """Returns the rectangle that is cut out for a box: x_min, y_min, x_max, y_max, edges of pixels."""
    middle = (float(box[0] + box[2]) / 2, float(box[1] + box[3]) / 2)
    half = [max(LEAST, float(high - low) + 1) * (0.5 + MARGIN) for low, high in ((box[0], box[2]), (box[1], box[3]))]
    return middle[0] - half[0], middle[1] - half[1], middle[0] + half[0], middle[1] + half[1]


def shares(box: Box, shape: tuple[int, int]) -> NDArray[np.float32]:
    """Returns the cut-out's rectangle in shares of the encoder's square, (4,)."""
    edges = np.array(around(box)) + 0.5
    found: NDArray[np.float32] = (edges / max(shape)).astype(np.float32)
    return found


def cut(plane: Plane, box: Box, size: int = PATCH) -> Plane:
    """Returns the cut-out of any plane around a box, (size, size); beyond the plane its edge goes on."""
    left, top, right, bottom = around(box)
    seen: Plane = _warped(plane, left, top, (right - left) / size, (bottom - top) / size, size)
    return seen


def patch(plane: Plane, box: Box, levels: tuple[float, float], size: int = PATCH) -> Plane:
    """Returns what the decoder reads of a box, (size, size, 3): the cut-out by the slice's `levels` (see `spread`), by
    the levels inside of the box, and how far inside of the box each pixel is (0 at its edge, 1 in its middle)."""
    seen = cut(plane, box, size)
    wide = np.clip((seen - levels[0]) / (levels[1] - levels[0]), 0, 1)
    edge = round(size * MARGIN / (1 + 2 * MARGIN))
    low, high = np.percentile(seen[edge : size - edge, edge : size - edge], NARROW)
    narrow = np.clip((seen - (low + high) / 2) / max((high - low) / 2, 1e-6), -2, 2)
    read: Plane = np.stack([wide, narrow, inside(box, size)], axis=-1).astype(np.float32)
    return read


def inside(box: Box, size: int = PATCH) -> Plane:
    """Returns the box itself on its cut-out, (size, size): 1 in the middle, 0 on the edge, below 0 outside."""
    left, top, right, bottom = around(box)
    sides = []
    for low, high, first, last in ((left, right, box[0], box[2]), (top, bottom, box[1], box[3])):
        at = low + (np.arange(size) + 0.5) * (high - low) / size
        sides.append(1 - np.abs(at - (first + last) / 2) / (float(last - first + 1) / 2))
    depth: Plane = np.clip(np.minimum(sides[1][:, None], sides[0][None]), -1, 1).astype(np.float32)
    return depth


def placed(logits: Plane, box: Box, shape: tuple[int, int]) -> Plane:
    """Returns a cut-out's logits (size, size) as those of the whole slice, `shape` (height, width)."""
    left, top, right, bottom = around(box)
    size = logits.shape[0]
    found = np.full(shape, OUTSIDE, np.float32)
    x, y = max(0, int(np.floor(left))), max(0, int(np.floor(top)))
    width, height = min(shape[1], int(np.ceil(right)) + 1) - x, min(shape[0], int(np.ceil(bottom)) + 1) - y
    if width > 0 and height > 0:
        across, down = size / (right - left), size / (bottom - top)  # cells a pixel
        matrix = np.array([[across, 0, (x - left) * across - 0.5], [0, down, (y - top) * down - 0.5]])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        part = cv2.warpAffine(logits, matrix, (width, height), flags=flags, borderValue=OUTSIDE)
        found[y : y + height, x : x + width] = part
    return found


def _warped(plane: Plane, left: float, top: float, across: float, down: float, size: int) -> Any:
    """Returns cells of `across` x `down` pixels from (left, top) on, each the mean of what it covers."""
    shrink = (max(1, round(across)), max(1, round(down)))
    # Only what is needed, in whole cells, is averaged first; the rest is between neighbours.
    x, y = int(np.floor(left)) - shrink[0], int(np.floor(top)) - shrink[1]
    width = -(-int(np.ceil(across * size) + 3 * shrink[0]) // shrink[0]) * shrink[0]
    height = -(-int(np.ceil(down * size) + 3 * shrink[1]) // shrink[1]) * shrink[1]
    x_low, x_high, y_low, y_high = max(x, 0), min(x + width, plane.shape[1]), max(y, 0), min(y + height, plane.shape[0])
    if x_low >= x_high or y_low >= y_high:
        return np.zeros((size, size), np.float32)
    part: Any = plane[y_low:y_high, x_low:x_high]
    border = (y_low - y, y + height - y_high, x_low - x, x + width - x_high)
    part = cv2.copyMakeBorder(part, *border, cv2.BORDER_REPLICATE)
    if max(shrink) > 1:
        part = cv2.resize(part, (width // shrink[0], height // shrink[1]), interpolation=cv2.INTER_AREA)
    matrix = np.array(
        [
            [across / shrink[0], 0, (left - x + 0.5 + across / 2) / shrink[0] - 0.5],
            [0, down / shrink[1], (top - y + 0.5 + down / 2) / shrink[1] - 0.5],
        ]
    )
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(part, matrix, (size, size), flags=flags, borderMode=cv2.BORDER_REPLICATE)
