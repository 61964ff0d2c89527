"""Which way up a picture stands, by its EXIF block (EXIF 3.0, 4.5 and 4.6.4; TIFF 6.0, section 2).

One entry of the first directory is all that is needed. Pillow reads it too, and is the measure in the tests; here its
libraries would be mapped anew into the child of every file.
"""

import struct
from collections.abc import Callable

import numpy as np

from app_service.intake.pixels import Pixels

ORIENTATION = 0x0112
BYTE_ORDERS = {b"II*\0": "<", b"MM\0*": ">", b"II\0*": "<", b"MM*\0": ">"}  # the last two are slips that are met with
# A TIFF value's type: SHORT, as EXIF asks for, and as others write it LONG, SSHORT and SLONG.
NUMBERS = {3: "H", 4: "I", 8: "h", 9: "i"}
PREFIX = b"Exif\0\0"
# How to turn the stored picture so that it stands upright.
UPRIGHT: dict[int, Callable[[Pixels], Pixels]] = {
    2: np.fliplr,
    3: lambda stored: np.rot90(stored, 2),
    4: np.flipud,
    5: lambda stored: stored.swapaxes(0, 1),
    6: lambda stored: np.rot90(stored, -1),
    7: lambda stored: np.rot90(stored, 2).swapaxes(0, 1),
    8: np.rot90,
}


def orientation(exif: bytes | None) -> int:
    """A key of UPRIGHT, or 1 for upright and for an EXIF block that cannot be read."""
    block = exif or b""
    while block.startswith(PREFIX):
        block = block.removeprefix(PREFIX)
    order = BYTE_ORDERS.get(block[:4])
    if order is None:
        return 1
    try:
        (start,) = struct.unpack_from(f"{order}I", block, 4)
        (entries,) = struct.unpack_from(f"{order}H", block, start)
        for at in range(start + 2, start + 2 + 12 * entries, 12):
            tag, kind = struct.unpack_from(f"{order}HH", block, at)
            if tag == ORIENTATION and kind in NUMBERS:
                (value,) = struct.unpack_from(order + NUMBERS[kind], block, at + 8)
                return value if value in UPRIGHT else 1
    except struct.error:  # it ends too early, which spoils no picture
        pass
    return 1


def upright(stored: Pixels, orientation: int) -> Pixels:
    """The picture as it is to be looked at."""
    return UPRIGHT[orientation](stored) if orientation in UPRIGHT else stored
