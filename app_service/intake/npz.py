"""NPZ files of boxes and slices (the MedSAM challenge's format): `imgs`, with `spacing` for a volume, and `boxes`.

`gts` stays in the original and is not looked at: an answer must never come from the truth. NumPy's own reader is used
for the header alone, since it may unpickle objects and allocates what a header claims.
"""

import io
import zipfile
from contextlib import suppress
from tokenize import TokenError
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from app_service.domain.prompts import MOST, clipped, sides_of
from app_service.intake.archive import member
from app_service.intake.image import Picture
from app_service.intake.limits import Limits
from app_service.intake.package import Facts, packed
from app_service.intake.pixels import encode_png, grey_if_equal
from app_service.intake.refusals import bad_dims, bad_values, check_size, corrupt, values_not_allowed
from app_service.intake.volume import Volume, study_of
from portal_wire.errors import Unprocessable

IMAGES, SPACING, BOXES = "imgs.npy", "spacing.npy", "boxes.npy"
MOST_HEADER = 4096


def from_npz(archive: zipfile.ZipFile, limits: Limits) -> Picture:
    """Raises Unprocessable `corrupt`, `bad_dims`, `bad_values`, `datatype_not_allowed`, `too_many_voxels`, ..."""
    return packed([read_npz(archive, limits)])


def read_npz(archive: zipfile.ZipFile, limits: Limits) -> tuple[Facts, list[bytes]]:
    """The study's facts with its boxes, the canonical file and, of a volume, the preview. Raises as `from_npz`."""
    values = _array(member(archive, archive.getinfo(IMAGES)))
    if values.ndim == 2 or (values.ndim == 3 and values.shape[2] == 3 and SPACING not in archive.namelist()):
        facts, body = _picture(values, limits)
        return _with_boxes(facts, archive), [body]
    if values.ndim != 3:
        raise bad_dims(f"{values.ndim} dimensions")
    spacing = (1.0, 1.0, 1.0)
    if SPACING in archive.namelist():
        told = _array(member(archive, archive.getinfo(SPACING))).astype(np.float64).ravel()
        if told.shape != (3,) or not (np.isfinite(told).all() and (told > 0).all()):
            raise bad_values()
        spacing = (float(told[0]), float(told[1]), float(told[2]))
    # x, y, z against slices, rows, columns. No orientation is told: rows run to the left, columns to the back, as in
    # DICOM's usual axial slice.
    affine = np.diag([-spacing[0], -spacing[1], spacing[2], 1.0])
    facts, bodies = study_of(Volume(values, affine, warnings=("orientation_unknown",)), limits)
    return _with_boxes(facts, archive), bodies


def _with_boxes(facts: Facts, archive: zipfile.ZipFile) -> Facts:
    """The n-th box asks for label n, so one that does not lie in the study leaves a gap, and a notice says so."""
    if BOXES not in archive.namelist():
        return facts
    sides = sides_of(facts.shape, facts.kind)
    boxes: list[list[float] | None] = [None]
    with suppress(Unprocessable):  # the picture is sound all the same
        found = _array(member(archive, archive.getinfo(BOXES)))
        if found.ndim == 2 and len(found) <= MOST:
            boxes = [clipped(box, sides) for box in found.astype(np.float64).tolist()]
    warnings = [*facts.warnings, *(["boxes_left_out"] if None in boxes else [])]
    return facts.model_copy(update={"boxes": boxes, "warnings": warnings})


def _picture(values: NDArray[Any], limits: Limits) -> tuple[Facts, bytes]:
    if values.dtype not in (np.uint8, np.uint16):
        raise values_not_allowed("neither 8- nor 16-bit grey levels")
    check_size(values.shape[1], values.shape[0], limits)
    pixels = grey_if_equal(np.ascontiguousarray(values[..., ::-1] if values.ndim == 3 else values))
    body = encode_png(pixels)
    facts = Facts(
        kind="image",
        modality="OT",
        shape=pixels.shape,
        spacing_mm=None,
        media_type="image/png",
        warnings=["low_quality"] if pixels.min() == pixels.max() else [],
        size_bytes=len(body),
    )
    return facts, body


def _array(data: bytes) -> NDArray[Any]:
    """Raises Unprocessable; never unpickles."""
    file = io.BytesIO(data)
    try:
        version = npy.read_magic(file)
        reader = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, fortran, dtype = reader(file, max_header_size=MOST_HEADER)
    except (ValueError, KeyError, TypeError, EOFError, TokenError, SyntaxError) as error:
        raise corrupt("One of its arrays has no sound header.") from error
    if dtype.hasobject:
        raise values_not_allowed("Python objects, which are never read")
    if dtype.kind not in "buif" or dtype.itemsize > 8:
        raise values_not_allowed("no plain numbers")
    if not shape or any(side < 1 for side in shape):
        raise bad_dims("an array without values")
    count = 1
    for side in shape:
        count *= side
    if count * dtype.itemsize != len(data) - file.tell():
        raise corrupt("One of its arrays is cut short.")
    values = np.frombuffer(data, dtype, offset=file.tell()).reshape(shape, order="F" if fortran else "C")
    return values.astype(dtype.newbyteorder("="), copy=False)
