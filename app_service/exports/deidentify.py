"""A file of an answer without its patient's identity (PS3.15 Annex E). Runs in the sandbox's child.

The file is written anew from what an allow-list names; nothing else of it is looked at.
"""

import hmac
import io
import uuid
from collections.abc import Sequence

import numpy as np
from isal import igzip, isal_zlib
from nibabel.nifti1 import Nifti1Header
from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID

from app_service.exports.dicom_allow_list import CLASSES, DUMMIES, EMPTIED, KEPT, SEQUENCES, UIDS
from app_service.intake.image import Picture
from app_service.intake.limits import Limits
from portal_wire.errors import Internal

KEY_BYTES = 32  # of the request; the file follows
METHOD = "PS3.15 Annex E Basic Profile, by an allow-list"
STANDARD_UIDS = "1.2.840.10008."  # atlases' frames of reference and the like: the same for everyone
_GZIP_WINDOW, _LEVEL = 31, 1
# NIfTI-1 without its free text (data_type, db_name, intent_name, descrip, aux_file) and without extensions.
_NIFTI = (
    *("dim", "datatype", "bitpix", "pixdim", "scl_slope", "scl_inter", "xyzt_units", "qform_code", "sform_code"),
    *("quatern_b", "quatern_c", "quatern_d", "qoffset_x", "qoffset_y", "qoffset_z", "srow_x", "srow_y", "srow_z"),
)


def from_request(data: bytes, limits: Limits) -> Picture:
    """`data` is the key and the file: a DICOM file or a gzipped NIfTI-1 file. Raises Internal for any other."""
    key, file = data[:KEY_BYTES], data[KEY_BYTES:]
    if file[128:132] == b"DICM":
        return Picture("application/dicom", (), dicom(file, key), [])
    if file[:2] == b"\x1f\x8b":
        return Picture("application/gzip", (), nifti(file), [])
    raise Internal("This file cannot leave without its patient's identity.")


def dicom(file: bytes, key: bytes) -> bytes:
    """UIDs become others by `key`: the same ones in every file, so that what belongs together stays together."""
    found = dcmread(io.BytesIO(file))
    made = _allowed(found, key)
    made.PatientIdentityRemoved = "YES"
    made.DeidentificationMethod = METHOD
    made.DeidentificationMethodCodeSequence = [_code("113100", "Basic Application Confidentiality Profile")]
    made.LongitudinalTemporalInformationModified = "REMOVED"
    made.file_meta = FileMetaDataset()  # the old one may name the program and the station that sent the file
    made.file_meta.TransferSyntaxUID = found.file_meta.TransferSyntaxUID
    made.file_meta.MediaStorageSOPClassUID = made.SOPClassUID
    made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID
    written = io.BytesIO()
    made.save_as(written, enforce_file_format=True)
    return written.getvalue()


def nifti(file: bytes) -> bytes:
    """The values and their place, gzipped without a name or a time."""
    with igzip.IGzipFile(fileobj=io.BytesIO(file)) as opened:
        found = Nifti1Header.from_fileobj(opened, check=False)
        opened.seek(int(found["vox_offset"]))
        values = opened.read(found.get_data_dtype().itemsize * int(np.prod(found.get_data_shape())))
    made = Nifti1Header(endianness=found.endianness)
    for name in _NIFTI:
        made[name] = found[name]
    made["vox_offset"], made["magic"] = 352, b"n+1"
    packer = isal_zlib.compressobj(_LEVEL, isal_zlib.DEFLATED, _GZIP_WINDOW)
    return b"".join((packer.compress(bytes(made.binaryblock) + bytes(4)), packer.compress(values), packer.flush()))


def other_uid(uid: str, key: bytes) -> UID:
    """Of the form 2.25 (PS3.5 B.2). Who does not have the key cannot tell which one it was."""
    if uid.startswith(STANDARD_UIDS):
        return UID(uid)
    digest = hmac.digest(key, uid.encode(), "sha256")[:16]
    return UID(f"2.25.{uuid.UUID(bytes=digest, version=5).int}")


def _allowed(found: Dataset, key: bytes) -> Dataset:
    made = Dataset()
    for element in found:
        name = element.keyword
        if name in KEPT or name in CLASSES:
            made.add(element)
        elif name in UIDS:
            values = [element.value] if isinstance(element.value, str) else element.value or []
            setattr(made, name, _one_or_all([other_uid(str(value), key) for value in values]))
        elif name in EMPTIED:
            setattr(made, name, "")
        elif name in DUMMIES:
            setattr(made, name, DUMMIES[name])
        elif name in SEQUENCES:
            setattr(made, name, [_allowed(item, key) for item in element.value])
    return made


def _one_or_all(values: Sequence[UID]) -> UID | Sequence[UID]:
    return values[0] if len(values) == 1 else list(values)


def _code(value: str, meaning: str) -> Dataset:
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, "DCM", meaning
    return code
