"""NIfTI-1 and NIfTI-2, plain or gzipped, in either byte order (nifti1.h; https://nifti.nimh.nih.gov/nifti-2)."""

import io
import zlib
from typing import Any, BinaryIO

import numpy as np
from isal import igzip, igzip_lib
from nibabel.nifti1 import Nifti1Header
from nibabel.nifti2 import Nifti2Header
from nibabel.spatialimages import HeaderDataError
from numpy.typing import NDArray

from app_service.intake.image import Picture
from app_service.intake.limits import Limits
from app_service.intake.package import packed
from app_service.intake.refusals import bad_dims, bad_geometry, bad_values, corrupt, too_large_inflated
from app_service.intake.refusals import values_not_allowed as not_allowed
from app_service.intake.volume import Volume, check_affine, check_shape, study_of
from portal_wire.errors import Unprocessable

BROKEN: Any = igzip_lib.IsalError
HEADERS: dict[int, tuple[Any, bytes]] = {348: (Nifti1Header, b"n+1\0"), 540: (Nifti2Header, b"n+2\0")}
MOST_BEFORE_VALUES = 2**24
MOST_BEHIND_VALUES = 2**24
MILLIMETRES = {"meter": 1000.0, "micron": 0.001}


def from_nifti(data: bytes, limits: Limits) -> Picture:
    """Raises Unprocessable `corrupt`, `bad_header`, `bad_dims`, `bad_geometry`, `bad_values`, `datatype_not_allowed`,
    `too_many_voxels`, `too_small` or `too_large_inflated`."""
    return packed([study_of(read_volume(io.BytesIO(data), limits), limits)])


def from_gzip(data: bytes, limits: Limits) -> Picture:
    """The same of a gzipped file; `type_not_allowed` for one with anything else in it."""
    return packed([study_of(read_gzip(data, limits), limits)])


def read_gzip(data: bytes, limits: Limits) -> Volume:
    """As `read_volume`."""
    try:
        with igzip.IGzipFile(fileobj=io.BytesIO(data)) as file:
            return read_volume(file, limits)
    except (EOFError, OSError, zlib.error, BROKEN) as error:
        raise corrupt("Its gzip data cannot be unpacked to the end.") from error


def read_volume(file: Any, limits: Limits) -> Volume:
    """From the beginning of a NIfTI file; reads no more than its header announces and a little."""
    header = _header(file)
    sides = _sides(header)
    check_shape(sides, limits)
    affine = _affine(header)
    values = _values(file, header, sides)
    end = file.tell()
    while file.read(2**20):  # to the end, so that a checksum is checked
        if file.tell() > end + MOST_BEHIND_VALUES:
            raise too_large_inflated()
    known = int(header["sform_code"]) > 0 or int(header["qform_code"]) > 0
    return Volume(_scaled(values, header), affine, warnings=() if known else ("orientation_unknown",))


def _header(file: BinaryIO) -> Any:
    first = file.read(4)
    size = int.from_bytes(first, "little")
    order = "<"
    if size not in HEADERS:
        size, order = int.from_bytes(first, "big"), ">"
    if size not in HEADERS:
        raise Unprocessable("This gzip file holds no NIfTI volume.", code="type_not_allowed")
    kind, magic = HEADERS[size]
    block = first + file.read(size - 4)
    at = 344 if size == 348 else 4
    if block[at : at + 4] != magic or len(block) != size:
        raise Unprocessable(
            "This is the header of a pair of files (.hdr and .img), or damaged. Save the volume as one .nii file.",
            code="bad_header",
        )
    header = kind(block, endianness=order, check=False)
    offset = float(header["vox_offset"])
    if not (np.isfinite(offset) and size <= offset <= MOST_BEFORE_VALUES):
        raise _bad_header("where its values begin")
    return header


def _sides(header: Any) -> tuple[int, int, int]:
    """Slices, rows, columns: the order of the values in the file."""
    dims = [int(side) for side in header["dim"]]
    if not 1 <= dims[0] <= 7 or any(side < 1 for side in dims[1 : dims[0] + 1]):
        raise _bad_header("its dimensions")
    sides = dims[1 : dims[0] + 1]
    while len(sides) > 3 and sides[-1] == 1:
        sides.pop()
    if len(sides) != 3:
        raise bad_dims(f"{len(sides)} dimensions")
    return sides[2], sides[1], sides[0]


def _affine(header: Any) -> NDArray[np.float64]:
    try:
        affine = np.asarray(header.get_best_affine(), np.float64).copy()
    except (HeaderDataError, ValueError) as error:
        raise bad_geometry("Its rotation cannot be read.") from error
    affine[:3] *= MILLIMETRES.get(_unit(header), 1.0)
    check_affine(affine)
    return affine


def _unit(header: Any) -> str:
    try:
        return str(header.get_xyzt_units()[0])
    except KeyError:
        return "unknown"


def _values(file: Any, header: Any, sides: tuple[int, int, int]) -> NDArray[Any]:
    try:
        kind = header.get_data_dtype()
    except (HeaderDataError, KeyError) as error:
        raise _bad_header("the kind of its values") from error
    if kind.fields is not None or kind.kind not in "uif" or kind.itemsize > 8:
        raise not_allowed("colours" if kind.fields is not None else "complex numbers or longer than 64 bits")
    behind = int(header["vox_offset"]) - file.tell()
    if len(file.read(behind)) != behind:
        raise corrupt("The volume ends before its values do.")
    values = np.empty(sides, kind)
    into, at = values.data.cast("B"), 0
    while at < len(into):
        got = file.readinto(into[at : at + 2**22])
        if not got:
            raise corrupt("The volume ends before its values do.")
        at += got
    return values.astype(kind.newbyteorder("="), copy=False)


def _scaled(values: NDArray[Any], header: Any) -> NDArray[Any]:
    slope, intercept = float(header["scl_slope"]), float(header["scl_inter"])
    if slope == 0 or (np.isnan(slope) and np.isnan(intercept)):  # "not scaled" by the standard, and as tools write it
        return values
    if not (np.isfinite([slope, intercept]).all() and abs(slope) < 1e20 and abs(intercept) < 1e20):
        raise bad_values()
    if slope == 1 and intercept == 0:
        return values
    with np.errstate(over="ignore", invalid="ignore"):
        return values.astype(np.float32) * np.float32(slope) + np.float32(intercept)


def _bad_header(what: str) -> Unprocessable:
    return Unprocessable(f"The header of this NIfTI file is wrong about {what}.", code="bad_header")
