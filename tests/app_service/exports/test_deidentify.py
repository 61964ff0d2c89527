"""DICOM and NIfTI files by the allow-list: whatever else is in them does not leave."""

import gzip
import io

import nibabel
import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileDataset
from pydicom.uid import SegmentationStorage, generate_uid

from app_service.exports.deidentify import KEY_BYTES, dicom, from_request, nifti, other_uid
from app_service.exports.dicom_allow_list import CLASSES, DUMMIES, EMPTIED, KEPT, SEQUENCES, UIDS
from app_service.intake.limits import Limits
from portal_wire.errors import Internal
from tests.app_service.intake.dicom_maker import made

KEY, OTHER_KEY = b"k" * KEY_BYTES, b"o" * KEY_BYTES
CANARY = "Zqcanary"
PIXELS = np.arange(64 * 48, dtype=np.uint16).reshape(64, 48)


def full_of_canaries() -> FileDataset:
    """Every text element that the dictionary knows, private ones, and a sequence with the same within a kept one."""
    file = pydicom.dcmread(io.BytesIO(made(PIXELS, SOPClassUID=SegmentationStorage, StudyInstanceUID=generate_uid())))
    _fill(file)
    inner = Dataset()
    inner.SegmentNumber, inner.SegmentLabel = 1, "lung"
    _fill(inner)
    file.SegmentSequence = [inner]
    file.OtherPatientIDsSequence = [inner]
    file.preamble = CANARY.encode().ljust(128, b"\0")
    file.file_meta.SourceApplicationEntityTitle = CANARY
    return file


def _fill(dataset: Dataset) -> None:
    ours = KEPT | UIDS | CLASSES | SEQUENCES
    for tag, (kind, _, _, _, keyword) in pydicom.datadict.DicomDictionary.items():
        if kind in ("LO", "SH", "LT", "ST", "UT", "PN", "UC") and keyword and keyword not in ours and tag >> 16 > 6:
            setattr(dataset, keyword, CANARY)
        elif kind == "DA" and keyword:
            setattr(dataset, keyword, "19700101")
    block = dataset.private_block(0x0029, CANARY, create=True)
    block.add_new(0x10, "LO", CANARY)


def written(file: FileDataset) -> bytes:
    target = io.BytesIO()
    file.save_as(target, enforce_file_format=True)
    return target.getvalue()


def test_of_everything_that_names_the_patient_nothing_is_left() -> None:
    before = written(full_of_canaries())
    assert before.count(CANARY.encode()) > 500
    after = dicom(before, KEY)
    assert CANARY.encode() not in after and b"Canary" not in after and b"19700101" not in after
    read = pydicom.dcmread(io.BytesIO(after))
    known = KEPT | UIDS | CLASSES | SEQUENCES | EMPTIED | DUMMIES.keys()
    said = {"PatientIdentityRemoved", "DeidentificationMethod", "LongitudinalTemporalInformationModified"}
    assert {element.keyword for element in read} <= known | said | {"DeidentificationMethodCodeSequence"}
    np.testing.assert_array_equal(read.pixel_array, PIXELS)
    assert read.SegmentSequence[0].SegmentLabel == "lung" and not read.PatientName


def test_it_says_that_and_how_the_identity_was_removed() -> None:
    read = pydicom.dcmread(io.BytesIO(dicom(written(full_of_canaries()), KEY)))
    assert read.PatientIdentityRemoved == "YES" and read.LongitudinalTemporalInformationModified == "REMOVED"
    (code,) = read.DeidentificationMethodCodeSequence
    assert (code.CodeValue, code.CodingSchemeDesignator) == ("113100", "DCM")


def test_files_that_belong_together_still_do_and_nobody_else_can_tell_of_what() -> None:
    file = full_of_canaries()
    one, again = (pydicom.dcmread(io.BytesIO(dicom(written(file), KEY))) for _ in range(2))
    other = pydicom.dcmread(io.BytesIO(dicom(written(file), OTHER_KEY)))
    for name in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
        uid = getattr(one, name)
        assert uid.startswith("2.25.") and uid.is_valid and uid == getattr(again, name)
        assert len({uid, getattr(other, name), getattr(file, name)}) == 3
    assert one.file_meta.MediaStorageSOPInstanceUID == one.SOPInstanceUID
    assert one.SOPClassUID == SegmentationStorage
    assert other_uid("1.2.840.10008.1.4.1.1", KEY) == "1.2.840.10008.1.4.1.1"  # an atlas is nobody


def test_a_nifti_file_keeps_its_values_and_place_alone() -> None:
    affine = np.array([[0, -0.8, 0.1, 5], [0.7, 0, 0, -6], [0, 0.1, 2.5, 7], [0, 0, 0, 1.0]])
    values = np.random.default_rng(1).integers(0, 3, (7, 9, 5)).astype(np.uint8)
    image = nibabel.Nifti1Image(values, affine)
    for name in ("descrip", "aux_file", "intent_name", "db_name"):
        image.header[name] = CANARY.encode()
    image.header.extensions.append(nibabel.nifti1.Nifti1Extension("comment", CANARY.encode() * 9))
    file = io.BytesIO()
    with gzip.GzipFile(f"{CANARY}.nii", "wb", fileobj=file) as packed:
        packed.write(image.to_bytes())
    after = nifti(file.getvalue())
    assert CANARY.encode() not in after + gzip.decompress(after)
    read = nibabel.Nifti1Image.from_bytes(gzip.decompress(after))
    np.testing.assert_array_equal(np.asarray(read.dataobj), values)
    np.testing.assert_allclose(read.affine, affine, atol=1e-6)


def test_a_file_of_another_kind_does_not_leave() -> None:
    with pytest.raises(Internal):
        from_request(KEY + b"any text", Limits())
