"""B27 to B41: NIfTI files, plain and gzipped."""

import gzip
import struct

import nibabel as nib
import numpy as np

from tests.app_service.intake.test_volume import AFFINES, VALUES, nifti, patched
from tests.bad_input.zeros import Packed, deflated_zeros

PLAIN = AFFINES["plain"]
NAN = float("nan")


def good() -> bytes:
    return nifti(VALUES, PLAIN)


def head(*dims: int, datatype: tuple[int, int] = (2, 8)) -> bytes:
    """A NIfTI-1 header and its empty list of extensions; `dims` begins with their number."""
    data = bytearray(good()[:352])
    data[40:56] = struct.pack("<8h", *dims, *[1] * (8 - len(dims)))
    data[70:74] = struct.pack("<2h", *datatype)
    data[108:120] = struct.pack("<3f", 352, 1, 0)
    return bytes(data)


def bomb() -> bytes:
    """1000 x 1000 x 1000 bytes of nothing, in 1 MB."""
    return deflated_zeros(352 + 10**9, Packed.GZIP, head(3, 1000, 1000, 1000))


def zeros_10_gb() -> bytes:
    return deflated_zeros(10 * 2**30, Packed.GZIP)


def gzipped_thrice() -> bytes:
    return gzip.compress(gzip.compress(gzip.compress(good())))


def offset(value: float) -> bytes:
    return patched(108, "<f", value)


def affine(value: float) -> bytes:
    """All of sform's first row."""
    return patched(280, "<4f", *[value] * 4)


def flat() -> bytes:
    """No width in pixdim, and no sform or qform that would say otherwise."""
    data = bytearray(patched(252, "<2h", 0, 0))
    data[76:92] = struct.pack("<4f", 1, 0, 0, 0)
    return bytes(data)


def slope(value: float) -> bytes:
    return patched(112, "<f", value)


def infinite() -> bytes:
    values = np.zeros((4, 40, 40), np.float32)
    values[1, 2, 3] = np.inf
    return nifti(values, PLAIN)


def kind(code: int, bits: int) -> bytes:
    return patched(70, "<2h", code, bits)


def nifti_2() -> bytes:
    return nifti(VALUES, PLAIN, nib.Nifti2Image)


def big_endian() -> bytes:
    return nifti(VALUES, PLAIN, big=True)


def pair_header() -> bytes:
    return good()[:344] + b"ni1\0" + bytes(4)


def extension(offset_too: bool) -> bytes:
    """An extension that claims a gigabyte; `offset_too` says whether the header goes along with the claim."""
    data = good()
    said = struct.pack("<f", 352.0 + 10**9) if offset_too else data[108:112]
    return data[:108] + said + data[112:348] + b"\1\0\0\0" + struct.pack("<2i", 10**9, 6) + data[360:]


def dimensions(*sides: int) -> bytes:
    return nifti(np.zeros(sides[::-1], np.int16), PLAIN)


def cut_inside() -> bytes:
    packed = gzip.compress(good())
    return packed[: len(packed) // 2]


def without_trailer() -> bytes:
    return gzip.compress(good())[:-8]


def second_member() -> bytes:
    return gzip.compress(good()) + deflated_zeros(2**30, Packed.GZIP)


def endless_name() -> bytes:
    """The name in the gzip header never ends (the class of cpython's issue 149945)."""
    return b"\x1f\x8b\x08\x08\0\0\0\0\0\xff" + b"A" * 100_000_000


def dims(*sides: int) -> bytes:
    """The header alone is changed; `sides` begins with their number."""
    return patched(40, "<8h", *sides, *[1] * (8 - len(sides)))
