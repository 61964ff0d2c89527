"""A PNG's chunks (W3C PNG, third edition): what the header says, and the file reduced to its picture.

Every chunk that is used is checked against its CRC, since image libraries differ in which they check. Text, times,
profiles and private chunks are left behind without being unpacked, and so is whatever follows the end.
"""

import zlib
from dataclasses import dataclass

from app_service.intake.limits import Limits
from app_service.intake.refusals import check_size, corrupt, multiframe
from portal_wire.errors import Unprocessable

SIGNATURE = b"\x89PNG\r\n\x1a\n"
PICTURE = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"}
GREY = 0


@dataclass(frozen=True)
class Png:
    """`transparent_grey` is the one value of a grey picture that stands for "nothing here", in its own bit depth."""

    bits: int
    transparent_grey: int | None
    exif: bytes | None
    stripped: bytes


def read_png(data: bytes, limits: Limits) -> Png:
    """The header and the stripped file.

    Raises Unprocessable `too_many_pixels` and `too_small` from the header alone, `corrupt`, and
    `multiframe_not_allowed` for an animation.
    """
    if not data.startswith(SIGNATURE):
        raise corrupt("It does not begin like a PNG.")
    kept: list[bytes | memoryview] = [SIGNATURE]
    position = len(SIGNATURE)
    found: dict[bytes, bytes] = {}
    while b"IEND" not in found:
        name, body, end = _chunk(data, position)
        if (name == b"IHDR") != (len(kept) == 1):
            raise corrupt("Its PNG header is not where it must be.")
        if name == b"IHDR":
            check_size(*_size(body), limits)
        if name == b"acTL":
            raise multiframe()
        if name in PICTURE or name == b"eXIf":
            _check_crc(data, position, end)
            found.setdefault(name, body)
        elif not name[0] & 0x20:  # a capital first letter: no reader may skip it
            raise corrupt("It has a PNG chunk that is not part of the format.")
        if name in PICTURE:
            kept.append(memoryview(data)[position:end])
        position = end
    if b"IDAT" not in found:
        raise corrupt("It holds no PNG picture.")
    return Png(found[b"IHDR"][8], _transparent_grey(found), found.get(b"eXIf"), b"".join(kept))


def _chunk(data: bytes, position: int) -> tuple[bytes, bytes, int]:
    """Name, content and the position behind the chunk at `position`."""
    head = data[position : position + 8]
    end = position + 12 + int.from_bytes(head[:4], "big")
    if len(head) < 8 or end > len(data):
        raise _cut_short()
    return head[4:], data[position + 8 : end - 4], end


def _check_crc(data: bytes, position: int, end: int) -> None:
    if zlib.crc32(memoryview(data)[position + 4 : end - 4]) != int.from_bytes(data[end - 4 : end], "big"):
        raise corrupt("A checksum inside the PNG is wrong.")


def _size(header: bytes) -> tuple[int, int]:
    """Columns and rows."""
    if len(header) != 13:
        raise corrupt("Its PNG header is wrong.")
    return int.from_bytes(header[:4], "big"), int.from_bytes(header[4:8], "big")


def _transparent_grey(found: dict[bytes, bytes]) -> int | None:
    is_grey = found[b"IHDR"][9] == GREY
    return int.from_bytes(found[b"tRNS"], "big") if is_grey and b"tRNS" in found else None


def _cut_short() -> Unprocessable:
    return corrupt("The PNG ends before its picture does.")
