"""A volume as it comes and as its label map leaves: NIfTI-1 in memory, gzipped, the affine kept to the bit."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import nibabel
import numpy as np
from isal import igzip_lib, isal_zlib
from nibabel.nifti1 import Nifti1Header
from nibabel.spatialimages import HeaderDataError
from numpy.typing import NDArray

from ml_service.label_maps import LabelMap

HEADER_BYTES = 348
MOST_VOXELS = 2**29  # as many as App's intake lets in, and as many bytes for the labels
_GZIP_WINDOW = 31
_FIRST_BYTES = 2**17  # of a packed volume: a gzip header may take half of them (RFC 1952), and then comes NIfTI's
_LEVEL = 1
_CHUNK_BYTES = 2**22
_LABELS = 1002  # NIfTI's intent code for a map of labels


class Volume(NamedTuple):
    """`values[k, j, i]` as stored lies at the header's affine @ (i, j, k, 1)."""

    values: NDArray[Any]
    slope: float
    inter: float
    header: Nifti1Header

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Distances between values along the axes of `values`."""
        columns, rows, slices = (float(step) for step in self.header.get_zooms()[:3])
        return slices, rows, columns

    @property
    def voxel_ml(self) -> float:
        """Returns a voxel's volume, by the affine: axes may be oblique to each other."""
        return abs(float(np.linalg.det(self.header.get_best_affine()[:3, :3]))) / 1000

    @property
    def long_axis(self) -> int:
        """The axis of `values` that runs most along the patient, from feet to head."""
        axes: NDArray[np.float64] = nibabel.orientations.io_orientation(self.header.get_best_affine())
        return 2 - int(np.flatnonzero(axes[:, 0] == 2)[0])

    def levels(self, slice_: int, axis: int) -> NDArray[np.float32]:
        """Returns the scaled values of one slice across `axis`."""
        stored = np.ascontiguousarray(self.values.take(slice_, axis=axis), np.float32)
        return stored * np.float32(self.slope) + np.float32(self.inter)


def read(study: bytes) -> Volume:
    """Returns the volume of a .nii.gz (or .nii). Raises ValueError for anything else, before much is unpacked."""
    try:
        if not study.startswith(b"\x1f\x8b"):
            return _volume(study)
        header = _header(_unpacked(study[:_FIRST_BYTES], HEADER_BYTES))
        return _volume(_unpacked(study, _end(header)))
    except (igzip_lib.IsalError, HeaderDataError, EOFError) as error:  # type: ignore[misc]
        raise ValueError(f"Expected a NIfTI-1 volume. Received: {len(study)} bytes ({type(error).__name__})") from None


def _unpacked(packed: bytes, most: int) -> bytes:
    return isal_zlib.decompressobj(_GZIP_WINDOW).decompress(packed, max_length=most)


def _header(study: bytes) -> Nifti1Header:
    if len(study) < HEADER_BYTES:
        raise ValueError(f"Expected a NIfTI-1 volume. Received: {len(study)} bytes")
    header = Nifti1Header(study[:HEADER_BYTES])
    shape = header.get_data_shape()
    if len(shape) != 3 or min(shape) < 1:
        raise ValueError(f"Expected a volume of three axes. Received: {len(shape)}")
    if int(np.prod(shape, dtype=np.int64)) > MOST_VOXELS:
        raise ValueError(f"Expected at most {MOST_VOXELS} voxels.")
    if header.get_data_offset() < HEADER_BYTES or header.get_data_dtype().kind not in "uif":
        raise ValueError("Expected a volume of numbers.")
    return header


def _end(header: Nifti1Header) -> int:
    count = int(np.prod(header.get_data_shape(), dtype=np.int64))
    return int(header.get_data_offset()) + count * int(header.get_data_dtype().itemsize)


def _volume(unpacked: bytes) -> Volume:
    header = _header(unpacked)
    if len(unpacked) < _end(header):
        raise ValueError("Expected a whole volume. Received: one that is cut off")
    shape = header.get_data_shape()
    count = int(np.prod(shape, dtype=np.int64))
    values = np.frombuffer(unpacked, header.get_data_dtype(), count, int(header.get_data_offset()))
    slope, inter = header.get_slope_inter()
    return Volume(values.reshape(shape[::-1]), 1.0 if slope is None else slope, inter or 0.0, header)


def written(labels: LabelMap, of: Volume) -> bytes:
    """Returns a label map, (slices, rows, columns), as .nii.gz with the geometry of the volume that it is of."""
    header = of.header.as_byteswapped("<")
    header.set_data_dtype(np.uint8)
    header.set_slope_inter(1, 0)
    header.set_intent(_LABELS, allow_unknown=True)
    header["cal_min"] = header["cal_max"] = 0
    header["descrip"] = b""
    header["vox_offset"] = HEADER_BYTES + 4
    packer = isal_zlib.compressobj(_LEVEL, isal_zlib.DEFLATED, _GZIP_WINDOW)
    parts = [packer.compress(header.binaryblock + b"\0\0\0\0"), *(packer.compress(part) for part in _parts(labels))]
    return b"".join([*parts, packer.flush()])


def _parts(labels: LabelMap) -> Iterator[bytes]:
    flat = labels.ravel()
    for at in range(0, len(flat), _CHUNK_BYTES):
        yield flat[at : at + _CHUNK_BYTES].tobytes()
