"""Volumes that the portal wrote itself, read and written piece by piece without a medical library.

Intake's canonical volumes and the masks beside them are all alike: gzipped, little-endian NIfTI-1 files, whose header
of 348 bytes and 4 more come before the values (https://nifti.nimh.nih.gov/pub/dist/src/niftilib/nifti1.h).
"""

import struct
from collections.abc import Iterator
from io import BytesIO
from typing import Any, BinaryIO

import numpy as np
from isal import igzip, isal_zlib
from numpy.typing import NDArray

_HEAD_BYTES = 352
_SIDES_AT, _TYPE_AT, _SPACING_AT, _AFFINE_AT = 42, 70, 80, 280
_TYPES: dict[int, np.dtype[Any]] = {2: np.dtype("u1"), 4: np.dtype("<i2"), 16: np.dtype("<f4")}
_PIECE = 2**22  # values
_LEVEL = 1
_GZIP_WINDOW = 31


class OwnVolume:
    """`sides` and `spacing_mm` are along x, y, z; `affine` is NIfTI's, from these to the patient. Raises EOFError when
    the file ends too soon."""

    def __init__(self, file: BinaryIO) -> None:
        self._file: Any = igzip.IGzipFile(fileobj=file)
        self.head: bytes = self._file.read(_HEAD_BYTES)
        self.sides: tuple[int, ...] = struct.unpack_from("<3h", self.head, _SIDES_AT)
        self.spacing_mm: tuple[float, ...] = struct.unpack_from("<3f", self.head, _SPACING_AT)
        rows = struct.unpack_from("<12f", self.head, _AFFINE_AT)  # they have a code wherever the portal wrote them
        self.affine: NDArray[np.float64] = np.array([*rows, 0, 0, 0, 1], np.float64).reshape(4, 4)
        self.type = _TYPES[struct.unpack_from("<h", self.head, _TYPE_AT)[0]]

    @property
    def size(self) -> int:
        """How many values it has."""
        x, y, z = self.sides
        return x * y * z

    def pieces(self) -> Iterator[NDArray[Any]]:
        """Yields all values in the file's order, x first, in whole rows; pieces of any two volumes of one size are
        equally long."""
        step = max(1, _PIECE // self.sides[0]) * self.sides[0]
        for left in range(self.size, 0, -step):
            wanted = min(left, step) * self.type.itemsize
            data = self._file.read(wanted)
            if len(data) < wanted:
                raise EOFError
            yield np.frombuffer(data, self.type)


def whole(data: bytes) -> tuple[NDArray[Any], OwnVolume]:
    """All values of a file, (slices, rows, columns)."""
    volume = OwnVolume(BytesIO(data))
    return np.concatenate(list(volume.pieces())).reshape(volume.sides[::-1]), volume


class Packed:
    """Bytes that are gzipped as they come."""

    def __init__(self, first: bytes) -> None:
        self._packer = isal_zlib.compressobj(_LEVEL, isal_zlib.DEFLATED, _GZIP_WINDOW)
        self._parts = [self._packer.compress(first)]

    def add(self, piece: bytes) -> None:
        self._parts.append(self._packer.compress(piece))

    def done(self) -> bytes:
        return b"".join((*self._parts, self._packer.flush()))
