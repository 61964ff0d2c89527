"""Thirty films that differ: the shipped samples, small, each in several exposures."""

from functools import cache
from itertools import cycle, islice

import cv2
import numpy as np

from tests.end_to_end.doctor import FILMS

COUNT = 30
_COLUMNS = 512


@cache
def films() -> list[bytes]:
    """JPEGs; the same ones at every call."""
    made = []
    for number, path in enumerate(islice(cycle(FILMS), COUNT)):
        grey = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        assert grey is not None
        small = cv2.resize(grey, (_COLUMNS, _COLUMNS * grey.shape[0] // grey.shape[1]), interpolation=cv2.INTER_AREA)
        brighter = np.power(small / 255.0, 0.7 + 0.02 * number) * 255
        made.append(cv2.imencode(".jpg", brighter.astype(np.uint8))[1].tobytes())
    return made
