"""What is wrong with a picture, told from its grey levels alone. A blank one is not answered; the rest is only
reported, because a marker or a margin on a good film is common. About a millisecond an image."""

import cv2
import numpy as np
from numpy.typing import NDArray

from ml_service.tasks.decode import Grey
from portal_wire.contract import Notice

BLANK = 3.0  # a picture whose grey levels deviate by less than this (of 255) shows nothing
SIDE = 512  # pixels: pictures of a multiple of this size are shrunk by whole blocks before writing is looked for
COARSE = 128  # pixels of the shorter side: enough to find the border
DARK = 8  # grey levels below are border
SHOWN = 0.4  # share of the picture that the part with content should have
# Long side to short side; networks read a square, so the picture is squashed by this much. Whole films are shorter: the
# sizes that chests are taken on are 35 x 43 cm and 30 x 40 cm at the longest (1.23 and 1.33; ISO 4090), and our adult
# films have up to 1.2. An eighth more is left for a collimator. A third off a square film is noticed, then; what is
# cut to a whole film's shape, or was stretched to a square afterwards, is not.
LONGEST = 1.5
EDGE = 0.2  # share of the height, at the top and at the bottom, that is searched for writing
LOWEST = 4  # pixels: smaller spots are no letters
LETTERS = 5  # in one row before bright spots are called writing

BORDER = Notice(code="wide_border", detail="More than half of the image is empty border. Cut it off and try again.")
LONG = Notice(code="long_image", detail="One side of the image is far longer than the other. Some may be cut off.")
WRITING = Notice(code="burnt_in_text", detail="There seems to be writing in the image. It may name the patient.")


def is_blank(plane: Grey) -> bool:
    """True when the grey levels of (height, width) hardly differ."""
    return float(cv2.meanStdDev(plane)[1][0, 0]) < BLANK


def remarks(plane: Grey) -> list[Notice]:
    """Returns what a reader should know about an image that is answered all the same."""
    long = max(plane.shape) >= LONGEST * min(plane.shape)
    found = {LONG: long, BORDER: shown(plane) < SHOWN, WRITING: written(plane)}
    return [notice for notice, is_so in found.items() if is_so]


def shown(plane: Grey) -> float:
    """Returns the share of the picture inside the smallest upright box around all that is not dark."""
    step = max(1, min(plane.shape) // COARSE)
    seen = plane[::step, ::step] >= DARK
    rows, columns = (np.flatnonzero(seen.mean(axis=axis) > 0.02) for axis in (1, 0))
    if not len(rows) or not len(columns):
        return 0.0
    return float((rows[-1] - rows[0] + 1) * (columns[-1] - columns[0] + 1) / seen.size)


def written(plane: Grey) -> bool:
    """True when LETTERS bright spots of one height stand in a row, near the top or the bottom: scanners write there."""
    block = max(1, round(max(plane.shape) / SIDE))
    edge = max(block, round(EDGE * plane.shape[0]))
    return any(_writing(part, max(plane.shape) // block, block) for part in (plane[:edge], plane[-edge:]))


def _writing(part: Grey, size: int, block: int) -> bool:
    """`size` is that of the whole picture's longer side once blocks of `block` x `block` pixels are averaged."""
    if block > 1:
        smaller = (max(1, part.shape[1] // block), max(1, part.shape[0] // block))
        part = cv2.resize(part, smaller, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
    bright = (part >= max(200, int(part.max()) - 12)).astype(np.uint8)
    begins = (bright[:, 1:] > bright[:, :-1]).sum(axis=1) >= LETTERS  # rows that cross that many bright spots
    if begins.sum() < LOWEST:
        return False
    count, _, stats, _ = cv2.connectedComponentsWithStats(bright, connectivity=8)
    if count > 1000:  # noise, or a film without grey levels
        return False
    left, top, width, height, area = stats[1:].T
    letters = (height >= max(LOWEST, 0.012 * size)) & (height <= 0.06 * size) & (width >= 1) & (width <= 1.6 * height)
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
