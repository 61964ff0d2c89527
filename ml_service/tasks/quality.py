"""What is wrong with a picture, told from its grey levels alone. A blank one is not answered; the rest is only
reported, because a marker or a margin on a good film is common. About a millisecond an image."""

import cv2
import numpy as np
from numpy.typing import NDArray

from ml_service.tasks.decode import Grey
from portal_wire.contract import Notice

BLANK = 3.0  # a picture whose grey levels deviate by less than this (of 255) shows nothing
SIDE = 512  # pixels: larger pictures are looked at in this size
DARK = 8  # grey levels below are border
SHOWN = 0.4  # share of the picture that the part with content should have
LONGEST = 2.0  # long side to short side; networks read a square, so the picture is squashed by this much
EDGE = 0.2  # share of the height, at the top and at the bottom, that is searched for writing
LETTERS = 5  # in one row before bright spots are called writing

BORDER = Notice(code="wide_border", detail="More than half of the image is empty border. Cut it off and try again.")
LONG = Notice(code="long_image", detail="The image is far longer than wide. Part of it may be cut off.")
WRITING = Notice(code="burnt_in_text", detail="There seems to be writing in the image. It may name the patient.")


def is_blank(plane: Grey) -> bool:
    """True when the grey levels of (height, width) hardly differ."""
    return float(cv2.meanStdDev(plane)[1][0, 0]) < BLANK


def remarks(plane: Grey) -> list[Notice]:
    """Returns what a reader should know about an image that is answered all the same."""
    found = {LONG: max(plane.shape) > LONGEST * min(plane.shape), BORDER: shown(plane) < SHOWN, WRITING: written(plane)}
    return [notice for notice, is_so in found.items() if is_so]


def shown(plane: Grey) -> float:
    """Returns the share of the picture inside the smallest upright box around all that is not dark."""
    rows, columns = (np.flatnonzero((plane >= DARK).mean(axis=axis) > 0.02) for axis in (1, 0))
    if not len(rows) or not len(columns):
        return 0.0
    return float((rows[-1] - rows[0] + 1) * (columns[-1] - columns[0] + 1) / plane.size)


def written(plane: Grey) -> bool:
    """True when LETTERS bright spots of one height stand in a row, near the top or the bottom: scanners write there."""
    size = min(SIDE, max(plane.shape))
    edge = max(1, round(EDGE * plane.shape[0]))
    return any(_writing(part, max(plane.shape), size) for part in (plane[:edge], plane[-edge:]))


def _writing(part: Grey, whole: int, size: int) -> bool:
    if whole > size:
        scale = size / whole
        part = cv2.resize(part, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
    bright = (part >= max(200, int(part.max()) - 12)).astype(np.uint8)
    count, _, stats, _ = cv2.connectedComponentsWithStats(bright, connectivity=8)
    if count > 1000:  # noise, or a film without grey levels
        return False
    left, top, width, height, area = stats[1:].T
    letters = (height >= max(4, 0.012 * size)) & (height <= 0.06 * size) & (width >= 1) & (width <= 1.6 * height)
    letters &= area <= 0.85 * width * height
    return _in_a_row(np.stack([left, top, height], axis=1)[letters])


def _in_a_row(spots: NDArray[np.int32]) -> bool:
    """Spots are (n, 3): left, top, height."""
    for _, top, height in spots:
        level = np.abs(spots[:, 1] - top) <= 0.25 * height
        alike = np.abs(spots[:, 2] - height) <= 0.25 * height
        places = np.sort(spots[level & alike, 0])
        near = np.diff(places) <= 2.0 * height
        run = longest = 1
        for close in near:
            run = run + 1 if close else 1
            longest = max(longest, run)
        if longest >= LETTERS:
            return True
    return False
