"""Decoding by OpenCV, which carries on over damage that libjpeg and libpng only mention on standard error.

What they mention is read here, so that damage is noticed. Works on the process's own descriptor 2, hence only in a
process with one thread, such as the sandbox's child.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import cv2
import numpy as np

from app_service.intake.jpeg import File
from app_service.intake.pixels import Pixels
from app_service.intake.refusals import corrupt

# Both libraries read past these without touching a pixel of the picture.
HARMLESS = ("extraneous bytes before marker 0xd9", "IDAT: Too much image data", "IDAT: Extra compressed data")
STANDARD_ERROR = 2


def decode(data: File, flags: int = cv2.IMREAD_UNCHANGED) -> tuple[Pixels, bool]:
    """The pixels, and whether the file has bytes to spare between its parts. Raises Unprocessable `corrupt`."""
    with _heard() as said:
        decoded = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    complaints = said[0].splitlines()
    if decoded is None or not all(any(known in line for known in HARMLESS) for line in complaints):
        raise corrupt("Its picture data cannot be read to the end.")
    if decoded.dtype not in (np.uint8, np.uint16):
        raise corrupt("Its pixels are neither 8- nor 16-bit.")
    return decoded, bool(complaints)


@contextmanager
def _heard() -> Iterator[list[str]]:
    """A list that holds, after the block, what C libraries wrote on standard error inside it."""
    said: list[str] = []
    usual = os.dup(STANDARD_ERROR)
    page = os.memfd_create("heard")
    os.dup2(page, STANDARD_ERROR)
    try:
        yield said
    finally:
        os.dup2(usual, STANDARD_ERROR)
        said.append(os.pread(page, 65536, 0).decode("ascii", "replace"))
        os.close(usual)
        os.close(page)
