"""A mask of a volume: one uint8 NIfTI file with all structures, and one for each, in the volume's own place in space.

It is read once, piece by piece: a piece and the packed results are all that is in memory.
"""

import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from io import BytesIO
from typing import Any, BinaryIO

import numpy as np
from isal import igzip, igzip_lib
from nibabel.nifti1 import Nifti1Header
from nibabel.spatialimages import HeaderDataError
from nibabel.wrapstruct import WrapStructError

from app_service.masks.own_volume import Packed
from app_service.masks.reach import Reach
from app_service.masks.structures import wrong_mask

_CHUNK_BYTES = 2**22
_SAME_PLACE_MM = 1e-2
_BROKEN: Any = (EOFError, OSError, zlib.error, igzip_lib.IsalError, HeaderDataError, WrapStructError, ValueError)


@dataclass(frozen=True)
class Parted:
    """Gzipped NIfTI files: `combined`, and of each structure its voxels as 1; `counts` are voxels by structure,
    `extents_mm` what `Reach.volume_mm` gives."""

    combined: bytes
    structures: dict[int, bytes]
    counts: dict[int, int]
    extents_mm: dict[int, list[float] | None]


def part(mask: bytes, study: BinaryIO, indices: Iterable[int]) -> Parted:
    """Check the mask against the canonical volume `study`, whose header the new files have, and take it apart.

    Raises Internal for a mask of another shape, in another place, or with other values.
    """
    with igzip.IGzipFile(fileobj=study) as file:
        canonical = Nifti1Header.from_fileobj(file, check=False)
    try:
        with igzip.IGzipFile(fileobj=BytesIO(mask)) as file:
            _to_values(file, canonical)
            return _parted(file, canonical, list(indices))
    except _BROKEN as error:
        raise wrong_mask("it cannot be read") from error


def _to_values(file: Any, canonical: Nifti1Header) -> None:
    """Read up to the first value. Raises Internal when this is no mask of the canonical volume."""
    header = Nifti1Header.from_fileobj(file, check=False)
    slope, intercept = header.get_slope_inter()
    if header.get_data_dtype() != np.uint8 or slope not in (None, 1.0) or intercept not in (None, 0.0):
        raise wrong_mask("its values are no plain bytes")
    if header.get_data_shape() != canonical.get_data_shape():
        raise wrong_mask("its shape is not that of the volume")
    if not np.allclose(header.get_best_affine(), canonical.get_best_affine(), rtol=0, atol=_SAME_PLACE_MM):
        raise wrong_mask("it lies in another place than the volume")
    file.read(max(0, int(header["vox_offset"]) - file.tell()))


def _parted(file: Any, canonical: Nifti1Header, indices: list[int]) -> Parted:
    sides = canonical.get_data_shape()
    left, background, came = int(np.prod(sides)), 0, 0
    step = max(1, _CHUNK_BYTES // sides[0]) * sides[0]  # whole rows
    head = _header(canonical)
    combined, structures = Packed(head), {index: Packed(head) for index in indices}
    counts, reaches = dict.fromkeys(indices, 0), {index: Reach(sides) for index in indices}
    while left:
        piece = file.read(min(left, step))
        if not piece:
            raise EOFError
        left -= len(piece)
        values = np.frombuffer(piece, np.uint8)
        background += values.size - int(np.count_nonzero(values))
        combined.add(piece)
        for index, packed in structures.items():
            inside = values == index
            counts[index] += int(np.count_nonzero(inside))
            reaches[index].note(inside, came)
            packed.add(inside.tobytes())
        came += len(piece)
    if background + sum(counts.values()) != np.prod(sides):
        raise wrong_mask("it has values that mean no structure")
    affine = canonical.get_best_affine()
    extents = {index: reach.volume_mm(affine) for index, reach in reaches.items()}
    return Parted(combined.done(), {index: packed.done() for index, packed in structures.items()}, counts, extents)


def _header(canonical: Nifti1Header) -> bytes:
    header = canonical.copy()
    header.set_data_dtype(np.uint8)
    header.set_slope_inter(1, 0)
    header["vox_offset"] = 352
    return bytes(header.binaryblock) + bytes(4)
