"""What a program without a network would make of a box: the yardsticks beside the model's scores."""

from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from ml_service.prompts.compact import Box, Plane

Mask = NDArray[np.bool_]
Start = Literal["rectangle", "ellipse", "middle"]
ROUNDS = 5  # of GrabCut
AROUND = 0.3  # of the box's side, on each side of it: what GrabCut may learn the outside from
LONGEST = 96  # pixels of what GrabCut reads
MIDDLE = 0.25  # of the box's ellipse, by area


def ellipse(box: Box, shape: tuple[int, int]) -> Mask:
    """Returns the ellipse that fills the box."""
    y, x = np.ogrid[: shape[0], : shape[1]]
    middle_x, middle_y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    across, down = (box[2] - box[0] + 1) / 2, (box[3] - box[1] + 1) / 2
    inside: Mask = ((x - middle_x) / across) ** 2 + ((y - middle_y) / down) ** 2 <= 1
    return inside


def whole_box(box: Box, shape: tuple[int, int]) -> Mask:
    """Returns the box itself."""
    mask = np.zeros(shape, np.bool_)
    x_min, y_min, x_max, y_max = (round(float(edge)) for edge in box)
    mask[y_min : y_max + 1, x_min : x_max + 1] = True
    return mask


def grabcut(plane: Plane, box: Box, start: Start = "rectangle") -> Mask:
    """Returns what GrabCut (Rother et al. 2004) takes for the object. It starts with all of the box as probable object
    ("rectangle", as OpenCV has it); with the box's ellipse as that, and its corners as probably outside ("ellipse"); or
    with all of the box, and its middle as surely object ("middle"). From the first two it often calls all of it
    outside: where the box is tight, nothing tells it that the object is there.

    It reads the box and a part of what is around it, brought to LONGEST pixels, by levels from inside of the box.
    """
    side = np.array([box[2] - box[0] + 1, box[3] - box[1] + 1]) * AROUND
    left, top = (max(0, int(box[n] - side[n])) for n in (0, 1))
    right, bottom = int(np.ceil(box[2] + side[0])) + 1, int(np.ceil(box[3] + side[1])) + 1
    part = plane[top:bottom, left:right]
    low, high = np.percentile(plane[int(box[1]) : int(box[3]) + 1, int(box[0]) : int(box[2]) + 1], (5, 95))
    reach = max(float(high - low), 1e-6)
    grey = np.clip((part - (low + high) / 2 + reach) / (2 * reach) * 255, 0, 255).astype(np.uint8)
    scale = LONGEST / max(part.shape)
    small = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    x, y = round((float(box[0]) - left) * scale), round((float(box[1]) - top) * scale)
    wide, tall = round(float(box[2] - box[0] + 1) * scale), round(float(box[3] - box[1] + 1) * scale)
    found = np.full(small.shape, cv2.GC_BGD, np.uint8)
    found[y : y + tall, x : x + wide] = cv2.GC_PR_BGD if start == "ellipse" else cv2.GC_PR_FGD
    rows, columns = np.ogrid[: small.shape[0], : small.shape[1]]
    away = ((columns + 0.5 - x - wide / 2) / (wide / 2)) ** 2 + ((rows + 0.5 - y - tall / 2) / (tall / 2)) ** 2
    if start == "ellipse":
        found[away <= 1] = cv2.GC_PR_FGD
    if start == "middle":
        found[away <= MIDDLE] = cv2.GC_FGD
    cv2.setRNGSeed(0)  # its clusters start at random
    try:
        coloured, outside, inside = cv2.cvtColor(small, cv2.COLOR_GRAY2BGR), np.zeros((1, 65)), np.zeros((1, 65))
        cv2.grabCut(coloured, found, (0, 0, 1, 1), outside, inside, ROUNDS, cv2.GC_INIT_WITH_MASK)
    except cv2.error:  # a box that leaves nothing outside
        return whole_box(box, plane.shape)
    mask = np.zeros(plane.shape, np.bool_)
    taken = np.isin(found, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.float32)
    mask[top:bottom, left:right] = cv2.resize(taken, part.shape[::-1], interpolation=cv2.INTER_LINEAR) > 0.5
    return mask
