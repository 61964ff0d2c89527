"""What is wrong with a picture, told from its grey levels alone. A blank one is not answered; the rest is only
reported, because a marker or a margin on a good film is common. Well under a millisecond an image."""

import cv2

from ml_service.tasks.decode import Grey
from portal_wire.contract import Notice

BLANK = 3.0  # a picture whose grey levels deviate by less than this (of 255) shows nothing


def is_blank(plane: Grey) -> bool:
    """True when the grey levels of (height, width) hardly differ."""
    return float(cv2.meanStdDev(plane)[1][0, 0]) < BLANK


def remarks(plane: Grey) -> list[Notice]:
    """Returns what a reader should know about an image that is answered all the same."""
    return []
