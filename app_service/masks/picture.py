"""A mask of an image: an 8-bit grey PNG of the image's own size, whose values are the structures' numbers."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import cv2
import numpy as np

from app_service.intake.pixels import encode_png
from app_service.masks.reach import Reach
from app_service.masks.structures import wrong_mask


class Checked(NamedTuple):
    """The mask written anew, without foreign bytes, and of each structure how many pixels it has and where."""

    png: bytes
    counts: dict[int, int]
    reaches: dict[int, Reach]


def checked_picture(mask: bytes, shape: Sequence[int], indices: Iterable[int]) -> Checked:
    """The mask of an image.

    `shape` is rows, columns of the canonical image. Raises Internal for a mask of another size, or with other values.
    """
    pixels = cv2.imdecode(np.frombuffer(mask, np.uint8), cv2.IMREAD_UNCHANGED) if mask else None
    if pixels is None or pixels.dtype != np.uint8 or pixels.ndim != 2:
        raise wrong_mask("it is no 8-bit grey PNG")
    if pixels.shape != tuple(shape[:2]):
        raise wrong_mask("its size is not that of the image")
    found = np.bincount(pixels.ravel(), minlength=256)
    counts = {index: int(found[index]) for index in indices}
    if int(found[0]) + sum(counts.values()) != pixels.size:
        raise wrong_mask("it has values that mean no structure")
    reaches = {index: Reach(pixels.shape[::-1]) for index in counts}
    for index, reach in reaches.items():
        reach.note(pixels == index, 0)
    return Checked(encode_png(pixels), counts, reaches)
