"""What a program without a network would make of a box: the yardsticks beside the model's scores."""

import cv2
import numpy as np
from numpy.typing import NDArray

from ml_service.prompts.compact import Box, Plane, spread

Mask = NDArray[np.bool_]
ROUNDS = 5  # of GrabCut
AROUND = 0.5  # of the box's side, on each side of it: what GrabCut may learn the outside from
LONGEST = 200  # pixels of what GrabCut reads


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


def grabcut(plane: Plane, box: Box) -> Mask:
    """Returns what GrabCut (Rother et al. 2004) takes for the object, started with the box.

    It reads the box and half as much again around it, brought to LONGEST pixels at most; the levels of that part, least
    to greatest, as grey.
    """
    side = np.array([box[2] - box[0] + 1, box[3] - box[1] + 1]) * AROUND
    left, top = (max(0, int(box[n] - side[n])) for n in (0, 1))
    right, bottom = int(np.ceil(box[2] + side[0])) + 1, int(np.ceil(box[3] + side[1])) + 1
    part = plane[top:bottom, left:right]
    low, high = spread(part)
    grey = np.clip((part - low) / (high - low) * 255, 0, 255).astype(np.uint8)
    scale = min(1.0, LONGEST / max(part.shape))
    small = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else grey
    x, y = round((float(box[0]) - left) * scale), round((float(box[1]) - top) * scale)
    wide, high_ = round(float(box[2] - box[0] + 1) * scale), round(float(box[3] - box[1] + 1) * scale)
    found = np.zeros(small.shape, np.uint8)
    rectangle = (x, y, max(1, min(wide, small.shape[1] - x)), max(1, min(high_, small.shape[0] - y)))
    outside, inside = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.setRNGSeed(0)  # its clusters start at random
    try:
        coloured = cv2.cvtColor(small, cv2.COLOR_GRAY2BGR)
        cv2.grabCut(coloured, found, rectangle, outside, inside, ROUNDS, cv2.GC_INIT_WITH_RECT)
    except cv2.error:  # a box that leaves nothing outside
        return whole_box(box, plane.shape)
    mask = np.zeros(plane.shape, np.bool_)
    taken = np.isin(found, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.float32)
    mask[top:bottom, left:right] = cv2.resize(taken, part.shape[::-1], interpolation=cv2.INTER_LINEAR) > 0.5
    return mask
