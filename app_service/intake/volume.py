"""The canonical volume: a NIfTI-1 file, gzipped, little-endian, 8-bit, 16-bit or float32, in millimetres.

The values are kept in the order in which they came: nothing is turned or flipped, and the affine, which says where
each value lies (NIfTI's right-anterior-superior axes), is that of the file. Nothing else of the file's header is kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from isal import isal_zlib
from nibabel.nifti1 import Nifti1Header
from numpy.typing import NDArray

from app_service.domain.planes import middle_picture
from app_service.intake.limits import Limits
from app_service.intake.package import Facts
from app_service.intake.pixels import encode_png
from app_service.intake.refusals import bad_geometry, bad_values, too_many_voxels
from portal_wire.errors import Unprocessable

Affine = NDArray[np.float64]
_CHUNK_BYTES = 2**22
_LEVEL = 1  # isal's; a third larger than zlib's best, and ten times as fast
_GZIP_WINDOW = 31
_EXACT_FLOAT32 = 2**24
_SHEAR = 1e-3


@dataclass(frozen=True)
class Volume:
    """`values[k, j, i]` lies at `affine @ (i, j, k, 1)`, in mm to the right, front and top of the patient."""

    values: NDArray[Any]
    affine: Affine
    modality: str = "OT"
    warnings: Sequence[str] = field(default_factory=tuple)


def check_shape(sides: Sequence[int], limits: Limits) -> None:
    """Raises Unprocessable `too_many_voxels` or `too_small`; call it before anything is allocated."""
    product = 1
    for side in sides:
        product *= side
    if product > limits.max_voxels:
        raise too_many_voxels(limits)
    least, *others = sorted(sides)
    if least < 2 or min(others) < limits.min_side_pixels:
        raise Unprocessable(
            f"The volume is {' by '.join(map(str, sides))}; at least 2 slices of {limits.min_side_pixels} by "
            f"{limits.min_side_pixels} are expected.",
            code="too_small",
        )


def check_affine(affine: Affine) -> None:
    """Raises Unprocessable `bad_geometry` for an affine that gives no two axes or no size."""
    steps = np.linalg.norm(affine[:3, :3], axis=0) if np.isfinite(affine).all() else np.zeros(3)
    if not (steps > 1e-4).all() or (steps > 1e3).any() or np.abs(affine[:3, 3]).max() > 1e6:
        raise bad_geometry("The distance between its values is none or beyond all measure.")
    if abs(np.linalg.det(affine[:3, :3] / steps)) < 0.05:
        raise bad_geometry("Its axes do not span a space.")


def study_of(volume: Volume, limits: Limits) -> tuple[Facts, list[bytes]]:
    """The canonical file with its facts and its small picture. Raises Unprocessable."""
    values, affine = stored(volume.values), np.asarray(volume.affine, np.float64)
    check_shape(values.shape, limits)
    check_affine(affine)
    preview = encode_png(middle_picture(values, affine, volume.modality))
    body = _gzipped(_header(values, affine), values)
    columns_mm, rows_mm, slices_mm = (float(step) for step in np.linalg.norm(affine[:3, :3], axis=0))
    slices, rows, columns = values.shape
    facts = Facts(
        kind="volume",
        modality=volume.modality,
        shape=(rows, columns, slices),
        spacing_mm=(rows_mm, columns_mm, slices_mm),
        media_type="application/gzip",
        warnings=[*volume.warnings, *(["low_quality"] if values.min() == values.max() else [])],
        size_bytes=len(body),
        preview_bytes=len(preview),
    )
    return facts, [body, preview]


def stored(values: NDArray[Any]) -> NDArray[Any]:
    """The same values as uint8, int16 or float32. Raises Unprocessable `bad_values` when none of them holds them."""
    if values.dtype.kind == "b":
        values = values.view(np.uint8)
    if values.dtype.kind not in "uif":
        raise bad_values()
    low, high = values.min(), values.max()
    if not (np.isfinite(low) and np.isfinite(high)):  # NaN spreads to both
        raise bad_values()
    if values.dtype == np.uint8:
        return values
    if values.dtype.kind in "ui" or _whole(values):
        if -32768 <= low and high <= 32767:
            return values.astype("<i2", copy=False)
        if values.dtype.kind in "ui" and max(-int(low), int(high)) > _EXACT_FLOAT32:
            raise bad_values()
    if max(-float(low), float(high)) > np.finfo(np.float32).max:
        raise bad_values()
    return values.astype("<f4", copy=False)


def _whole(values: NDArray[Any]) -> bool:
    return all(np.array_equal(part, np.rint(part)) for part in values)


def _header(values: NDArray[Any], affine: Affine) -> bytes:
    header = Nifti1Header(endianness="<")
    header.set_data_dtype(values.dtype)
    header.set_data_shape(values.shape[::-1])
    header.set_xyzt_units("mm")
    header["vox_offset"] = 352
    header["magic"] = b"n+1"
    axes = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    orthogonal = np.abs(axes.T @ axes - np.eye(3)).max() < _SHEAR
    header.set_qform(affine, code=1 if orthogonal else 0, strip_shears=True)
    header.set_sform(affine, code=1)
    return bytes(header.binaryblock) + bytes(4)


def _gzipped(header: bytes, values: NDArray[Any]) -> bytes:
    packer = isal_zlib.compressobj(_LEVEL, isal_zlib.DEFLATED, _GZIP_WINDOW)
    packed = [packer.compress(header)]
    plain = np.ascontiguousarray(values).data.cast("B")
    packed += (packer.compress(plain[at : at + _CHUNK_BYTES]) for at in range(0, len(plain), _CHUNK_BYTES))
    return b"".join((*packed, packer.flush()))
