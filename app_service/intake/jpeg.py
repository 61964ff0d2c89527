"""A JPEG's segments (ITU-T T.81 annex B): what the header says, and the file without everything that is no picture.

Nothing here decodes. Comments, EXIF, GPS, thumbnails, colour profiles, a second picture and whatever follows the end
are left behind; of the application segments only those stay that say how colour is stored, rewritten empty.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from mmap import mmap

from app_service.intake.limits import Limits
from app_service.intake.refusals import check_size, corrupt
from portal_wire.errors import Unprocessable

File = bytes | mmap  # a mapped file is read where it lies
EOI, SOS, DQT, DHT, DRI, DAC = 0xD9, 0xDA, 0xDB, 0xC4, 0xDD, 0xCC
APP0, APP1, APP14 = 0xE0, 0xE1, 0xEE
# Start of frame: baseline, extended and progressive with Huffman codes; the same two with arithmetic codes.
FRAMES = {0xC0, 0xC1, 0xC2, 0xC9, 0xCA}
HUFFMAN_FRAMES = {0xC0, 0xC1, 0xC2}
KEPT = {DQT, DHT, DRI, DAC, SOS, *FRAMES}
LEFT_BEHIND = {0xFE, *range(0xE0, 0xF0)}
UNREADABLE_FRAMES = {0xC3, 0xC5, 0xC6, 0xC7, 0xCB, 0xCD, 0xCE, 0xCF}  # lossless and hierarchical
JFIF = b"JFIF\0\1\1\0\0\1\0\1\0\0"  # version 1.1, square pixels, no thumbnail
# In entropy-coded data 0xFF is followed by 0x00 (a stuffed byte) or a restart marker; anything else ends the scan.
END_OF_SCAN = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")


@dataclass(frozen=True)
class Frame:
    """`components` is 1 for grey, 3 for colour, 4 for CMYK."""

    columns: int
    rows: int
    components: int
    huffman: bool


@dataclass(frozen=True)
class Jpeg:
    """`stripped` decodes to the same pixels as the file, save for the turn that `exif` may ask for.

    It is the very file when there is nothing to leave behind.
    """

    frame: Frame
    scans: int
    exif: bytes | None
    stripped: File


def read_jpeg(data: File, limits: Limits) -> Jpeg:
    """The header and the stripped file.

    Raises Unprocessable `too_many_pixels` and `too_small` as soon as the size is known, `corrupt`, and
    `type_not_allowed` for a JPEG of a rare kind.
    """
    if data[:2] != b"\xff\xd8":
        raise corrupt("It does not begin like a JPEG.")
    kept: list[bytes | memoryview] = [data[:2]]
    frame: Frame | None = None
    exif: bytes | None = None
    scans, rewritten = 0, False
    for marker, body, coded in _segments(data):
        if marker in FRAMES:
            if frame is not None:
                raise corrupt("It has two JPEG frames.")
            frame = _frame(marker, body, limits)
        elif marker == APP1 and body.startswith(b"Exif\0"):
            exif = exif or body
        if marker in KEPT:
            kept += (_segment(marker, body), coded)
        elif not scans:
            kept.append(colour := _colour_segment(marker, body))
            rewritten = rewritten or colour != _segment(marker, body)
        scans += marker == SOS
    if frame is None or not scans:
        raise corrupt("It holds no JPEG picture.")
    kept.append(b"\xff\xd9")
    whole = not rewritten and sum(map(len, kept)) == len(data)
    return Jpeg(frame, scans, exif, data if whole else b"".join(kept))


def _segments(data: File) -> Iterator[tuple[int, bytes, memoryview]]:
    """Marker, parameters and, behind the head of a scan, its entropy-coded data; up to the end of the picture."""
    view = memoryview(data)  # a scan is most of the file: do not copy it
    marker, position = _marker(data, 2)
    while marker != EOI:
        if marker in UNREADABLE_FRAMES:
            raise _rare("lossless or hierarchical")
        if marker not in KEPT | LEFT_BEHIND:
            raise corrupt("It has a JPEG segment that cannot stand where it stands.")
        body = _body(data, position)
        position += 2 + len(body)
        end = _end_of_scan(data, position) if marker == SOS else position
        yield marker, body, view[position:end]
        marker, position = _marker(data, end)


def _marker(data: File, position: int) -> tuple[int, int]:
    """The marker at `position`, which any number of 0xFF may fill up to, and the position behind it."""
    if data[position : position + 1] != b"\xff":
        raise _cut_short() if position >= len(data) else corrupt("It has stray bytes between its JPEG segments.")
    while data[position : position + 1] == b"\xff":
        position += 1
    if position >= len(data):
        raise _cut_short()
    return data[position], position + 1


def _body(data: File, position: int) -> bytes:
    length = int.from_bytes(data[position : position + 2], "big")
    if length < 2 or position + length > len(data):
        raise _cut_short()
    return data[position + 2 : position + length]


def _end_of_scan(data: File, position: int) -> int:
    found = END_OF_SCAN.search(data, position)
    if found is None:
        raise _cut_short()
    return found.start()


def _segment(marker: int, body: bytes) -> bytes:
    return bytes((0xFF, marker)) + (len(body) + 2).to_bytes(2, "big") + body


def _colour_segment(marker: int, body: bytes) -> bytes:
    """What a decoder must know to tell YCbCr from RGB and YCCK from CMYK; empty for every other segment."""
    if marker == APP0 and body.startswith(b"JFIF\0"):
        return _segment(APP0, JFIF)
    if marker == APP14 and body.startswith(b"Adobe") and len(body) >= 12:
        return _segment(APP14, b"Adobe\0\x64\0\0\0\0" + body[11:12])
    return b""


def _frame(marker: int, body: bytes, limits: Limits) -> Frame:
    if len(body) < 9 or body[5] not in (1, 3, 4):
        raise corrupt("Its JPEG frame header is wrong.")
    frame = Frame(int.from_bytes(body[3:5], "big"), int.from_bytes(body[1:3], "big"), body[5], marker in HUFFMAN_FRAMES)
    check_size(frame.columns, frame.rows, limits)
    if body[0] != 8:
        raise _rare(f"{body[0]}-bit")
    return frame


def _cut_short() -> Unprocessable:
    return corrupt("The JPEG ends before its picture does.")


def _rare(what: str) -> Unprocessable:
    return Unprocessable(
        f"This is a {what} JPEG. Accepted are the usual 8-bit JPEGs and PNG, which also keeps 16 bits.",
        code="type_not_allowed",
    )
