"""A chest film on its way to the network: one frame size, then crop, resize and histogram equalisation.

The frame is 224 x 224 because the training images are: their makers squashed every film to that square, so a
film is squashed here too, with the same area average. Equalisation takes exposure out of the picture, which
is the largest difference between films of one hospital and the next.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from ml_service.tasks.decode import Grey

FRAME = 224  # pixels a side
CROP = 0.9  # share of the side that the network sees
BLACK = 8  # grey levels below are collimator or paper border, and take no part in equalisation

Pixels = NDArray[np.float32]


def frame(plane: Grey) -> Grey:
    """Returns the film squashed to (FRAME, FRAME)."""
    if plane.shape == (FRAME, FRAME):
        return plane
    return resized(plane, FRAME)


def resized(plane: Grey, side: int) -> Grey:
    """Returns the film as (side, side); area average when it shrinks, so no detail is skipped over."""
    shrinks = min(plane.shape) >= side
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return cv2.resize(_roughly(plane, 3 * side), (side, side), interpolation=method).astype(np.uint8, copy=False)


def _roughly(plane: Grey, least: int) -> Grey:
    """Returns the film with whole blocks of pixels averaged, neither side below `least`.

    An average over whole blocks takes a tenth of the time of one over parts of pixels. Of the levels that come out at
    the end it changes few, and those by 1 of 255.
    """
    block = min(plane.shape) // least
    if block < 2:
        return plane
    height, width = (size // block for size in plane.shape)
    top, left = (size % block // 2 for size in plane.shape)  # the rest of a block is cut off, on both sides
    whole = plane[top : top + height * block, left : left + width * block]
    return cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def centre(plane: Grey, share: float = CROP) -> Grey:
    """Returns the middle of the film, `share` of each side."""
    height, width = plane.shape
    top, left = round(height * (1 - share) / 2), round(width * (1 - share) / 2)
    return plane[top : height - top, left : width - left]


def equalise(plane: Grey) -> Pixels:
    """Returns grey levels replaced by their rank: (height, width) in about -1.7 .. 1.7, mean near 0."""
    counts = cv2.calcHist([plane], [0], None, [256], [0, 256]).ravel().astype(np.float64)  # exact up to 2**24 pixels
    counts[:BLACK] = 0
    total = counts.sum()
    if total == 0:
        return np.full(plane.shape, -1.7, np.float32)
    ranks = (np.cumsum(counts) - counts / 2) / total  # the middle of each level's share
    table = ((ranks - 0.5) / 0.29).astype(np.float32)  # 0.29 is the deviation of a flat histogram on 0 .. 1
    return cv2.LUT(plane, table).astype(np.float32, copy=False)


def network_input(framed: Grey, side: int) -> Pixels:
    """Returns what the network reads of a framed film: (side, side, 1) float32."""
    return equalise(resized(centre(framed), side))[:, :, np.newaxis]
