"""What a program without a network would outline: the yardsticks beside a mask model's scores."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from ml_service.label_maps import LabelMap
from ml_service.tasks.decode import Grey
from ml_service.training.masks.pairs import Pair

SIDE = 192  # pixels


def mean_mask(pairs: Sequence[Pair]) -> NDArray[np.float32]:
    """Returns how often each place of a film squashed to a square is in each lung: (SIDE, SIDE, 2)."""
    found = [cv2.resize(pair.masks * 255, (SIDE, SIDE), interpolation=cv2.INTER_AREA) for pair in pairs]
    mean: NDArray[np.float32] = (np.stack(found).mean(axis=0) / 255).astype(np.float32)
    return mean


def everywhere(mean: NDArray[np.float32], shape: tuple[int, int]) -> LabelMap:
    """Returns the places that are lung on half of the training films, whatever the film (height, width) shows."""
    fine = cv2.resize(mean, shape[::-1], interpolation=cv2.INTER_LINEAR)
    inside = fine.max(axis=-1) > 0.5
    return np.where(inside, 1 + fine.argmax(axis=-1), 0).astype(np.uint8)


def otsu(plane: Grey) -> LabelMap:
    """Returns the two largest dark pieces that do not reach the film's edge, by Otsu's threshold, right one first."""
    smooth = cv2.GaussianBlur(plane, (0, 0), max(plane.shape) / 200)
    _, dark = cv2.threshold(smooth, 0, 1, cv2.THRESH_BINARY_INV | cv2.THRESH_OTSU)
    _, pieces, facts, middles = cv2.connectedComponentsWithStats(dark)
    left, top, width, height, area = facts.T
    inner = (left > 0) & (top > 0) & (left + width < plane.shape[1]) & (top + height < plane.shape[0])
    inner[0] = False
    largest = sorted(np.flatnonzero(inner), key=lambda piece: -int(area[piece]))[:2]
    found = np.zeros(plane.shape, np.uint8)
    for piece in largest:
        on_the_left = middles[piece, 0] < plane.shape[1] / 2
        found[pieces == piece] = 1 if on_the_left else 2
    return found
