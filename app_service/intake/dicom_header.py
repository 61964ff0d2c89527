"""A DICOM file's header: is it an image that we read, and is it small enough? Nothing is decoded here.

Only the tags of `dicom_names.TAGS` are ever read, so that no name of a person can get any further.
"""

import io
from typing import Any

from pydicom import dcmread
from pydicom.dataelem import RawDataElement
from pydicom.dataset import FileDataset
from pydicom.uid import UID

from app_service.intake.dicom_meta import plain, transfer_syntax
from app_service.intake.dicom_names import IMAGE_CLASSES, MODALITIES, TAGS, TRANSFER_SYNTAXES
from app_service.intake.limits import Limits
from app_service.intake.refusals import check_size, corrupt, too_large_inflated, too_many_voxels
from portal_wire.errors import PortalError, Unprocessable

ENDS_OF_HEADER = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
GREY = ("MONOCHROME1", "MONOCHROME2")
COLOUR = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_RCT", "YBR_ICT", "PALETTE COLOR")
UNDEFINED_LENGTH = 0xFFFFFFFF


def read_header(data: bytes, limits: Limits) -> FileDataset:
    """The tags that are allowed, with the pixels still packed.

    Raises Unprocessable `transfer_syntax_not_allowed`, `sop_not_allowed`, `no_image`, `pixels_not_allowed`,
    `too_many_pixels`, `too_small`, `too_many_voxels`, `too_large_inflated` or `corrupt`, and the RecursionError of a
    file whose sequences are nested too deeply.
    """
    _check_syntax(transfer_syntax(data))
    whole = plain(data)
    try:
        header = dcmread(io.BytesIO(whole), specific_tags=list(TAGS))
        _check_class(str(header.get("SOPClassUID") or header.file_meta.get("MediaStorageSOPClassUID", "")))
        if not any(name in header for name in ENDS_OF_HEADER):
            raise Unprocessable("This DICOM file holds no picture.", code="no_image")
        _check_end(header)
        _check_pixels(header, limits)
    except (PortalError, RecursionError, MemoryError):
        raise
    except Exception as error:  # pydicom passes on whatever the converter of a value raises, at the first look at it
        raise corrupt("It cannot be read as DICOM.") from error
    return header


def without_pixels(header: FileDataset) -> FileDataset:
    """The header alone, for the time in which other files are read."""
    for name in (*ENDS_OF_HEADER, "ExtendedOffsetTable", "ExtendedOffsetTableLengths"):
        if name in header:
            delattr(header, name)
    return header


def modality(header: FileDataset) -> str:
    """As DICOM writes it; "OT" for what we do not know, so that no free text passes."""
    found = str(header.get("Modality", ""))
    return found if found in MODALITIES else "OT"


def number_of_frames(header: FileDataset) -> int:
    return int(header.get("NumberOfFrames") or 1)


def positive(values: Any, count: int) -> tuple[float, ...] | None:
    """`count` numbers above zero, or None: for spacings, which may be missing or senseless."""
    try:
        found = tuple(float(value) for value in values or ())
    except (TypeError, ValueError):
        return None
    return found if len(found) == count and all(0 < value < 1e4 for value in found) else None


def _check_syntax(syntax: str) -> None:
    if syntax in TRANSFER_SYNTAXES:
        return
    known = UID(syntax).name if syntax and UID(syntax).is_transfer_syntax else "unknown"
    raise Unprocessable(
        f"The transfer syntax of this DICOM file is not read here: {known}. "
        "Export it again, uncompressed or as JPEG 2000.",
        code="transfer_syntax_not_allowed",
    )


def _check_class(name: str) -> None:
    if name in IMAGE_CLASSES:
        return
    uid = UID(name)
    what = uid.name if uid.is_valid and uid.name != name else "of an unknown kind"
    raise Unprocessable(f"This DICOM file is no image that is read here ({what}).", code="sop_not_allowed")


def _check_end(header: FileDataset) -> None:
    """A picture may not be longer than its file says; pydicom takes what there is."""
    for name in ENDS_OF_HEADER:
        found = header.get_item(name) if name in header else None
        if isinstance(found, RawDataElement) and found.length != UNDEFINED_LENGTH:
            if len(found.value or b"") < found.length:
                raise corrupt("The DICOM file ends before its picture does.")


def _check_pixels(header: FileDataset, limits: Limits) -> None:
    try:
        rows, columns, frames = int(header["Rows"].value), int(header["Columns"].value), number_of_frames(header)
        samples, allocated, stored = (
            int(header[name].value) for name in ("SamplesPerPixel", "BitsAllocated", "BitsStored")
        )
        photometric = str(header.PhotometricInterpretation)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise corrupt("Its DICOM header lacks what describes the picture.") from error
    if frames < 1 or not 0 < stored <= allocated:
        raise corrupt("Its DICOM header contradicts itself.")
    wanted = {"MONOCHROME1": 1, "MONOCHROME2": 1, "PALETTE COLOR": 1}.get(photometric, 3)
    if photometric not in GREY + COLOUR or samples != wanted or allocated not in (8, 16):
        raise Unprocessable(
            f"Its pixels are {allocated}-bit {samples}-channel; 8- or 16-bit grey, colour and palette are read here.",
            code="pixels_not_allowed",
        )
    check_size(columns, rows, limits)
    size = rows * columns * samples * frames
    if size > limits.max_voxels:
        raise too_many_voxels(limits) if frames > 1 else too_large_inflated()
    if TRANSFER_SYNTAXES[header.file_meta.TransferSyntaxUID] is None and len(header.PixelData) * 8 < size * allocated:
        raise corrupt("The DICOM file ends before its picture does.")
