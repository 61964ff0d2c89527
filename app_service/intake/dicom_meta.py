"""A DICOM file's meta information (PS3.10 7.1): how what follows it is coded, and deflated files unpacked by it.

pydicom would inflate a deflated file whole before anyone could ask, and no header tells its size: here it ends where
an archive of such a size would be refused too.
"""

from collections.abc import Iterator

from isal import igzip_lib, isal_zlib

from app_service.intake.archive import MOST_INFLATED_BYTES, MOST_RATIO, RATIO_FROM_BYTES
from app_service.intake.refusals import corrupt, too_large_inflated

META_BYTES = 2**16
DEFLATED, EXPLICIT = "1.2.840.10008.1.2.1.99", b"1.2.840.10008.1.2.1"
_RAW = -15  # a stream without head and checksum (PS3.5 A.5, RFC 1951)
_SYNTAX = b"\x10\0"


def transfer_syntax(data: bytes) -> str:
    """How the file is coded; empty where it does not say."""
    for element, start, end in _elements(data):
        if element == _SYNTAX:
            return data[start:end].rstrip(b"\0 ").decode("ascii", "replace")
    return ""


def plain(data: bytes) -> bytes:
    """The file itself, or of a deflated one the same with its data set unpacked, as explicit VR little endian.

    Raises Unprocessable `too_large_inflated` or `corrupt`.
    """
    if transfer_syntax(data) != DEFLATED:
        return data
    elements = list(_elements(data))
    start, end = next((start, end) for element, start, end in elements if element == _SYNTAX)
    most = min(MOST_INFLATED_BYTES, max(RATIO_FROM_BYTES, MOST_RATIO * len(data)))
    unpacker = isal_zlib.decompressobj(_RAW)
    try:
        body = unpacker.decompress(data[elements[-1][2] :], max_length=most)
    except igzip_lib.IsalError as error:  # type: ignore[misc]
        raise corrupt("Its deflated data cannot be unpacked.") from error
    if not unpacker.eof:
        raise too_large_inflated() if len(body) >= most else corrupt("The DICOM file ends before its picture does.")
    syntax = EXPLICIT.ljust(end - start, b"\0")
    return b"".join((data[:start], syntax, data[end : elements[-1][2]], body))


def _elements(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """The second half of each element's tag, and where its value begins and ends."""
    at = 132
    while data[at : at + 2] == b"\x02\0" and at < META_BYTES:
        long = data[at + 4 : at + 6] in (b"OB", b"OW", b"UN", b"SQ", b"UT")
        length = int.from_bytes(data[at + 8 : at + 12] if long else data[at + 6 : at + 8], "little")
        start = at + (12 if long else 8)
        yield data[at + 2 : at + 4], start, start + length
        at = start + length
