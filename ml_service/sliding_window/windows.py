"""Where the windows lie, and how much each voxel of one counts."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ml_service.sliding_window.plan import Three

SIGMA = 0.125  # of the window's side
LEAST = 1e-3  # weight of a corner, so that a voxel that only corners see keeps its digits


def starts(length: int, side: int, overlap: float) -> list[int]:
    """Returns where windows begin along one axis: even steps, the last one moved in to end with the volume.

    Args:
        length: voxels of the volume, at least `side`.
        side: voxels of a window.
        overlap: share of a window that the next one sees again.
    """
    step = max(1, int(side * (1 - overlap)))
    return [min(at, length - side) for at in range(0, length - side + step, step)]


def weights(size: Three) -> NDArray[np.float32]:
    """Returns a gaussian around the window's middle, 1 there: the network knows the middle best. (d, h, w)"""
    lines = [np.exp(-0.5 * ((np.arange(side) - (side - 1) / 2) / (SIGMA * side)) ** 2) for side in size]
    block = lines[0][:, None, None] * lines[1][None, :, None] * lines[2][None, None, :]
    each: NDArray[np.float32] = np.maximum(block, max(float(block.min()), LEAST)).astype(np.float32)
    return each


def rows(shape: Three, size: Three, overlap: float) -> Iterator[tuple[int, list[tuple[int, int]]]]:
    """Yields, down the first axis, where a row of windows begins, and where each of its windows does on the others."""
    across = [(y, x) for y in starts(shape[1], size[1], overlap) for x in starts(shape[2], size[2], overlap)]
    for z in starts(shape[0], size[0], overlap):
        yield z, across


def count(shape: Three, size: Three, overlap: float) -> int:
    """Returns how many windows there are."""
    counts = [len(starts(length, side, overlap)) for length, side in zip(shape, size, strict=True)]
    return counts[0] * counts[1] * counts[2]
